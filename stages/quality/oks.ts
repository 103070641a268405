import type { Keypoint } from '../types.js';

const presentScore = 0.3;

/**
 * Spread of each joint of OpenPose's 18, as a share of the person's size: what COCO found people to disagree by when they mark
 * joints. COCO has no neck; the shoulders' value stands for it.
 */
const spreads = [
  0.026, 0.079, 0.079, 0.072, 0.062, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089, 0.107, 0.087, 0.089, 0.025, 0.025, 0.035,
  0.035,
];

/** A person's area over that of the box around the joints, as usual where no outline is known. */
const filled = 0.53;
/** A person seen from the side has a box next to no width; its sides count as at least this share of each other. */
const slimmest = 0.3;

/**
 * Object keypoint similarity: mean over the truth's visible joints of exp(-d^2 / (2 s^2 k^2)), d in pixels, k twice the
 * joint's spread, s^2 the person's area (0.53 of the box around the visible joints). 0..1, 1 for the truth itself; a joint that
 * was not found counts 0. Undefined when nothing is to be seen. After the COCO keypoint evaluation (cocodataset.org,
 * #keypoints-eval).
 * @param picture its size, or any size of the same aspect
 * @param only indices of the joints that count; all when left out. The area always comes from all.
 */
export function oks(
  found: readonly Keypoint[] | undefined,
  truth: readonly Keypoint[],
  picture: { readonly width: number; readonly height: number },
  only?: readonly number[],
): number | undefined {
  const seen = truth.filter(({ score }) => score > presentScore);
  const counted = spreads.map((_, i) => i).filter((i) => isSeen(truth[i]) && (!only || only.includes(i)));
  if (counted.length === 0) return undefined;
  const extent = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  const width = extent(seen.map(({ x }) => x * picture.width));
  const height = extent(seen.map(({ y }) => y * picture.height));
  const area = filled * Math.max(width, slimmest * height) * Math.max(height, slimmest * width);
  let sum = 0;
  for (const i of counted) {
    const [one, other] = [found?.[i], truth[i] as Keypoint];
    if (!isSeen(one)) continue;
    const squared = ((one.x - other.x) * picture.width) ** 2 + ((one.y - other.y) * picture.height) ** 2;
    sum += squared === 0 ? 1 : Math.exp(-squared / (2 * area * (2 * (spreads[i] as number)) ** 2));
  }
  return sum / counted.length;
}

function isSeen(point: Keypoint | undefined): point is Keypoint {
  return point !== undefined && point.score > presentScore;
}
