/** Between two cells of one run each, a smaller difference in score is taken for chance: nobody has measured it. */
export const presumedNoise = 0.1;

/** A difference of two means is told from chance from so many of its standard errors on. */
const clear = 2;

export type RepeatedScore = { readonly deviation: number | undefined; readonly runs: number };

/**
 * The largest difference between the scores of two cells that chance alone would often make: twice the standard error of the
 * difference of two means, from the deviation over seeds of all cells together. {@link presumedNoise} where no cell has two.
 */
export function scoreNoise(cells: readonly RepeatedScore[]): number {
  const repeated = cells.filter(({ deviation }) => deviation !== undefined);
  const freedom = repeated.reduce((sum, { runs }) => sum + runs - 1, 0);
  if (freedom === 0) return presumedNoise;
  const squares = repeated.reduce((sum, { deviation, runs }) => sum + (runs - 1) * (deviation as number) ** 2, 0);
  const runs = Math.min(...repeated.map((cell) => cell.runs));
  return clear * Math.sqrt((squares / freedom) * (2 / runs));
}
