import type { LowRankChange } from '../checkpoint/checkpoint.js';
import { sizeOf } from '../tensor.js';
import type { Value } from './graph.js';
import { add, matmul, mul, reshape, scalar, transpose } from './ops.js';

/** Loads a part of a change, seen with these dimensions. */
export type LoadPart = (part: 'down' | 'up' | 'mid', dims: readonly number[]) => Value;

/**
 * weight [O, I, ...kernel] + scale * up x (mid x) down, as part of the graph: W itself stays where it lies, nothing is written.
 *
 * Multiply-adds of a change of rank r to a weight of O x I x K values: O r I K, whatever the number of tokens; with `mid`
 * O r r K + O r I K. The alternative, a branch beside the layer (x down up), takes r (O + I) for every token: more as soon as there
 * are more tokens than O I / (O + I), which is at most about 1,100 in SVD's UNet and always so in its costly layers. For rank 16 on
 * all 512 linear layers of its transformers, merging is 0.01 T multiply-adds a run, against 76.75 T of the run itself.
 * Bytes: in `fast` residency all of it is folded into one constant while the graph is prepared, and a run costs
 * nothing. In `low-memory` it is done at every run, just before the layer; two float32 copies of one weight are added to the
 * one that converting float16 makes anyway.
 */
export function addLowRank(weight: Value, { scale, rank, mid }: LowRankChange, load: LoadPart): Value {
  const [outputs = 0, inputs = 0, ...kernel] = weight.dims;
  const taps = sizeOf(kernel);
  // The smallest factor takes the scale.
  const up = mul(load('up', [outputs, rank]), scalar(weight.graph, scale));
  if (!mid) return add(weight, reshape(matmul(up, load('down', [rank, inputs * taps])), weight.dims));
  const middle = reshape(matmul(up, load('mid', [rank, rank * taps])), [outputs, rank, taps]);
  const rows = reshape(transpose(middle, [0, 2, 1]), [outputs * taps, rank]);
  const product = reshape(matmul(rows, load('down', [rank, inputs])), [outputs, taps, inputs]);
  return add(weight, reshape(transpose(product, [0, 2, 1]), weight.dims));
}
