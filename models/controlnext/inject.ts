import type { Value } from '../onnx/graph.js';
import { add, cast, dim, div, floats, matmul, mul, reduceMean, scalar, sqrt, sub, transpose } from '../onnx/ops.js';

/** Published strength of the control, on top of the caller's scale. */
const strength = 0.2;

/** Features of one control module, [N, C, hc, wc], and its scale: anything that broadcasts to [N, 1, 1, 1]. */
export type ControlInput = { readonly features: Value; readonly scale: Value };

/**
 * Adds control features to the state after down block 0: cross normalisation (the features take the mean and standard
 * deviation of the state, frame by frame), then adaptive average pooling to its size. Of several modules each is normalised by
 * the state before any was added: h + 0.2 (s1 c1 + s2 c2 + ...), whatever their order.
 * h [N, C, h, w].
 */
export function injectControls(h: Value, controls: readonly ControlInput[]): Value {
  // Sums of squares leave the range of half floats.
  const state = statistics(cast(h, 'float32'));
  return controls.reduce((sum, input) => {
    const features = cast(input.features, 'float32');
    const control = statistics(features);
    const ratio = div(state.deviation, add(control.deviation, scalar(control.deviation, 1e-5)));
    // Averages keep the normalisation, which is affine: pooling first leaves less to normalise.
    const pooled = adaptiveAvgPool(features, dim(h, 2), dim(h, 3));
    const normal = add(mul(sub(pooled, control.mean), ratio), state.mean);
    return add(sum, cast(mul(mul(normal, scalar(normal, strength)), input.scale), h.dtype));
  }, h);
}

/** Mean and unbiased standard deviation of each sample of x [N, C, H, W], as [N, 1, 1, 1]. */
function statistics(x: Value): { readonly mean: Value; readonly deviation: Value } {
  // Channel by channel first: see GroupNorm on long sums.
  const meanOf = (values: Value) => reduceMean(reduceMean(values, [2, 3]), [1]);
  const mean = meanOf(x);
  const centred = sub(x, mean);
  const size = dim(x, 1) * dim(x, 2) * dim(x, 3);
  const variance = mul(meanOf(mul(centred, centred)), scalar(x, size / (size - 1)));
  return { mean, deviation: sqrt(variance) };
}

/** Adaptive average pooling of x [N, C, H, W] to [N, C, rows, columns]; windows may overlap. */
export function adaptiveAvgPool(x: Value, rows: number, columns: number): Value {
  const [height, width] = [dim(x, 2), dim(x, 3)];
  const down = floats(x.graph, [rows, height], averages(height, rows));
  const across = floats(x.graph, [columns, width], averages(width, columns));
  return matmul(down, matmul(x, transpose(across, [1, 0])));
}

/** Matrix [out, in] of averages: cell i takes inputs floor(i in / out) up to ceil((i + 1) in / out) - 1. */
function averages(inputs: number, outputs: number): Float32Array {
  const matrix = new Float32Array(outputs * inputs);
  for (let i = 0; i < outputs; i++) {
    const start = Math.floor((i * inputs) / outputs);
    const end = Math.ceil(((i + 1) * inputs) / outputs);
    matrix.fill(1 / (end - start), i * inputs + start, i * inputs + end);
  }
  return matrix;
}
