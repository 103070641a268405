import type { Value } from '../onnx/graph.js';
import { add, cast, div, mul, scalar, sub, transpose } from '../onnx/ops.js';

/** Pictures uint8 [N, H, W, 3] -> [N, 3, H, W] in 0..1, rounded as published: ((2 (u8 / 255) - 1) + 1) / 2. */
export function posePixels(pictures: Value): Value {
  const planes = cast(transpose(pictures, [0, 3, 1, 2]), 'float32');
  const [one, two] = [scalar(planes, 1), scalar(planes, 2)];
  const signed = sub(mul(div(planes, scalar(planes, 255)), two), one);
  return div(add(signed, one), two);
}
