import { candidatesOf, frontOf } from './recommend.js';
import { spreads } from './run-values.js';
import type { Score } from './score.js';
import { scoreCells, scoredCell } from './score.js';
import type { Cell, CellSettings } from './types.js';

/** A cell with its runs, before it is compared with others. */
export type MeasuredCell = Pick<Cell, 'id' | 'state' | 'windows' | 'joints' | 'runs'> & {
  readonly settings: CellSettings;
  readonly why: string | undefined;
};

export type JudgedCells = { readonly cells: readonly Cell[]; readonly scores: ReadonlyMap<string, Score> };

/**
 * Means, scores and the front of all cells that have runs.
 * @param times seconds a frame by cell, in place of the means of what was measured
 */
export function judgeCells(
  measured: readonly MeasuredCell[],
  times: ReadonlyMap<string, number> = new Map(),
): JudgedCells {
  const withRuns = measured.filter(({ runs }) => runs.length > 0);
  const scores = scoreCells(withRuns.map(({ id, settings, windows, runs }) => scoredCell(id, settings, windows, runs)));
  const cells = measured.map((cell): Cell => {
    const score = scores.get(cell.id);
    const values = spreads(cell.runs);
    const mean = times.get(cell.id) ?? values.secondsPerFrame?.mean;
    const timed =
      mean === undefined
        ? values
        : { ...values, secondsPerFrame: { deviation: values.secondsPerFrame?.deviation, mean } };
    return { ...cell, values: timed, score: score?.score, scoreDeviation: score?.deviation };
  });
  const front = new Set(frontOf(candidatesOf(cells)).map(({ cell }) => cell.id));
  return {
    scores,
    cells: cells.map((cell) => (scores.has(cell.id) ? { ...cell, onFront: front.has(cell.id) } : cell)),
  };
}
