import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Graph } from '#dist/models/onnx/graph.js';
import { writeModel } from '#dist/models/onnx/model-proto.js';
import { cast, mul, scalar } from '#dist/models/onnx/ops.js';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { maxOnnxFileBytes } from '#dist/models/runtime/onnx-file.js';
import { keepWarm } from '#dist/models/runtime/warm-engine.js';
import { floatTensor } from '#dist/models/tensor.js';

let dir: string;
let engine: Engine;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'onnx-file-'));
  engine = await createEngine({ provider: 'cpu', threads: 1 });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

/** y = 3 x for x float32 [rows, 2]; -1 leaves the rows open. */
function triple(rows: number): Uint8Array {
  const graph = new Graph({ name: 'triple', residency: 'fast', target: 'cpu' });
  const x = graph.input('x', 'float32', [rows, 2]);
  graph.output('y', mul(x, scalar(x, 3)));
  graph.output('whole', cast(x, 'int64'));
  return graph.finish().model;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function put(name: string, bytes: Uint8Array) {
  const file = join(dir, name);
  await writeFile(file, bytes);
  return { file, sha256: sha256(bytes) };
}

const rows = (...values: number[]) => floatTensor([values.length / 2, 2], Float32Array.from(values));

describe('a model from an ONNX file', () => {
  it('is loaded, tells its ports, runs any size that it leaves open, and is freed', async () => {
    const loaded = await engine.loadFile(await put('open.onnx', triple(-1)));
    expect(loaded.inputs).toEqual([{ name: 'x', dtype: 'float32', dims: [null, 2] }]);
    expect(loaded.outputs).toEqual([
      { name: 'y', dtype: 'float32', dims: [null, 2] },
      { name: 'whole', dtype: 'int64', dims: [null, 2] },
    ]);
    const run = (...values: number[]) => engine.run(loaded.session, { x: rows(...values) }, { outputs: ['y'] });
    expect((await run(1, 2)).y).toEqual(rows(3, 6));
    expect((await run(1, 2, 3, 4, 5, 6)).y).toEqual(rows(3, 6, 9, 12, 15, 18));
    await expect(engine.run(loaded.session, { x: floatTensor([2, 3]) })).rejects.toMatchObject({
      code: 'engine.input',
      details: { got: 'float32 [2, 3]', expected: 'float32 [any, 2]', where: 'graph open.onnx' },
    });
    await engine.release(loaded.session);
    await expect(run(1, 2)).rejects.toMatchObject({ code: 'engine.released' });
  });

  it('of fixed sizes takes only those', async () => {
    const { session, inputs } = await engine.loadFile(await put('fixed.onnx', triple(1)));
    expect(inputs[0]!.dims).toEqual([1, 2]);
    await expect(engine.run(session, { x: rows(1, 2, 3, 4) })).rejects.toMatchObject({ code: 'engine.input' });
    await engine.release(session);
  });

  it('is refused when it holds something else than it should, and the engine goes on', async () => {
    const source = await put('changed.onnx', triple(1));
    await writeFile(source.file, triple(2));
    await expect(engine.loadFile(source)).rejects.toMatchObject({
      code: 'engine.file-changed',
      kind: 'model',
      details: { where: source.file, got: `sha256 ${sha256(triple(2))}`, expected: source.sha256 },
    });
    const { session } = await engine.loadFile({ ...source, sha256: sha256(triple(2)) });
    await engine.release(session);
  });

  it('is refused when it is no model, no file, empty, cut off or too large', async () => {
    const bytes = triple(1);
    const large = await put('large.onnx', bytes);
    await truncate(large.file, maxOnnxFileBytes + 1); // takes no room on the disk
    await mkdir(join(dir, 'folder.onnx'));
    const cases = [
      [
        await put(
          'garbage.onnx',
          Uint8Array.from({ length: 999 }, (_, i) => (i * 7919) % 251),
        ),
        /./,
      ],
      [await put('cut.onnx', bytes.subarray(0, bytes.length >> 1)), /./],
      [await put('empty.onnx', new Uint8Array(0)), /is empty/],
      [{ ...large, file: join(dir, 'folder.onnx') }, /is not a file/],
      [{ ...large, file: join(dir, 'missing.onnx') }, /ENOENT/],
      [large, /over the limit of 2147483647 \(maxOnnxFileBytes\)/],
    ] as const;
    for (const [source, message] of cases) {
      const error = await engine.loadFile(source).catch((thrown: unknown) => thrown);
      expect(error, source.file).toMatchObject({ code: 'engine.load', kind: 'model', details: { where: source.file } });
      expect((error as Error).message).toMatch(message);
    }
  });

  it('reads weights beside it, and none from outside its folder', async () => {
    await mkdir(join(dir, 'inside'));
    const numbers = Buffer.from(Float32Array.of(5, 7).buffer);
    await writeFile(join(dir, 'inside', 'weights.bin'), numbers);
    await writeFile(join(dir, 'secret.bin'), numbers);
    await symlink(join(dir, 'secret.bin'), join(dir, 'inside', 'linked.bin'));
    /** @param weights 13 characters */
    const model = (weights: string) => {
      const folder = join(dir, 'inside');
      const bytes = writeModel({
        name: 'outside',
        nodes: [{ op: 'Add', domain: '', inputs: ['x', 'w'], outputs: ['y'], attributes: {} }],
        initializers: [
          {
            name: 'w',
            dtype: 'float32',
            dims: [2],
            external: { file: join(folder, 'XXXXXXXXXXXXX'), offset: 0, byteLength: 8 },
          },
        ],
        inputs: [{ name: 'x', dtype: 'float32', dims: [2] }],
        outputs: [{ name: 'y', dtype: 'float32', dims: [2] }],
        weightsRoot: folder,
      });
      // The writer itself refuses such places.
      const text = Buffer.from(bytes).toString('latin1').replace('XXXXXXXXXXXXX', weights);
      return Buffer.from(text, 'latin1');
    };
    const load = async (weights: string) => engine.loadFile(await put('inside/model.onnx', model(weights)));
    const { session } = await load('./weights.bin');
    const { y } = await engine.run(session, { x: floatTensor([2]) });
    expect(y!.data).toEqual(Float32Array.of(5, 7));
    await engine.release(session);
    for (const place of ['../secret.bin', './/linked.bin', '/etc/hostname']) {
      const error = await load(place).catch((thrown: unknown) => thrown);
      expect(error, place).toMatchObject({ code: 'engine.load' });
      expect((error as Error).message).toMatch(/escapes model directory|Absolute path not allowed/);
    }
  });

  it('is freed by an engine that keeps graphs warm, too', async () => {
    const warm = keepWarm(engine, 2 ** 30);
    const { session } = await warm.loadFile(await put('warm.onnx', triple(1)));
    await warm.release(session);
    await expect(warm.run(session, { x: rows(1, 2) })).rejects.toMatchObject({ code: 'engine.released' });
  });
});
