import { expect, it } from 'vitest';
import { Graph } from '#dist/models/onnx/graph.js';
import { add, matmulTransposed, quantizedLinear } from '#dist/models/onnx/ops.js';
import { createRandom } from '#dist/models/random.js';
import { floatTensor, sizeOf } from '#dist/models/tensor.js';
import { relativeL2, runGraph } from '../support/run-graph.js';

const [rows, inputs, outputs] = [96, 48, 40];

/** The layer as whole numbers and as floats, of the same inputs. */
async function both(x: Float32Array, weight: Float32Array, bias: Float32Array) {
  const graph = new Graph({ name: 'layer', residency: 'fast', target: 'cpu' });
  const value = graph.input('x', 'float32', [rows, inputs]);
  const w = graph.constant('float32', [outputs, inputs], weight);
  const b = graph.constant('float32', [outputs], bias);
  graph.output('quantized', quantizedLinear(value, w, b));
  graph.output('exact', add(matmulTransposed(value, w), b));
  const { quantized, exact } = await runGraph(graph.finish(), { x: floatTensor([rows, inputs], x) });
  return { quantized: quantized!.data, exact: exact!.data };
}

const uniforms = (name: string, dims: readonly number[]) => createRandom('quantized', name).uniforms(0, sizeOf(dims));

it('is exact where inputs and weights are whole numbers of its levels', async () => {
  // 0 and 255 fix the scale of the inputs at 1, 127 in every row that of the weights.
  const x = Float32Array.from(uniforms('x', [rows, inputs]), (u, i) => (i < 2 ? i * 255 : Math.floor(u * 256)));
  const weight = Float32Array.from(uniforms('w', [outputs, inputs]), (u, i) =>
    i % inputs === 0 ? 127 : Math.floor(u * 255) - 127,
  );
  const bias = Float32Array.from({ length: outputs }, (_, i) => i - 20);
  const { quantized, exact } = await both(x, weight, bias);
  expect(quantized).toEqual(exact);
});

it('is within its rounding of other numbers, each output having a scale of its own', async () => {
  const x = Float32Array.from(uniforms('x', [rows, inputs]), (u) => 2 * u - 1);
  // Rows from 1 to 1e-4: with one scale for all, the small ones would be gone.
  const weight = Float32Array.from(
    uniforms('w', [outputs, inputs]),
    (u, i) => (2 * u - 1) * 10 ** (-Math.floor(i / inputs) / 10),
  );
  const { quantized, exact } = await both(x, weight, new Float32Array(outputs));
  for (let output = 0; output < outputs; output++) {
    const column = (values: Float32Array) => values.filter((_, i) => i % outputs === output);
    const error = relativeL2(column(quantized), column(exact));
    expect(error).toBeLessThan(0.02);
    expect(error).toBeGreaterThan(1e-4);
  }
});
