import { expect, test } from 'vitest';
import { notebook, type Results } from '../bench/suite/bench.js';
import { fitLine } from '../bench/suite/line-fit.js';
import { operatorCosts, type TraceEvent } from '../bench/suite/operator-costs.js';
import { ratios, spread } from '../bench/suite/spread.js';
import { takeTurns } from '../bench/suite/take-turns.js';
import { figuresText, short } from '../bench/suite/text.js';

test('the spread of repeats', () => {
  expect(spread([3, 1, 2, 10])).toEqual({ min: 1, median: 2.5, max: 10, repeats: 4 });
  expect(() => spread([])).toThrow('nothing');
  expect(ratios([2, 9], [1, 3])).toEqual([2, 3]);
  expect(() => ratios([1], [1, 2])).toThrow('rounds');
});

test('a line through points, and how well it fits', () => {
  const on = fitLine([24, 96, 480].map((x) => ({ x, y: 3 + 0.5 * x })));
  expect(on.slope).toBeCloseTo(0.5, 12);
  expect(on.intercept).toBeCloseTo(3, 10);
  expect(on.r2).toBeCloseTo(1, 12);
  // By hand: sums of squares 5 and 5, of products 4.
  const off = fitLine([1, 2, 3, 4].map((x, i) => ({ x, y: [1, 3, 2, 4][i] as number })));
  expect(off).toEqual({
    slope: expect.closeTo(0.8, 12),
    intercept: expect.closeTo(0.5, 12),
    r2: expect.closeTo(0.64, 12),
  });
  expect(
    fitLine([
      { x: 1, y: 7 },
      { x: 2, y: 7 },
    ]).r2,
  ).toBe(1);
  expect(() =>
    fitLine([
      { x: 1, y: 1 },
      { x: 1, y: 2 },
    ]),
  ).toThrow('two places');
});

test('candidates take turns, and the first round does not count', async () => {
  const order: string[] = [];
  const note = (name: string) => async () => order.push(name);
  const times = await takeTurns({ a: note('a'), b: note('b') }, 2);
  expect(order.join('')).toBe('ababab');
  expect([times.a.length, times.b.length]).toEqual([2, 2]);
});

/** Two runs of a product, a convolution and a sum; the product takes `us`. */
function traceOf(us: readonly [number, number]): TraceEvent[] {
  const node = (op: string, ts: number, dur: number, inputs: number[][], output: number[]): TraceEvent => ({
    ...{ cat: 'Node', name: `${op}_kernel_time`, ts, dur },
    args: { op_name: op, input_type_shape: inputs.map((float) => ({ float })), output_type_shape: [{ float: output }] },
  });
  return us.flatMap((dur, run) => {
    const begin = run * 100_000;
    return [
      { cat: 'Session', name: 'model_run', ts: begin, dur: 90_000 },
      node('FusedMatMul', begin, dur, [[2, 100, 30]], [2, 100, 50]),
      // The runtime let the product transpose its input: [2, 30, 100] for [2, 100, 30].
      node('FusedMatMul', begin + 20_000, dur, [[2, 30, 100]], [2, 100, 50]),
      node('Conv', begin + 40_000, 500, [[1, 4, 8, 8], [6, 4, 3, 3], [6]], [1, 6, 8, 8]),
      node('Add', begin + 50_000, 100, [[2, 100, 50], [50]], [2, 100, 50]),
    ];
  });
}

test('a profile is summed by operator, without the first run, with the work of each', () => {
  const costs = operatorCosts(traceOf([9000, 2000]), { shapes: false });
  expect(costs.map(({ operator, count, milliseconds }) => [operator, count, milliseconds])).toEqual([
    ['FusedMatMul', 2, 4],
    ['Conv', 1, 0.5],
    ['Add', 1, 0.1],
  ]);
  const [product, convolution, sum] = costs.map(({ gigaflops }) => gigaflops * 1e9);
  expect(product).toBeCloseTo(2 * (2 * 2 * 100 * 50 * 30), 3);
  expect(convolution).toBeCloseTo(2 * (6 * 64 * 4 * 9), 3);
  expect(sum).toBe(0);
  const shapes = operatorCosts(traceOf([9000, 2000]), { shapes: true }).map((cost) => cost.shapes);
  expect(shapes).toContain('2x100x30 -> 2x100x50');
  expect(shapes).toContain('1x4x8x8 6x4x3x3 -> 1x6x8x8');
  expect(() => operatorCosts(traceOf([1, 1]).slice(0, 5), { shapes: false })).toThrow('two runs');
});

test('figures are noted with their part and written in columns', () => {
  const results: Results = { figures: [], tables: [] };
  const { figure } = notebook(results, 'step');
  figure('UNet', 'GFLOP/s', [100, 120, 110], 'note');
  figure('parameters', 'M', 33.25);
  expect(results.figures[0]).toEqual({
    ...{ part: 'step', name: 'UNet', unit: 'GFLOP/s', note: 'note' },
    ...{ min: 100, median: 110, max: 120, repeats: 3 },
  });
  expect(figuresText(results.figures).split('\n')).toEqual([
    'part  what        median  min  max  n  unit',
    'step  UNet           110  100  120  3  GFLOP/s  note',
    'step  parameters    33.3               M',
  ]);
  expect([0.000015, 12345, 0, -2.5].map(short)).toEqual(['0.000015', '12345', '0', '-2.50']);
});
