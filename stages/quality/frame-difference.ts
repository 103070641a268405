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

/**
 * Differences over what the speed of the pose lets one expect, which is a line a + b speed, fitted robustly to all frames but
 * those of `joints`, and at least a quarter of their median. Where the speed is unknown it counts as the median speed. The
 * median over the other frames is 1 by construction. Dividing by the speed alone (the plain formula) would go wrong where a
 * figure rests, since noise and background then stay.
 * @param differences of each frame to the one before; undefined for frame 0
 * @param speeds of the pose, same indices; any unit
 * @returns one ratio a frame, >= 0; undefined where the difference is, and everywhere when too little is known (< 3 frames)
 */
export function relativeDifferences(
  differences: readonly (number | undefined)[],
  speeds: readonly (number | undefined)[],
  joints: readonly number[],
): readonly (number | undefined)[] {
  const left = new Set(joints);
  const usual = median(speeds.filter((speed) => speed !== undefined)) ?? 0;
  const points = differences.map((y, frame) => ({ x: speeds[frame] ?? usual, y, frame }));
  const known = points.filter(({ y, frame }) => y !== undefined && !left.has(frame)) as { x: number; y: number }[];
  const middle = median(known.map(({ y }) => y));
  const line = trendLine(known);
  if (known.length < 3 || !line || !middle) return differences.map(() => undefined);
  // A figure does not change less when it moves faster; such a slope is chance.
  const slope = Math.max(0, line.slope);
  const intercept = slope === 0 ? middle : line.intercept;
  const expected = (x: number): number => Math.max(intercept + slope * x, leastExpected * middle);
  const raw = points.map(({ x, y }) => (y === undefined ? undefined : y / expected(x)));
  const one = median(raw.filter((ratio, frame): ratio is number => ratio !== undefined && !left.has(frame))) as number;
  return raw.map((ratio) => (ratio === undefined ? undefined : ratio / one));
}
