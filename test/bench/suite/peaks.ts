import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { Graph, type Value } from '#dist/models/onnx/graph.js';
import { conv2d, matmul, reduceMean } from '#dist/models/onnx/ops.js';
import { createRandom } from '#dist/models/random.js';
import { sizeOf } from '#dist/models/tensor.js';

/*
 * What the runtime reaches at best in float32, as a yardstick for networks. Of the results only means leave the engine.
 */

const times = 4;

/** Products of 2048x2048 matrices by a constant weight, one after the other. */
export function matrixProducts(): BuiltGraph {
  const side = 2048;
  return chain('matrix-products', [side, side], (x) => matmul(x, constant(x.graph, [side, side], side)));
}

/** 3x3 convolutions of 320 channels, one after the other. */
export function convolutions(): BuiltGraph {
  const channels = 320;
  const next = (x: Value) =>
    conv2d(x, constant(x.graph, [channels, channels, 3, 3], channels * 9), undefined, { pads: [1, 1, 1, 1] });
  return chain('convolutions', [16, channels, 32, 32], next);
}

function chain(name: string, dims: readonly number[], next: (x: Value) => Value): BuiltGraph {
  const graph = new Graph({ name, residency: 'fast', target: 'cpu' });
  let x = graph.input('x', 'float32', dims);
  for (let i = 0; i < times; i++) x = next(x);
  graph.output('means', reduceMean(x, [x.dims.length - 1]));
  return graph.finish();
}

/** A weight that keeps the scale of what it is multiplied with. */
function constant(graph: Graph, dims: readonly number[], inputs: number): Value {
  const values = createRandom('bench', 'weight').uniforms(0, sizeOf(dims));
  const reach = Math.sqrt(3 / inputs);
  return graph.constant(
    'float32',
    dims,
    Float32Array.from(values, (u) => (2 * u - 1) * reach),
  );
}
