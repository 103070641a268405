import type { Cell } from '../types.js';
import type { Column } from './columns.js';

/** Steps of the page's colour scale, `q0` (worst) to `q8` (best). */
export const colorSteps = 9;

/** How many standard deviations of the seeds the scale spans at least: what is within noise looks alike. */
const leastDeviations = 6;
/** The same for one seed, as a share of the value. */
const leastShare = 0.01;

export type ColorScale = {
  /** 0..8 for a value of the column. */
  readonly stepOf: (value: number) => number;
  /** The values differ by no more than the seeds do. */
  readonly withinNoise: boolean;
};

/**
 * Colours for a column's values, worst to best, the same for all groups of a sweep. The scale goes from the least to the
 * largest value, but is never so narrow that noise looks like a difference.
 */
export function colorScale(column: Column, cells: readonly Cell[]): ColorScale {
  const spreads = cells.map(column.of).filter((spread) => spread && Number.isFinite(spread.mean)) as {
    mean: number;
    deviation: number | undefined;
  }[];
  const means = spreads.map(({ mean }) => mean);
  const logarithmic = column.logarithmic === true && means.every((mean) => mean > 0);
  const seen = (value: number) => (logarithmic ? Math.log(value) : value);
  const low = Math.min(...means.map(seen));
  const high = Math.max(...means.map(seen));

  const middle = median(means.map(Math.abs));
  const noise = median(spreads.map(({ deviation }) => deviation).filter((value) => value !== undefined));
  const span = Math.max(noise * leastDeviations, middle * leastShare);
  const least = logarithmic ? (middle > 0 ? Math.log1p(span / middle) : 0) : span;
  const width = Math.max(high - low, least) || 1;
  const start = (low + high - width) / 2;
  return {
    stepOf(value) {
      const part = Math.min(1, Math.max(0, (seen(value) - start) / width));
      return Math.round((column.better === 'lower' ? 1 - part : part) * (colorSteps - 1));
    },
    withinNoise:
      means.length > 1 && noise > 0 && high - low < (logarithmic ? Math.log1p((2 * noise) / middle) : 2 * noise),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
