import type { Value } from '../onnx/graph.js';
import { add, dim, expand, reshape } from '../onnx/ops.js';

/**
 * Repeats each row of x [B, ...] so that it fits `samples` = B * n samples (frames of one batch entry are neighbours).
 * A single row is left alone: it broadcasts.
 */
export function perSample(x: Value, samples: number): Value {
  const [batch = 1, ...rest] = x.dims;
  if (batch === 1 || batch === samples) return x;
  const repeats = samples / batch;
  const repeated = expand(reshape(x, [batch, 1, ...rest]), [batch, repeats, ...rest]);
  return reshape(repeated, [batch * repeats, ...rest]);
}

/** Adds row b of `rows` [B, 1, C] to all tokens of the samples of batch entry b: tokens [B * n, T, C]. */
export function addPerBatch(tokens: Value, rows: Value): Value {
  const batch = dim(rows, 0);
  if (batch === 1) return add(tokens, rows);
  return reshape(add(reshape(tokens, [batch, -1, dim(tokens, -1)]), rows), tokens.dims);
}
