/**
 * The engine process: owns every session of one device. `engine.ts` starts it and talks to it by messages. A run blocks
 * this process, not its parent; killing it is how a run is cancelled.
 */
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-node';

import type { BuiltGraph } from '../onnx/built-graph.js';
import { Graph } from '../onnx/graph.js';
import type { DType, Tensor, TensorData } from '../tensor.js';
import { monotonicMs } from './monotonic.js';
import { type OnnxFile, readOnnxFile } from './onnx-file.js';
import type { Calls, LoadOptions, OpenedRuntime, OpenPort, ProviderOptions, Reply, Request } from './protocol.js';
import { createResources } from './resources.js';

// Ctrl-C reaches the whole process group: the parent decides what it means.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
new Worker(new URL('./lifeline.js', import.meta.url)).unref();

// Newer Node has Float16Array, and the runtime would use it; half floats are Uint16Array here, on every version.
Reflect.deleteProperty(globalThis, 'Float16Array');
const ort = await import('onnxruntime-node');

const sessions = new Map<number, Ort.InferenceSession>();
const resources = createResources();
let device: ProviderOptions = { provider: 'cpu', deviceId: 0, threads: 1 };

async function open(options: ProviderOptions): Promise<OpenedRuntime> {
  device = options;
  // A graph of one addition, run once: a provider that loads but cannot compute is found here and not after minutes.
  const probe = new Graph({ name: 'probe', residency: 'fast', target: options.provider });
  const x = probe.input('x', 'float32', [1]);
  const sum = probe.add({ op: 'Add', inputs: [x, x], outputs: [{ dtype: 'float32', dims: [1] }] })[0];
  if (sum) probe.output('y', sum);
  const session = await createSession(probe.finish(), { forbidCpuFallback: options.provider !== 'cpu' });
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(2), [1]) });
  if (y?.data[0] !== 4) throw new Error(`the ${options.provider} provider computes 2 + 2 = ${y?.data[0]}`);
  await session.release();
  return {
    pid: process.pid,
    runtimeVersion: ort.env.versions.node ?? ort.env.versions.common,
    providers: ort.listSupportedBackends().map(({ name }) => name),
  };
}

type Model = Pick<BuiltGraph, 'model' | 'weightsRoot' | 'residency'>;

function createSession(graph: Model, { forbidCpuFallback, profilePrefix }: LoadOptions): Promise<Ort.InferenceSession> {
  const { provider, deviceId, threads } = device;
  return ort.InferenceSession.create(graph.model, {
    executionProviders: [provider === 'cuda' ? { name: 'cuda', deviceId } : provider],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Planning the whole arena ahead nearly doubles the peak of these graphs and is no faster (measured).
    enableMemPattern: false,
    // The arena keeps what a run needed: 1.3 GB against 0.06 GB after a run of SVD's UNet, and it is no faster there.
    enableCpuMemArena: graph.residency !== 'low-memory',
    logSeverityLevel: 3,
    ...(profilePrefix && { enableProfiling: true, profileFilePrefix: profilePrefix }),
    extra: {
      session: {
        model_external_initializers_file_folder_path: graph.weightsRoot,
        ...(forbidCpuFallback && { disable_cpu_ep_fallback: '1' }),
      },
    },
  });
}

/** Loads the very bytes that were hashed. What they refer to beside themselves can only lie below their own folder. */
async function loadFile(session: number, { file, sha256: expected }: OnnxFile, options: LoadOptions) {
  const { bytes: model, sha256 } = readOnnxFile(file);
  const result: Calls['loadFile']['result'] = { sha256, ports: undefined };
  if (sha256 !== expected) return result;
  const created = await createSession({ model, weightsRoot: dirname(file), residency: 'fast' }, options);
  sessions.set(session, created);
  return {
    sha256,
    ports: { inputs: created.inputMetadata.map(portOf), outputs: created.outputMetadata.map(portOf) },
  };
}

function portOf(value: Ort.InferenceSession.ValueMetadata): OpenPort {
  if (!value.isTensor) return { name: value.name, dtype: 'none', dims: [] };
  const dims = value.shape.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : null));
  return { name: value.name, dtype: value.type, dims };
}

async function run({ session, inputs, outputs, keep }: Calls['run']['args']) {
  const feeds: Record<string, Ort.Tensor> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const { dtype, dims, data } = resources.resolve(input);
    feeds[name] = new ort.Tensor(dtype as 'float32', data as Float32Array, dims);
  }
  const results = await sessionOf(session).run(feeds, [...outputs, ...Object.keys(keep)]);
  for (const [name, reference] of Object.entries(keep)) resources.keep(reference, fromOrt(results[name] as Ort.Tensor));
  return Object.fromEntries(outputs.map((name) => [name, fromOrt(results[name] as Ort.Tensor)]));
}

function fromOrt(tensor: Ort.Tensor): Tensor {
  const data = tensor.data as TensorData;
  return { dtype: tensor.type as DType, dims: [...tensor.dims], data };
}

function sessionOf(id: number): Ort.InferenceSession {
  const session = sessions.get(id);
  if (!session) throw new Error(`there is no session ${id}`);
  return session;
}

async function answer(request: Request) {
  switch (request.call) {
    case 'open':
      return open(request.args);
    case 'load':
      sessions.set(request.args.session, await createSession(request.args.graph, request.args.options));
      return undefined;
    case 'loadFile':
      return loadFile(request.args.session, request.args.source, request.args.options);
    case 'release':
      await sessions.get(request.args.session)?.release();
      sessions.delete(request.args.session);
      return undefined;
    case 'define':
      return resources.define(request.args.name, request.args.source);
    case 'forget':
      return resources.forget(request.args.name, request.args.rows);
    case 'run':
      return run(request.args);
    case 'memory':
      return { rssBytes: process.memoryUsage.rss(), peakRssBytes: process.resourceUsage().maxRSS * 1024 };
  }
}

function send(reply: Reply): void {
  process.send?.(reply);
}

let queue: Promise<void> = Promise.resolve();
process.on('message', (request: Request) => {
  queue = queue.then(async () => {
    const startMs = monotonicMs();
    try {
      const result = await answer(request);
      send({ id: request.id, ok: true, span: { startMs, endMs: monotonicMs() }, result: result ?? undefined });
    } catch (error) {
      send({ id: request.id, ok: false, message: error instanceof Error ? error.message : String(error) });
    }
  });
});
