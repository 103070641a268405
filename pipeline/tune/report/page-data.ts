import type { ClipCurves } from '../../../stages/quality/clip-metrics.js';
import type { CellRun, TuneResult } from '../types.js';
import { cellNames } from './cell-groups.js';

type CurveKey = keyof ClipCurves | 'disagreement';

/** The curves that the page draws, in this order, as far as a run has them. */
export const shownCurves: readonly { readonly key: CurveKey; readonly title: string; readonly unit: string }[] = [
  { key: 'difference', title: 'Difference', unit: 'levels of 0..255' },
  { key: 'relativeDifference', title: 'Relative difference', unit: '1 is usual for the movement' },
  { key: 'disagreement', title: 'Overlap disagreement', unit: '' },
  { key: 'flicker', title: 'Flicker', unit: 'levels of 0..255' },
  { key: 'colorDistance', title: 'Colour distance', unit: 'ΔE from frame 0' },
  { key: 'sharpness', title: 'Sharpness', unit: 'variance of the Laplacian' },
  { key: 'pck10', title: 'PCK@0.1', unit: 'share of joints found' },
  { key: 'oks', title: 'OKS', unit: '0 to 1' },
  { key: 'psnr', title: 'PSNR', unit: 'dB' },
];

/**
 * What the page's script draws and plays, as the text of a JSON data block. Numbers are rounded to three digits, so that
 * hundreds of runs fit into a page.
 */
export function pageData(result: TuneResult): string {
  const names = cellNames(result.cells);
  const runs = result.cells.flatMap((cell) => cell.runs);
  const curves = shownCurves.filter(({ key }) => runs.some((run) => curveOf(run, key).some(isNumber)));
  const data = {
    framesPerSec: result.framesPerSec,
    curves,
    cells: result.cells.map((cell, index) => ({
      name: names[index],
      joints: cell.joints,
      runs: cell.runs.map((run) => ({
        seed: run.seed,
        frames: run.frames,
        curves: curves.map(({ key }) => trimmed(curveOf(run, key))),
      })),
    })),
    start: startCells(result),
  };
  // No text of a clip's name can end the block.
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** The cells that the player shows first: the recommended one, and the fastest of the others to see what it costs. */
function startCells({ cells, recommendation }: TuneResult): number[] {
  const playable = cells.flatMap((cell, index) => (cell.runs.length > 0 ? [index] : []));
  const cost = (index: number) => cells[index]?.values.secondsPerFrame?.mean ?? Number.POSITIVE_INFINITY;
  const best = playable.find((index) => cells[index]?.id === recommendation?.cell) ?? playable[0];
  if (best === undefined) return [];
  const others = playable.filter((index) => index !== best);
  // Runs that are compared keep their order.
  if (recommendation) others.sort((a, b) => cost(a) - cost(b));
  return [best, others[0] ?? best];
}

function curveOf(run: CellRun, key: CurveKey): readonly (number | undefined)[] {
  return key === 'disagreement' ? run.disagreement.frames : run.metrics.curves[key];
}

function trimmed(curve: readonly (number | undefined)[]): (number | null)[] {
  return curve.map((value) => (isNumber(value) ? Number(value.toPrecision(3)) : null));
}

const isNumber = (value: number | undefined | null): value is number =>
  typeof value === 'number' && Number.isFinite(value);
