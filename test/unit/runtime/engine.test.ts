import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { Graph } from '#dist/models/onnx/graph.js';
import { Module, Parameter } from '#dist/models/onnx/module.js';
import { cast, matmul, mul, scalar } from '#dist/models/onnx/ops.js';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { missingCudaLibraries } from '#dist/models/runtime/providers.js';
import { tryProvider } from '#dist/models/runtime/try-provider.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';

let dir: string;
let engine: Engine;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'engine-'));
  engine = await createEngine({ provider: 'cpu', threads: 1 });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const graphOptions = { residency: 'fast', target: 'cpu' } as const;

/** y = 3 x for x float32 [2, 2]; z = x. */
function triple(): BuiltGraph {
  const graph = new Graph({ name: 'triple', ...graphOptions });
  const x = graph.input('x', 'float32', [2, 2]);
  graph.output('y', mul(x, scalar(x, 3)));
  graph.output('z', x);
  return graph.finish();
}

/** uint8 maps [2, 3, 2] as float32. */
function asFloats(): BuiltGraph {
  const graph = new Graph({ name: 'as-floats', ...graphOptions });
  graph.output('y', cast(graph.input('maps', 'uint8', [2, 3, 2]), 'float32'));
  return graph.finish();
}

/** Minutes of matrix products: something to interrupt. */
function endless(): BuiltGraph {
  const graph = new Graph({ name: 'endless', ...graphOptions });
  const x = graph.input('x', 'float32', [1024, 1024]);
  let y = x;
  for (let i = 0; i < 4000; i++) y = matmul(y, x);
  graph.output('y', y);
  return graph.finish();
}

const endlessInput = { x: floatTensor([1024, 1024]) };

describe('the telemetry of onnxruntime', () => {
  it('is off: it would keep an identifier in the cache and a log among the temporary files', async () => {
    const before = { ...process.env };
    const places = { TMPDIR: join(dir, 'tmp'), HOME: join(dir, 'home'), XDG_CACHE_HOME: join(dir, 'cache') };
    for (const place of Object.values(places)) await mkdir(place);
    try {
      Object.assign(process.env, places);
      await using own = await createEngine({ provider: 'cpu', threads: 1 });
      await own.run(await own.load(triple()), { x: floatTensor([2, 2]) });
    } finally {
      process.env = before;
    }
    for (const place of Object.values(places)) expect(await readdir(place), place).toEqual([]);
  });
});

/** An engine inside an endless run; the run has been given time to begin. */
async function busyEngine(signal?: AbortSignal) {
  const busy = await createEngine({ provider: 'cpu', threads: 1 });
  const session = await busy.load(endless());
  const run = busy.run(session, endlessInput, { signal }).then(
    () => new Error('the run ended by itself'),
    (error: unknown) => error,
  );
  await sleep(200);
  return { busy, session, run };
}

/** Resolves when there is no such process (an orphan may stay a zombie where nobody collects it). */
async function processGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
      if (process.platform === 'linux' && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
    } catch {
      return;
    }
    await sleep(20);
  }
}

describe('running', () => {
  it('gives the outputs with their shapes, all or those asked for, the same bytes every time', async () => {
    const session = await engine.load(triple());
    const x = floatTensor([2, 2], Float32Array.of(1, 2, 3, 4));
    const first = await engine.run(session, { x });
    expect(first).toEqual({ y: floatTensor([2, 2], Float32Array.of(3, 6, 9, 12)), z: x });
    expect(await engine.run(session, { x })).toEqual(first);
    expect(Object.keys(await engine.run(session, { x }, { outputs: ['z'] }))).toEqual(['z']);
    await engine.release(session);
    await expect(engine.run(session, { x })).rejects.toMatchObject({ code: 'engine.released' });
  });

  it('takes views into larger buffers', async () => {
    const session = await engine.load(triple());
    const x = floatTensor([2, 2], Float32Array.of(0, 0, 0, 1, 2, 3, 4).subarray(3));
    expect((await engine.run(session, { x })).y!.data).toEqual(Float32Array.of(3, 6, 9, 12));
    await engine.release(session);
  });

  it('answers in order, also when nobody waits in between', async () => {
    const session = await engine.load(triple());
    void engine.define('a', floatTensor([2, 2], Float32Array.of(1, 1, 1, 1)));
    const first = engine.run(session, { x: { ref: 'a' } });
    void engine.define('a', floatTensor([2, 2], Float32Array.of(2, 2, 2, 2)));
    const second = engine.run(session, { x: { ref: 'a' } });
    expect([(await first).y!.data[0], (await second).y!.data[0]]).toEqual([3, 6]);
    await engine.forget('a');
    await expect(engine.run(session, { x: { ref: 'a' } })).rejects.toThrow(/a, which is not defined/);
    await engine.release(session);
  });

  it('reads float16 weights in place and hands halves back as Uint16Array', async () => {
    class Scale extends Module {
      weight = new Parameter([2]);
    }
    const path = join(dir, 'scale.safetensors');
    const data = Uint16Array.of(0x4000, 0x3800);
    await writeSafetensors(path, [{ name: 'weight', dtype: 'float16', shape: [2], data }]);
    const graph = new Graph({ name: 'scale', ...graphOptions });
    const scale = new Scale();
    graph.bind(scale, await openSafetensors(path), 'scale');
    const x = graph.input('x', 'float32', [2]);
    const y = mul(x, graph.parameter(scale.weight));
    graph.output('y', y);
    graph.output(
      'half',
      graph.add({ op: 'Cast', inputs: [y], attributes: { to: 10 }, outputs: [{ dtype: 'float16', dims: [2] }] })[0]!,
    );
    const session = await engine.load(graph.finish());
    const result = await engine.run(session, { x: floatTensor([2], Float32Array.of(3, 4)) });
    expect(result.y!.data).toEqual(Float32Array.of(6, 2));
    expect(result.half).toEqual({ dtype: 'float16', dims: [2], data: Uint16Array.of(0x4600, 0x4000) });
    await engine.release(session);
  });

  it('writes the time of every operator when a profiled graph is released', async () => {
    const session = await engine.load(triple(), { profilePrefix: join(dir, 'profile') });
    for (let i = 0; i < 2; i++) await engine.run(session, { x: floatTensor([2, 2]) });
    await engine.release(session);
    const [file] = (await readdir(dir)).filter((name) => name.startsWith('profile'));
    const events = JSON.parse(readFileSync(join(dir, file!), 'utf8')) as { cat: string; args?: { op_name?: string } }[];
    expect(events.filter(({ cat, args }) => cat === 'Node' && args?.op_name === 'Mul')).toHaveLength(2);
  });

  it('reports memory', async () => {
    const { rssBytes, peakRssBytes } = await engine.memory();
    expect(rssBytes).toBeGreaterThan(10e6);
    expect(peakRssBytes).toBeGreaterThanOrEqual(rssBytes * 0.9);
  });
});

describe('named tensors', () => {
  const maps = byteTensor(
    [4, 3, 2],
    Uint8Array.from({ length: 24 }, (_, i) => i),
  );
  const rowsOf = (...rows: number[]) =>
    Float32Array.from(rows.flatMap((row) => [0, 1, 2, 3, 4, 5].map((i) => row * 6 + i)));

  it('gathers rows, in any order and repeated, from memory and from a file', async () => {
    const file = join(dir, 'maps.raw');
    await writeFile(file, Buffer.concat([Buffer.from('head'), maps.data]));
    await engine.define('memory', maps);
    await engine.define('file', { file, dtype: 'uint8', dims: [4, 3, 2], offset: 4 });
    const session = await engine.load(asFloats());
    for (const ref of ['memory', 'file']) {
      for (const rows of [
        [0, 1],
        [3, 0],
        [2, 2],
      ]) {
        const { y } = await engine.run(session, { maps: { ref, rows } });
        expect(y).toEqual(floatTensor([2, 3, 2], rowsOf(...rows)));
      }
    }
    await engine.define('two', { file, dtype: 'uint8', dims: [2, 3, 2], offset: 10 });
    expect((await engine.run(session, { maps: { ref: 'two' } })).y!.data).toEqual(rowsOf(1, 2));
    await engine.release(session);
  });

  it('does not hold a file in memory', async () => {
    // Sparse on most file systems: 400 MB that must not be read.
    const file = join(dir, 'long.raw');
    const { truncate } = await import('node:fs/promises');
    await writeFile(file, maps.data);
    await truncate(file, 400e6);
    const before = (await engine.memory()).rssBytes;
    const rows = Math.floor(400e6 / 6);
    await engine.define('long', { file, dtype: 'uint8', dims: [rows, 3, 2] });
    const session = await engine.load(asFloats());
    const { y } = await engine.run(session, { maps: { ref: 'long', rows: [1, rows - 1] } });
    expect(y!.data).toEqual(Float32Array.of(6, 7, 8, 9, 10, 11, 0, 0, 0, 0, 0, 0));
    expect((await engine.memory()).rssBytes - before).toBeLessThan(100e6);
    await engine.release(session);
  });

  it('refuses a file that is too short or not there', async () => {
    const file = join(dir, 'short.raw');
    await writeFile(file, 'abc');
    await expect(engine.define('short', { file, dtype: 'uint8', dims: [4, 3, 2] })).rejects.toThrow(
      /holds 3 bytes.*24/,
    );
    await expect(
      engine.define('absent', { file: join(dir, 'absent'), dtype: 'uint8', dims: [1] }),
    ).rejects.toMatchObject({
      code: 'engine.define',
    });
  });
});

describe('wrong inputs', () => {
  it('keeps rows of outputs for later runs, until they are forgotten', async () => {
    const session = await engine.load(triple());
    await engine.define('kept', { rows: 'kept', dtype: 'float32', dims: [5, 2] });
    const x = floatTensor([2, 2], Float32Array.of(1, 2, 3, 4));
    const first = await engine.run(session, { x }, { keep: { y: { ref: 'kept', rows: [4, 1] } } });
    expect(Object.keys(first)).toEqual(['z']);
    const again = async (...rows: number[]) =>
      (await engine.run(session, { x: { ref: 'kept', rows } }, { outputs: ['z'] })).z!.data;
    expect(await again(1, 4)).toEqual(Float32Array.of(9, 12, 3, 6));
    await engine.run(session, { x }, { outputs: [], keep: { z: { ref: 'kept', rows: [1, 0] } } });
    expect(await again(1, 0)).toEqual(Float32Array.of(1, 2, 3, 4));
    await engine.forget('kept', [4, 3]);
    await expect(again(1, 4)).rejects.toThrow(/row 4 of kept is not kept/);
    expect(await again(1, 1)).toEqual(Float32Array.of(1, 2, 1, 2));
    const keep = (ref: string, rows: number[]) => engine.run(session, { x }, { keep: { y: { ref, rows } } });
    await expect(keep('kept', [0])).rejects.toThrow(/output y does not fit kept/);
    await expect(keep('kept', [0, 5])).rejects.toThrow(/output y wants row 5 of kept/);
    await expect(keep('none', [0, 1])).rejects.toThrow(/refers to none/);
    await engine.forget('kept');
    await expect(again(1, 1)).rejects.toThrow(/kept, which is not defined/);
    await engine.release(session);
  });

  it('says what is wrong before anything runs', async () => {
    const session = await engine.load(triple());
    await engine.define('rows', floatTensor([3, 2]));
    const wrong: [Parameters<Engine['run']>[1], RegExp][] = [
      [{}, /graph triple: input x is missing \(expected float32 \[2, 2\]\)/],
      [{ x: floatTensor([2, 3]) }, /input x does not fit \(got float32 \[2, 3\], expected float32 \[2, 2\]\)/],
      [{ x: byteTensor([2, 2]) }, /got uint8 \[2, 2\]/],
      [{ x: floatTensor([2, 2]), w: floatTensor([1]) }, /has no input w \(expected one of x\)/],
      [{ x: { dtype: 'float32', dims: [2, 2], data: new Float32Array(3) } }, /input x has 3 values/],
      [{ x: { ref: 'nobody' } }, /refers to nobody, which is not defined/],
      [{ x: { ref: 'rows', rows: [0, 3] } }, /row 3 of rows \(expected 0 to 2\)/],
      [{ x: { ref: 'rows', rows: [0] } }, /got float32 \[1, 2\]/],
    ];
    for (const [inputs, message] of wrong) await expect(engine.run(session, inputs)).rejects.toThrow(message);
    await expect(engine.run(session, { x: floatTensor([2, 2]) }, { outputs: ['q'] })).rejects.toThrow(/no output q/);
    await engine.release(session);
  });

  it('refuses a graph the runtime cannot read, and lives on', async () => {
    const broken = { ...triple(), model: Uint8Array.of(1, 2, 3) };
    await expect(engine.load(broken)).rejects.toMatchObject({ code: 'engine.load', kind: 'model' });
    await engine.release(await engine.load(triple()));
  });
});

describe('ends', () => {
  it.each(['SIGKILL', 'SIGSEGV'] as const)('tells every call of an engine ended by %s', async (signal) => {
    const { busy, session, run } = await busyEngine();
    const later = busy.memory().catch((error: unknown) => error);
    process.kill(busy.info.pid, signal);
    const expected = { code: 'engine.crashed', kind: 'device', message: expect.stringContaining(`ended by ${signal}`) };
    expect(await run).toMatchObject(expected);
    expect(await later).toMatchObject(expected);
    await expect(busy.run(session, endlessInput)).rejects.toMatchObject(expected);
    await busy[Symbol.asyncDispose]();
  });

  it('is killed by cancelling a run', async () => {
    const stop = new AbortController();
    const { busy, session, run } = await busyEngine(stop.signal);
    stop.abort(new Error('enough'));
    expect(await run).toMatchObject({ code: 'engine.cancelled', kind: 'interrupted', cause: new Error('enough') });
    await processGone(busy.info.pid);
    await expect(busy.run(session, endlessInput)).rejects.toMatchObject({ code: 'engine.cancelled' });
  });

  it('does not start a run that was cancelled before, and lives on', async () => {
    const session = await engine.load(triple());
    const x = floatTensor([2, 2]);
    await expect(engine.run(session, { x }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'engine.cancelled',
    });
    expect((await engine.run(session, { x })).z).toEqual(x);
    await engine.release(session);
  });

  it('ends when disposed and when its own signal says so, others live on', async () => {
    const stop = new AbortController();
    const [one, two] = await Promise.all([
      createEngine({ provider: 'cpu', threads: 1 }),
      createEngine({ provider: 'cpu', threads: 1, signal: stop.signal }),
    ]);
    expect(one.info.pid).not.toBe(two.info.pid);
    const waiting = one.load(endless()).catch((error: unknown) => error);
    await one[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: 'engine.closed' });
    await processGone(one.info.pid);
    await one[Symbol.asyncDispose]();
    expect((await two.memory()).rssBytes).toBeGreaterThan(0);
    stop.abort();
    await processGone(two.info.pid);
    await expect(two.memory()).rejects.toMatchObject({ code: 'engine.cancelled' });
    await expect(createEngine({ provider: 'cpu', signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'engine.cancelled',
    });
  });
});

describe('the program that started it', () => {
  const script = (body: string) => `
    import { createEngine } from ${JSON.stringify(new URL('../../../dist/models/runtime/engine.js', import.meta.url).href)};
    import { Graph } from ${JSON.stringify(new URL('../../../dist/models/onnx/graph.js', import.meta.url).href)};
    import { matmul } from ${JSON.stringify(new URL('../../../dist/models/onnx/ops.js', import.meta.url).href)};
    const engine = await createEngine({ provider: 'cpu', threads: 1 });
    ${body}`;
  const start = (body: string) =>
    spawn(process.execPath, ['--input-type=module', '-e', script(body)], { stdio: ['ignore', 'pipe', 'inherit'] });

  it('may end without disposing: nothing keeps it, nothing is left', async () => {
    const parent = start(`console.log(engine.info.pid);`);
    const [[text], [code]] = await Promise.all([once(parent.stdout, 'data'), once(parent, 'exit')]);
    expect(code).toBe(0);
    await processGone(Number(text));
  });

  it('may be killed while the engine computes', async () => {
    const parent = start(`
      const graph = new Graph({ name: 'endless', residency: 'fast', target: 'cpu' });
      const x = graph.input('x', 'float32', [1024, 1024]);
      let y = x;
      for (let i = 0; i < 4000; i++) y = matmul(y, x);
      graph.output('y', y);
      const session = await engine.load(graph.finish());
      setTimeout(() => console.log(engine.info.pid), 200);
      await engine.run(session, { x: { dtype: 'float32', dims: [1024, 1024], data: new Float32Array(1024 * 1024) } });`);
    const [text] = await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    await processGone(Number(text));
  });

  it('waits for a call, though an engine does not keep it alive', async () => {
    const parent = start(`const { rssBytes } = await engine.memory(); process.exitCode = rssBytes > 0 ? 7 : 1;`);
    const [code] = await once(parent, 'exit');
    expect(code).toBe(7);
  });
});

describe('providers', () => {
  it.runIf(missingCudaLibraries().length > 0)('says what CUDA lacks and what to type', async () => {
    await expect(createEngine({ provider: 'cuda' })).rejects.toMatchObject({
      code: 'device.unavailable',
      kind: 'device',
      message: expect.stringContaining('cuda cannot be used'),
      details: { hint: expect.stringMatching(/pantomime setup cuda|--device cpu/) },
    });
  });

  it('gives WebGPU or an error about WebGPU, never another provider', async () => {
    const outcome: unknown = await createEngine({ provider: 'webgpu' }).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'device.unavailable', kind: 'device' });
    else {
      expect((outcome as Engine).info.provider).toBe('webgpu');
      await (outcome as Engine)[Symbol.asyncDispose]();
    }
  });

  it('reports what there is', async () => {
    const cpu = await tryProvider('cpu');
    expect(cpu).toMatchObject({ available: true, info: { runtimeVersion: expect.stringMatching(/^\d+\.\d+/) } });
    if (cpu.available) expect(cpu.info.providers).toContain('cpu');
    const cuda = await tryProvider('cuda');
    if (!cuda.available) expect(cuda.why).toContain('cuda cannot be used');
    await expect(tryProvider('cpu', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});
