import type { Keypoint } from '../types.js';

/** Score over which a point counts as visible (in the truth) or as found, as everywhere in pantomime. */
const presentScore = 0.3;

/** Points found close enough, of those that are to be seen. */
export type PointCount = { readonly hits: number; readonly visible: number };

/**
 * PCK@a, percentage of correct keypoints, for whole bodies: the share of the truth's visible points that are found within
 * `threshold` times the person's size, which is the longer side in pixels of the upright box around the truth's visible
 * points (Yang and Ramanan, "Articulated human detection with flexible mixtures of parts", 2013: a x max(h, w)).
 * A point that was not found (its score at most 0.3, or nobody found at all) is a miss.
 * @param found the same points in the same order, 0..1 of the picture; undefined when nobody was found
 * @param picture its size, or any size of the same aspect
 * @param only indices of the points that count; all when left out. The person's size always comes from all.
 */
export function pck(
  found: readonly Keypoint[] | undefined,
  truth: readonly Keypoint[],
  threshold: number,
  picture: { readonly width: number; readonly height: number },
  only?: readonly number[],
): PointCount {
  const seen = truth.filter(({ score }) => score > presentScore);
  if (seen.length === 0) return { hits: 0, visible: 0 };
  const extent = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  const size = Math.max(
    extent(seen.map(({ x }) => x * picture.width)),
    extent(seen.map(({ y }) => y * picture.height)),
  );
  let [hits, visible] = [0, 0];
  for (const [i, point] of truth.entries()) {
    if (point.score <= presentScore || (only && !only.includes(i))) continue;
    visible++;
    const other = found?.[i];
    if (!other || other.score <= presentScore) continue;
    const apart = Math.hypot((other.x - point.x) * picture.width, (other.y - point.y) * picture.height);
    if (apart <= threshold * size) hits++;
  }
  return { hits, visible };
}

/** Hits over visible points of all counts together; NaN when nothing was to be seen. */
export function share(counts: readonly PointCount[]): number {
  const sum = (of: (count: PointCount) => number) => counts.reduce((total, count) => total + of(count), 0);
  return sum(({ hits }) => hits) / sum(({ visible }) => visible);
}
