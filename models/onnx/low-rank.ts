import type { LowRankChange } from '../checkpoint/checkpoint.js';
import { sizeOf } from '../tensor.js';
import type { Value } from './graph.js';
import { gemm, matmul, reshape, transpose } from './ops.js';

/** Loads a part of a change, seen with these dimensions. */
export type LoadPart = (part: 'down' | 'up' | 'mid', dims: readonly number[]) => Value;

/**
 * weight [O, I, ...kernel] + scale * up x (mid x) down, as part of the graph: W itself stays where it lies, nothing is written.
 *
 * Multiply-adds of a change of rank r to a weight of O x I x K values: O r I K, whatever the number of tokens; with `mid`
 * O r r K + O r I K. The alternative, a branch beside the layer (x down up), takes r (O + I K) for every token: more as soon as
 * there are more tokens than O I K / (O + I K), which is 1,213 at most in SVD's UNet, and its costly layers have many times that. For
 * rank 16 on all 352 linear layers of its transformers, merging is 0.01 T multiply-adds a run; one of 24 frames of 1024x576 is 76.75 T.
 * Bytes: in `fast` residency all of it is folded into the weight while the graph is prepared; then a run costs nothing, and at
 * the peak of preparing there is one float32 copy more. In `low-memory` it is done at every run, just before the layer, with one
 * float32 copy of that layer. One Gemm and nothing else, because the runtime fuses sums of products into operators that it then
 * runs all before the first layer, with the copies of all layers alive together.
 */
export function addLowRank(weight: Value, { scale, rank, mid }: LowRankChange, load: LoadPart): Value {
  const [outputs = 0, inputs = 0, ...kernel] = weight.dims;
  const taps = sizeOf(kernel);
  const up = load('up', [outputs, rank]);
  if (!mid) {
    const rows = reshape(weight, [outputs, inputs * taps]);
    return reshape(gemm(up, load('down', [rank, inputs * taps]), rows, scale), weight.dims);
  }
  const middle = reshape(matmul(up, load('mid', [rank, rank * taps])), [outputs, rank, taps]);
  const rows = reshape(transpose(weight, [0, 2, 3, 1]), [outputs * taps, inputs]);
  const changed = gemm(
    reshape(transpose(middle, [0, 2, 1]), [outputs * taps, rank]),
    load('down', [rank, inputs]),
    rows,
    scale,
  );
  return transpose(reshape(changed, [outputs, ...kernel, inputs]), [0, 3, 1, 2]);
}
