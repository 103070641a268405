import { median } from '../../stages/quality/median.js';
import type { Cell } from './types.js';

type Timed = Pick<Cell, 'id' | 'settings' | 'runs'>;

/**
 * Seconds a frame of each cell, steadied: how long a window takes is decided by its chunk alone, so it is the median over all
 * runs of the chunk, times the windows of the cell. Other programs on the machine then make no cell look dear by chance.
 * Cells without times are left out.
 */
export function steadyTimes(cells: readonly Timed[]): ReadonlyMap<string, number> {
  const work = ({ settings, runs }: Timed) => (runs[0]?.values.costFactor ?? Number.NaN) * settings.steps;
  const rates = new Map<number, number[]>();
  for (const cell of cells)
    for (const { values } of cell.runs) {
      const rate = (values.secondsPerFrame ?? Number.NaN) / work(cell);
      const ofChunk = rates.get(cell.settings.chunk) ?? [];
      if (Number.isFinite(rate)) rates.set(cell.settings.chunk, [...ofChunk, rate]);
    }
  return new Map(
    cells.flatMap((cell): [string, number][] => {
      const rate = median(rates.get(cell.settings.chunk) ?? []);
      const seconds = (rate ?? Number.NaN) * work(cell);
      return Number.isFinite(seconds) ? [[cell.id, seconds]] : [];
    }),
  );
}
