import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { Graph } from '#dist/models/onnx/graph.js';
import { matmul, slice } from '#dist/models/onnx/ops.js';
import { createRandom } from '#dist/models/random.js';
import type { Engine } from '#dist/models/runtime/engine.js';
import { floatTensor } from '#dist/models/tensor.js';

const side = 2048;
const products = 4;

/**
 * Products of 2048x2048 matrices, one after the other, by one constant weight: what the runtime reaches at best in float32. All but
 * a row of the result stays in the engine.
 */
function build(): BuiltGraph {
  const graph = new Graph({ name: 'matrix-peak', residency: 'fast', target: 'cpu' });
  // Sums of so many products keep the scale of what goes in.
  const scale = Math.sqrt(3 / side);
  const values = createRandom(1, 'matrix-peak').uniforms(0, side * side);
  const weight = graph.constant(
    'float32',
    [side, side],
    Float32Array.from(values, (u) => (2 * u - 1) * scale),
  );
  let x = graph.input('x', 'float32', [side, side]);
  for (let i = 0; i < products; i++) x = matmul(x, weight);
  graph.output('row', slice(x, 0, 0, 1));
  return graph.finish();
}

/** Loads the products into an engine, as something to take turns with. */
export async function loadMatrixPeak(engine: Engine): Promise<{
  readonly graph: BuiltGraph;
  readonly run: () => Promise<unknown>;
}> {
  const graph = build();
  const session = await engine.load(graph);
  const values = createRandom(2, 'matrix-peak').uniforms(0, side * side);
  await engine.define('matrix', floatTensor([side, side], Float32Array.from(values)));
  return { graph, run: () => engine.run(session, { x: { ref: 'matrix' } }) };
}
