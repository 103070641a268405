import type { PlannedCell } from './grid.js';
import { presumedNoise } from './noise.js';

/** A cell whose first run is done. */
export type TriedCell = { readonly cell: PlannedCell; readonly score: number };

/** A score so much worse at a higher cost is not made good by other seeds. */
const hopeless = 2 * presumedNoise;

const directions = ['overlap', 'steps'] as const;

/**
 * Why a cell is not worth a run, or undefined when it is. The rule: among cells that differ from this one in the overlap alone
 * (or in the steps alone), the last one tried was dearer than an earlier one and worse by more than chance
 * ({@link presumedNoise}), so going on in this direction costs still more for less. It is a bet on quality going one way along a
 * direction, not a proof; `--all` does without.
 * @param tried cells before this one in the order of the grid, with scores among themselves
 */
export function whyDominated(cell: PlannedCell, tried: readonly TriedCell[]): string | undefined {
  for (const direction of directions) {
    const line = tried
      .filter((other) => isBefore(other.cell, cell, direction))
      .sort((a, b) => a.cell.settings[direction] - b.cell.settings[direction]);
    const last = line.at(-1);
    if (!last || cell.forwardFrames < last.cell.forwardFrames) continue;
    const better = line.find(
      (other) =>
        other.cell.forwardFrames < last.cell.forwardFrames &&
        other.score > last.score + presumedNoise &&
        other !== last,
    );
    if (!better) continue;
    const cost = (last.cell.forwardFrames / better.cell.forwardFrames).toFixed(2);
    return (
      `${last.cell.id} costs ${cost} times as much as ${better.cell.id} and scores ` +
      `${(better.score - last.score).toFixed(2)} less, and more ${direction} costs still more`
    );
  }
  return undefined;
}

/** Why a cell gets no further seeds: another one is cheaper and better by more than other seeds could change. */
export function whyNoMoreSeeds(own: TriedCell, tried: readonly TriedCell[]): string | undefined {
  const better = tried
    .filter(({ cell, score }) => cell.forwardFrames < own.cell.forwardFrames && score > own.score + hopeless)
    .sort((a, b) => b.score - a.score)[0];
  if (!better) return undefined;
  return `one seed was enough: ${better.cell.id} is cheaper and scores ${(better.score - own.score).toFixed(2)} more`;
}

function isBefore(other: PlannedCell, cell: PlannedCell, direction: (typeof directions)[number]): boolean {
  const names = ['chunk', 'overlap', 'fusion', 'steps'] as const;
  const [a, b] = [other.settings, cell.settings];
  return a[direction] < b[direction] && names.every((name) => name === direction || a[name] === b[name]);
}
