import { describe, expect, test } from 'vitest';
import { sinusoids } from '#dist/models/blocks/embeddings.js';
import { adaptiveAvgPool, injectControls } from '#dist/models/controlnext/inject.js';
import { posePixels } from '#dist/models/graphs/pose-pixels.js';
import type { Target } from '#dist/models/onnx/built-graph.js';
import { Graph, type Value } from '#dist/models/onnx/graph.js';
import * as op from '#dist/models/onnx/ops.js';
import { byteTensor, type FloatTensor, floatTensor, sizeOf, type Tensor } from '#dist/models/tensor.js';
import { fixture } from '../support/fixtures.js';
import { relativeL2, runGraph } from '../support/run-graph.js';
import { openFixture, someFloats } from '../support/tensors.js';

/** Runs operators over given inputs; checks that the shape promised by the builder is the shape that comes out. */
async function evaluate(inputs: readonly Tensor[], build: (...values: Value[]) => Value, target: Target = 'cpu') {
  const graph = new Graph({ name: 'ops', residency: 'fast', target });
  const values = inputs.map(({ dtype, dims }, i) => graph.input(`x${i}`, dtype, dims));
  graph.output('y', build(...values));
  const built = graph.finish();
  const { y } = await runGraph(built, Object.fromEntries(inputs.map((tensor, i) => [`x${i}`, tensor])));
  expect(y!.dims).toEqual(built.outputs[0]!.dims);
  expect(y!.dtype).toBe(built.outputs[0]!.dtype);
  return y as FloatTensor;
}

const some = (dims: readonly number[], seed = 1) => floatTensor(dims, someFloats(sizeOf(dims), seed));

/** Values of all index tuples of a shape, last index fastest. */
function over(dims: readonly number[], value: (...index: number[]) => number): number[] {
  return Array.from({ length: sizeOf(dims) }, (_, flat) => {
    const index: number[] = [];
    let rest = flat;
    for (const dim of dims.toReversed()) {
      index.unshift(rest % dim);
      rest = Math.floor(rest / dim);
    }
    return value(...index);
  });
}

const at = ({ dims, data }: FloatTensor, ...index: number[]) =>
  data[index.reduce((flat, i, axis) => flat * dims[axis]! + i, 0)]!;

function close(got: FloatTensor, expected: readonly number[], tolerance = 1e-6) {
  expect(relativeL2(got.data, expected)).toBeLessThan(tolerance);
}

describe('elementwise', () => {
  const [a, b] = [some([2, 3, 4]), some([3, 1], 2)];
  test.each([
    ['add', op.add, (x: number, y: number) => x + y],
    ['sub', op.sub, (x: number, y: number) => x - y],
    ['mul', op.mul, (x: number, y: number) => x * y],
    ['div', op.div, (x: number, y: number) => x / y],
  ] as const)('%s broadcasts', async (_name, build, plain) => {
    close(
      await evaluate([a, b], build),
      over([2, 3, 4], (i, j, k) => plain(at(a, i, j, k), at(b, j, 0))),
    );
  });

  const erf = (x: number) => {
    // Series of the error function; converges everywhere.
    let [sum, term] = [0, x];
    for (let n = 0; n < 60; n++) {
      sum += term / (2 * n + 1);
      term *= (-x * x) / (n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  };
  test.each([
    ['silu', op.silu, (x: number) => x / (1 + Math.exp(-x))],
    ['quickGelu', op.quickGelu, (x: number) => x / (1 + Math.exp(-1.702 * x))],
    ['gelu', op.gelu, (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2))],
    ['relu', op.relu, (x: number) => Math.max(x, 0)],
    ['clip', (x: Value) => op.clip(x, -0.25, 0.5), (x: number) => Math.min(Math.max(x, -0.25), 0.5)],
  ] as const)('%s', async (_name, build, plain) => {
    close(await evaluate([a], (x) => build(x)), [...a.data].map(plain));
  });

  test('round takes halves to even', async () => {
    const halves = floatTensor([6], Float32Array.of(-1.5, -0.5, 0.5, 1.5, 2.5, 2.4));
    expect([...(await evaluate([halves], op.round)).data].map((x) => x + 0)).toEqual([-2, 0, 0, 2, 2, 2]);
  });
});

describe('shapes', () => {
  const x = some([2, 3, 4]);
  test('transpose', async () => {
    close(
      await evaluate([x], (v) => op.transpose(v, [2, 0, 1])),
      over([4, 2, 3], (i, j, k) => at(x, j, k, i)),
    );
  });
  test('reshape infers one dimension', async () => {
    const y = await evaluate([x], (v) => op.reshape(v, [4, -1]));
    expect(y.dims).toEqual([4, 6]);
    expect(y.data).toEqual(x.data);
  });
  test('slice, halve and concat along any axis', async () => {
    const y = await evaluate([x], (v) => {
      const [left, right] = op.halve(v, -1);
      return op.concat([right, op.slice(left, 2, 1, 2)], -1);
    });
    close(
      y,
      over([2, 3, 3], (i, j, k) => at(x, i, j, [2, 3, 1][k]!)),
    );
  });
  test('expand', async () => {
    const row = some([1, 3, 1]);
    close(
      await evaluate([row], (v) => op.expand(v, [2, 3, 4])),
      over([2, 3, 4], (_i, j) => at(row, 0, j, 0)),
    );
  });
  test('upsampling repeats rows and columns', async () => {
    const picture = some([1, 2, 3, 2]);
    const up = await evaluate([picture], op.upsampleNearest2x);
    close(
      up,
      over([1, 2, 6, 4], (n, c, i, j) => at(picture, n, c, i >> 1, j >> 1)),
    );
  });
  test('reductions keep their axes', async () => {
    const mean = await evaluate([x], (v) => op.reduceMean(v, [0, 2]));
    const plain = over([1, 3, 1], (_, j) => over([2, 4], (i, k) => at(x, i, j, k)).reduce((s, v) => s + v) / 8);
    close(mean, plain);
  });
  test('a mistake is found while building', () => {
    const graph = new Graph({ name: 'wrong', residency: 'fast', target: 'cpu' });
    const [a, b] = [graph.input('a', 'float32', [2, 3]), graph.input('b', 'float32', [2, 4])];
    const bytes = graph.input('c', 'uint8', [2, 3]);
    expect(() => op.add(a, b)).toThrow('Add cannot take float32[2, 3] and float32[2, 4]');
    expect(() => op.add(a, bytes)).toThrow('uint8');
    expect(() => op.matmul(a, b)).toThrow('MatMul');
    expect(() => op.reshape(a, [4, -1])).toThrow('reshape');
    expect(() => op.transpose(a, [0, 0])).toThrow('transpose');
    expect(() => op.slice(a, 1, 2, 4)).toThrow('slice');
    expect(() => op.attention(a, a, a, 2)).toThrow('attention');
  });
});

describe('products', () => {
  test('matmul broadcasts leading axes', async () => {
    const [a, b] = [some([2, 3, 4, 5]), some([3, 5, 2], 2)];
    const expected = over([2, 3, 4, 2], (n, m, i, j) =>
      [0, 1, 2, 3, 4].reduce((sum, k) => sum + at(a, n, m, i, k) * at(b, m, k, j), 0),
    );
    close(await evaluate([a, b], op.matmul), expected);
  });

  test.each([
    [
      [2, 2],
      [1, 0, 1, 2],
    ],
    [
      [1, 2],
      [0, 0, 1, 1],
    ],
  ] as const)('convolution with stride %j and pads %j', async (stride, pads) => {
    const [x, w, bias] = [some([2, 3, 7, 6]), some([4, 3, 3, 2], 2), some([4], 3)];
    const y = await evaluate([x, w, bias], (v, weight, b) => op.conv2d(v, weight, b, { stride, pads }));
    const expected = over(y.dims, (n, o, row, column) => {
      let sum = bias.data[o!]!;
      for (const [c, i, j] of over([3, 3, 2], (...index) => index as unknown as number) as unknown as number[][]) {
        const [r, k] = [row * stride[0] + i! - pads[0], column * stride[1] + j! - pads[1]];
        if (r >= 0 && r < 7 && k >= 0 && k < 6) sum += at(x, n, c!, r, k) * at(w, o, c!, i!, j!);
      }
      return sum;
    });
    close(y, expected);
  });

  test.each(['cpu', 'cuda', 'webgpu'] as const)('attention with 2 heads as built for %s', async (target) => {
    const [q, k, v] = [some([2, 5, 16]), some([2, 3, 16], 2), some([2, 3, 16], 3)];
    const y = await evaluate([q, k, v], (a, b, c) => op.attention(a, b, c, 2), target);
    const expected = over([2, 5, 16], (n, i, column) => {
      const start = column < 8 ? 0 : 8;
      const scores = [0, 1, 2].map((j) =>
        over([8], (d) => at(q, n, i, start + d) * at(k, n, j, start + d)).reduce((s, x) => s + x),
      );
      const weights = scores.map((score) => Math.exp(score / Math.sqrt(8)));
      const total = weights.reduce((s, x) => s + x);
      return weights.reduce((sum, weight, j) => sum + (weight / total) * at(v, n, j, column), 0);
    });
    close(y, expected);
  });
});

test('layer norm', async () => {
  const [x, weight, bias] = [some([3, 8]), some([8], 2), some([8], 3)];
  const expected = over([3, 8], (i, j) => {
    const row = over([8], (k) => at(x, i, k));
    const mean = row.reduce((s, v) => s + v) / 8;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / 8;
    return ((row[j]! - mean) / Math.sqrt(variance + 1e-5)) * weight.data[j]! + bias.data[j]!;
  });
  close(await evaluate([x, weight, bias], (v, w, b) => op.layerNorm(v, w, b, 1e-5)), expected);
});

test('pose pixels are the published float32 values for every byte', async () => {
  const pixels = byteTensor(
    [1, 1, 256, 3],
    Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)),
  );
  const y = await evaluate([pixels], posePixels);
  const f = Math.fround;
  const expected = over([1, 3, 1, 256], (_n, _c, _r, u) => f(f(f(f(2 * f(u / 255)) - 1) + 1) / 2));
  expect([...y.data]).toEqual(expected);
});

test('sinusoids as the published code computes them', async () => {
  const file = await openFixture(fixture('modules/timestep_embedding.safetensors'));
  for (const width of [32, 128]) {
    const y = await evaluate([await file.floats('t')], (t) => sinusoids(t, width));
    // One unit in the last place of a frequency, times angles up to 128.
    const expected = (await file.floats(`dim${width}`)).data;
    expect(Math.max(...y.data.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(5e-6);
  }
});

test.each([
  ['in_127x71', 'out_64x36'],
  ['in_7x15', 'out_4x8'],
] as const)('adaptive average pooling %s -> %s', async (input, output) => {
  const file = await openFixture(fixture('modules/adaptive_avg_pool.safetensors'));
  const expected = await file.floats(output);
  const y = await evaluate([await file.floats(input)], (x) => adaptiveAvgPool(x, expected.dims[2]!, expected.dims[3]!));
  close(y, [...expected.data]);
});

test('control is injected as in the traced UNet', async () => {
  const file = await openFixture(fixture('modules/unet_trace.safetensors'));
  const [state, features] = [await file.floats('down_blocks.0'), await file.floats('control')];
  const one = floatTensor([1], Float32Array.of(1));
  const y = await evaluate([state, features, one], (h, features, scale) => injectControls(h, [{ features, scale }]));
  close(y, [...(await file.floats('down_blocks.1.input_hidden_states')).data]);
});
