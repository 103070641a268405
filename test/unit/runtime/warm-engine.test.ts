import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { Graph } from '#dist/models/onnx/graph.js';
import { mul, scalar } from '#dist/models/onnx/ops.js';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { graphBytes } from '#dist/models/runtime/memory.js';
import { keepWarm } from '#dist/models/runtime/warm-engine.js';
import { floatTensor } from '#dist/models/tensor.js';

let engine: Engine;
const graphs = [2, 3, 5].map((factor): BuiltGraph => {
  const graph = new Graph({ name: 'scale', residency: 'fast', target: 'cpu' });
  const x = graph.input('x', 'float32', [2]);
  graph.output('y', mul(x, scalar(x, factor)));
  return graph.finish();
});
beforeAll(async () => {
  engine = await createEngine({ provider: 'cpu', threads: 1 });
});
afterAll(() => engine[Symbol.asyncDispose]());

const run = async (warm: Engine, graph: BuiltGraph) => {
  const id = await warm.load(graph);
  const { y } = await warm.run(id, { x: floatTensor([2], new Float32Array([1, 2])) });
  await warm.release(id);
  return Array.from((y?.data ?? []) as ArrayLike<number>);
};

it('a released graph is there for the next time, and gives the same', async () => {
  const warm = keepWarm(engine, Number.POSITIVE_INFINITY);
  expect(await run(warm, graphs[0]!)).toEqual([2, 4]);
  expect(await run(warm, graphs[0]!)).toEqual([2, 4]);
  expect(await run(warm, graphs[1]!)).toEqual([3, 6]);
  expect(warm.stats()).toMatchObject({ loads: 2, reuses: 1 });
  await warm.cool();
  expect(await run(warm, graphs[0]!)).toEqual([2, 4]);
  expect(warm.stats()).toMatchObject({ loads: 3, reuses: 1 });
});

it('two users at once get a graph each', async () => {
  const warm = keepWarm(engine, Number.POSITIVE_INFINITY);
  const [a, b] = [await warm.load(graphs[0]!), await warm.load(graphs[0]!)];
  expect(a).not.toBe(b);
  await warm.release(a);
  await warm.release(b);
  await warm.cool();
});

it('prepares ahead where it fits, and for one clip keeps only that', async () => {
  const one = graphBytes(graphs[0]!);
  const warm = keepWarm(engine, one * 1.5, { released: false });
  await warm.prepare(graphs[0]!);
  await warm.prepare(graphs[1]!); // no room beside the first
  expect(warm.stats()).toMatchObject({ loads: 1, reuses: 0 });
  expect(await run(warm, graphs[0]!)).toEqual([2, 4]);
  expect(warm.stats()).toMatchObject({ loads: 1, reuses: 1 });
  expect(await run(warm, graphs[0]!)).toEqual([2, 4]);
  expect(warm.stats()).toMatchObject({ loads: 2, reuses: 1 });
});

it('frees what was used longest ago when memory is over the budget', async () => {
  const one = graphBytes(graphs[0]!);
  const warm = keepWarm(engine, one * 2.5);
  for (const graph of graphs) await run(warm, graph);
  await run(warm, graphs[1]!);
  await run(warm, graphs[2]!);
  expect(warm.stats()).toMatchObject({ loads: 3, reuses: 2 });
  await run(warm, graphs[0]!);
  expect(warm.stats()).toMatchObject({ loads: 4, reuses: 2 });
});
