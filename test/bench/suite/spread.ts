import { median } from '#dist/stages/quality/median.js';

/** What repeats of a measurement gave. */
export type Spread = {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly repeats: number;
};

/** Throws when there is nothing to tell of. */
export function spread(values: readonly number[]): Spread {
  const middle = median(values);
  if (middle === undefined) throw new Error('nothing was measured');
  return { min: Math.min(...values), median: middle, max: Math.max(...values), repeats: values.length };
}

/** a / b, round by round: both were taken within seconds of each other, so what else the machine does cancels. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  if (a.length !== b.length) throw new Error(`${a.length} rounds against ${b.length}`);
  return a.map((value, round) => value / (b[round] as number));
}

export function percent(shares: readonly number[]): number[] {
  return shares.map((share) => share * 100);
}
