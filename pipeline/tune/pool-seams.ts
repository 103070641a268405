import type { ScoredCell } from './score.js';

/** What cells alike say of a seam weighs as much as so many joints of a cell's own. */
const borrowedJoints = 8;
/** Fewer cells say too little of one another. */
const fewestAlike = 3;

/**
 * Seam ratios as the score takes them. An excerpt has a handful of joints, and whether the movement hides one is luck that
 * other seeds do not change, since they have their joints in the same places. So cells alike are judged together: each
 * moves towards the mean of its kind, the more the fewer joints it has itself (shrinkage, as of James and Stein 1961).
 */
export function poolSeams(cells: readonly ScoredCell[]): readonly ScoredCell[] {
  const measured = cells.filter(isMeasured);
  return cells.map((cell) => {
    if (!isMeasured(cell)) return cell;
    const alike = measured.filter(({ seams }) => seams.kind === cell.seams.kind);
    if (alike.length < fewestAlike) return cell;
    const joints = alike.reduce((sum, { seams }) => sum + seams.joints, 0);
    const usual = alike.reduce((sum, one) => sum + one.seams.joints * meanRatio(one), 0) / joints;
    const shift = ((usual - meanRatio(cell)) * borrowedJoints) / (borrowedJoints + cell.seams.joints);
    const runs = cell.runs.map(({ seamRatio, ...values }) =>
      seamRatio === undefined ? values : { ...values, seamRatio: seamRatio + shift },
    );
    return { ...cell, runs };
  });
}

type Measured = ScoredCell & { readonly seams: NonNullable<ScoredCell['seams']> };

function isMeasured(cell: ScoredCell): cell is Measured {
  return cell.seams !== undefined && cell.seams.joints > 0 && ratiosOf(cell).length > 0;
}

function meanRatio(cell: ScoredCell): number {
  const ratios = ratiosOf(cell);
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

function ratiosOf({ runs }: ScoredCell): number[] {
  return runs.flatMap(({ seamRatio }) => (seamRatio !== undefined && Number.isFinite(seamRatio) ? [seamRatio] : []));
}
