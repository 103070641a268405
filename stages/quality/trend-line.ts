import { median } from './median.js';

export type Point = { readonly x: number; readonly y: number };
export type Line = { readonly slope: number; readonly intercept: number };

/** Pairs grow with the square of the points, and this many points settle a slope. */
const mostPoints = 300;

/**
 * The line through points that a few far-off ones do not move: the median of the slopes of all pairs, and the median of what
 * is left (Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968). Of more than 300 points every k-th
 * counts. Points of equal x alone give slope 0. Undefined for no points.
 */
export function trendLine(points: readonly Point[]): Line | undefined {
  const every = Math.ceil(points.length / mostPoints);
  const some = points.filter((_, i) => i % every === 0);
  const slopes: number[] = [];
  for (const [i, a] of some.entries())
    for (const b of some.slice(i + 1)) if (a.x !== b.x) slopes.push((b.y - a.y) / (b.x - a.x));
  const slope = median(slopes) ?? 0;
  const intercept = median(points.map(({ x, y }) => y - slope * x));
  return intercept === undefined ? undefined : { slope, intercept };
}
