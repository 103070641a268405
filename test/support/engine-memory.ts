import { readFileSync } from 'node:fs';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { createEngine } from '#dist/models/runtime/engine.js';
import { sizeOf, type Tensor } from '#dist/models/tensor.js';

/** Memory of a process in bytes: its own, and pages of files. */
export type ProcessMemory = { readonly anonymous: number; readonly file: number };

/** Highest memory of a process while it is watched, looked at every few milliseconds. Only where there is /proc. */
export function watchMemory(pid: number): { readonly peak: () => ProcessMemory; readonly stop: () => void } {
  let peak = { anonymous: 0, file: 0 };
  const look = () => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
    peak = {
      anonymous: Math.max(peak.anonymous, bytes('RssAnon')),
      file: Math.max(peak.file, bytes('RssFile')),
    };
  };
  look();
  const timer = setInterval(look, 2);
  return {
    peak: () => {
      look();
      return peak;
    },
    stop: () => clearInterval(timer),
  };
}

export type Measured = {
  /** Of an engine without a graph. */
  readonly empty: ProcessMemory;
  readonly load: ProcessMemory;
  readonly run: ProcessMemory;
  readonly loadMs: number;
  readonly runMs: number;
};

/** Loads a graph into an engine of its own, runs it once, and says what that took. Only where there is /proc. */
export async function measureGraph(graph: BuiltGraph, threads = 1): Promise<Measured> {
  await using engine = await createEngine({ provider: 'cpu', threads });
  const whole = watchMemory(engine.info.pid);
  const empty = whole.peak();
  const begun = performance.now();
  const session = await engine.load(graph);
  const loadMs = performance.now() - begun;
  const load = whole.peak();
  whole.stop();
  const running = watchMemory(engine.info.pid);
  try {
    const started = performance.now();
    await engine.run(session, feedsOf(graph), { outputs: graph.outputs.slice(0, 1).map(({ name }) => name) });
    return { empty, load, run: running.peak(), loadMs, runMs: performance.now() - started };
  } finally {
    running.stop();
  }
}

function feedsOf(graph: BuiltGraph): Record<string, Tensor> {
  return Object.fromEntries(
    graph.inputs.map(({ name, dtype, dims }) => {
      const data = dtype === 'uint8' ? new Uint8Array(sizeOf(dims)).fill(90) : new Float32Array(sizeOf(dims)).fill(0.5);
      return [name, { dtype, dims, data }];
    }),
  );
}
