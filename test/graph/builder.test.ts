import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Conv2d, GroupNorm, Linear } from '#dist/models/blocks/layers.js';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { type SafetensorsEntry, writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { PantomimeError } from '#dist/models/errors.js';
import { floatsToBfloats, floatsToHalves, floatToHalf, halfToFloat } from '#dist/models/half.js';
import type { Residency } from '#dist/models/onnx/built-graph.js';
import { Graph, type Value } from '#dist/models/onnx/graph.js';
import { listParameters, Module } from '#dist/models/onnx/module.js';
import { dim, reshape, silu, transpose } from '#dist/models/onnx/ops.js';
import { floatTensor, sizeOf } from '#dist/models/tensor.js';
import { relativeL2, runGraph } from '../support/run-graph.js';
import { someFloats } from '../support/tensors.js';

/** A network with one of each: convolution, norm, linear, in an array with a hole. */
class Net extends Module {
  readonly conv = new Conv2d(4, 64, { stride: 2 });
  readonly norm = new GroupNorm(8, 64, 1e-5);
  readonly layers: (Linear | undefined)[] = [new Linear(64, 128), undefined, new Linear(128, 8, { bias: false })];

  forward(x: Value): Value {
    const h = silu(this.norm.forward(this.conv.forward(x)));
    const rows = transpose(reshape(h, [dim(h, 0), dim(h, 1), -1]), [0, 2, 1]);
    return this.layers.reduce((y, layer) => layer?.forward(y) ?? y, rows);
  }
}

const weights = new Map(
  [...listParameters(new Net())].map(([name, shape], i) => {
    const values = someFloats(sizeOf(shape), i + 1).map((value) => halfToFloat(floatToHalf(value / 4)));
    return [name, { shape, values }] as const;
  }),
);
const input = someFloats(2 * 4 * 6 * 8, 99);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function checkpoint(name: string, entries: readonly SafetensorsEntry[]): Promise<Checkpoint> {
  const path = join(folder, name);
  await writeSafetensors(path, entries);
  return openSafetensors(path);
}

const stored = {
  float32: (values: Float32Array) => values,
  float16: floatsToHalves,
  bfloat16: floatsToBfloats,
};

const netEntries = (dtype: keyof typeof stored): SafetensorsEntry[] =>
  [...weights].map(([name, { shape, values }]) => ({ name, dtype, shape, data: stored[dtype](values) }));

async function runNet(file: Checkpoint, residency: Residency) {
  const graph = new Graph({ name: 'net', residency, target: 'cpu' });
  const net = new Net();
  graph.bind(net, file, 'net');
  graph.output('y', net.forward(graph.input('x', 'float32', [2, 4, 6, 8])));
  const built = graph.finish();
  const { y } = await runGraph(built, { x: floatTensor([2, 4, 6, 8], input) });
  return { built, y: y! };
}

/** The same network in plain loops, double precision. */
function expected(): number[] {
  const weight = (name: string) => weights.get(name)!.values;
  const conv = new Float64Array(2 * 64 * 3 * 4);
  conv.forEach((_, index) => {
    const [n, o, row, column] = [index / 768, (index / 12) % 64, (index / 4) % 3, index % 4].map(
      Math.floor,
    ) as number[];
    let sum = weight('conv.bias')[o!]!;
    for (let c = 0; c < 4; c++)
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++) {
          const [y, x] = [row! * 2 + i - 1, column! * 2 + j - 1];
          if (y < 0 || x < 0 || y >= 6 || x >= 8) continue;
          sum += input[((n! * 4 + c) * 6 + y) * 8 + x]! * weight('conv.weight')[((o! * 4 + c) * 3 + i) * 3 + j]!;
        }
    conv[index] = sum;
  });
  const size = 8 * 12;
  for (let start = 0; start < conv.length; start += size) {
    const group = conv.subarray(start, start + size);
    const mean = group.reduce((a, b) => a + b) / size;
    const deviation = Math.sqrt(group.reduce((a, b) => a + (b - mean) ** 2, 0) / size + 1e-5);
    group.forEach((value, i) => {
      const channel = Math.floor(((start + i) / 12) % 64);
      const y = ((value - mean) / deviation) * weight('norm.weight')[channel]! + weight('norm.bias')[channel]!;
      group[i] = y / (1 + Math.exp(-y));
    });
  }
  const out: number[] = [];
  for (let n = 0; n < 2; n++)
    for (let p = 0; p < 12; p++) {
      const hidden = Array.from({ length: 128 }, (_, o) => {
        let sum = weight('layers.0.bias')[o]!;
        for (let c = 0; c < 64; c++) sum += conv[(n * 64 + c) * 12 + p]! * weight('layers.0.weight')[o * 64 + c]!;
        return sum;
      });
      for (let o = 0; o < 8; o++)
        out.push(hidden.reduce((sum, h, c) => sum + h * weight('layers.2.weight')[o * 128 + c]!, 0));
    }
  return out;
}

test.each(['fast', 'low-memory'] as const)(
  'matrices stored transposed are read as what they are (%s)',
  async (residency) => {
    const turned = (name: string): boolean => name.startsWith('layers.') && name.endsWith('weight');
    const entries = [...weights].map(([name, { shape, values }]): SafetensorsEntry => {
      const [rows = 1, columns = 1] = shape;
      const flipped = values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
      return turned(name)
        ? { name, dtype: 'float16', shape: [columns, rows], data: floatsToHalves(flipped) }
        : { name, dtype: 'float16', shape, data: floatsToHalves(values) };
    });
    const { tensors, sources } = await checkpoint(`turned-${residency}.safetensors`, entries);
    const located = [...tensors].map(([name, location]) => {
      const shape = location.shape.toReversed();
      return [name, turned(name) ? { ...location, shape, transposed: true as const } : location] as const;
    });
    const { y } = await runNet({ tensors: new Map(located), sources }, residency);
    expect(relativeL2(y.data, expected())).toBeLessThan(1e-5);
    const [name, location] = located.find(([name]) => turned(name))!;
    expect((await readTensor(location)).data).toEqual(weights.get(name)!.values);
  },
);

test.each([
  ['float32', 'fast', 1e-6],
  ['float32', 'low-memory', 1e-6],
  ['float16', 'fast', 1e-6],
  ['float16', 'low-memory', 1e-6],
  ['bfloat16', 'fast', 2e-2],
] as const)('a network over %s weights in place, %s', async (dtype, residency, tolerance) => {
  const { built, y } = await runNet(await checkpoint(`${dtype}.safetensors`, netEntries(dtype)), residency);
  expect(y.dims).toEqual([2, 12, 8]);
  expect(relativeL2(y.data, expected())).toBeLessThan(tolerance);
  const elements = [...weights.values()].reduce((sum, { values }) => sum + values.length, 0);
  expect(built.weightBytes).toBe(elements * (dtype === 'float32' ? 4 : 2));
  // The weights are not in the model.
  expect(built.model.length).toBeLessThan(6000);
});

test('the key check is strict both ways and says what is wrong', async () => {
  const entries = netEntries('float32')
    .filter(({ name }) => name !== 'norm.bias')
    .map((entry) => (entry.name === 'conv.bias' ? { ...entry, shape: [8, 8] } : entry));
  const file = await checkpoint('wrong.safetensors', [
    ...entries,
    { name: 'layers.1.weight', dtype: 'float16', shape: [1], data: new Uint16Array(1) },
  ]);
  const error = await runNet(file, 'fast').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PantomimeError);
  expect(error).toMatchObject({ code: 'model.mismatch', kind: 'model' });
  expect((error as PantomimeError).message).toContain('1 missing (norm.bias)');
  expect((error as PantomimeError).message).toContain('1 unexpected (layers.1.weight)');
  expect((error as PantomimeError).message).toContain('conv.bias is [8, 8], not [64]');
});

test('weights may lie in several folders', async () => {
  const entries = netEntries('float16');
  const { mkdir } = await import('node:fs/promises');
  await mkdir(join(folder, 'a/b'), { recursive: true });
  await mkdir(join(folder, 'a/c'), { recursive: true });
  const first = await checkpoint('a/b/one.safetensors', entries.slice(0, 3));
  const second = await checkpoint('a/c/two.safetensors', entries.slice(3));
  const joined = { tensors: new Map([...first.tensors, ...second.tensors]), sources: [] };
  const { built, y } = await runNet(joined, 'fast');
  expect(built.weightsRoot.endsWith(join('a'))).toBe(true);
  expect(relativeL2(y.data, expected())).toBeLessThan(1e-6);
});
