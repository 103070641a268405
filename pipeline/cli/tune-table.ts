import { cellNames } from '../tune/report/cell-groups.js';
import { type Column, type ColumnKey, columnsOf } from '../tune/report/columns.js';
import { formatMetric } from '../tune/report/format-metric.js';
import type { Cell, TuneResult } from '../tune/types.js';
import { cellsOf, column, oneLine, type Piece, painted } from './cells.js';

export type TuneTableOptions = {
  readonly color: boolean;
  /** Columns of the terminal. Default 100. */
  readonly columns?: number | undefined;
};

/** Two short lines over each column. */
const heads: Readonly<Record<ColumnKey, readonly [string, string]>> = {
  score: ['', 'score'],
  seamRatio: ['seam', 'ratio'],
  overlapDisagreement: ['dis-', 'agree'],
  windowPeriodicity: ['window', 'pulse'],
  decodePeriodicity: ['decode', 'pulse'],
  flicker: ['', 'flick'],
  colorDrift: ['colour', 'drift'],
  sharpnessUnevenness: ['uneven', 'sharp'],
  pck10: ['', 'PCK'],
  oks: ['', 'OKS'],
  psnr: ['PSNR', 'dB'],
  ssim: ['', 'SSIM'],
  secondsPerFrame: ['s per', 'frame'],
  peakMemoryBytes: ['memory', 'GB'],
  costFactor: ['cost', 'factor'],
};

/** Left out first where the terminal is too narrow. */
const dispensable: readonly ColumnKey[] = [
  ...(['decodePeriodicity', 'costFactor', 'ssim', 'pck10', 'peakMemoryBytes', 'windowPeriodicity'] as const),
  ...(['sharpnessUnevenness', 'overlapDisagreement', 'colorDrift', 'oks', 'flicker', 'psnr'] as const),
];

/**
 * A sweep as a table for terminals: a row a cell, the best score first, then the cells that were not measured, each with the
 * reason; the recommended cell and the front are marked, the best value of each column is green. Then the recommendation.
 */
export function tuneTable(result: TuneResult, { color, columns: room = 100 }: TuneTableOptions): string {
  const names = cellNames(result.cells).map(oneLine);
  const nameRoom = Math.min(40, Math.max(4, ...names.map(cellsOf)));
  const { shown, left } = fitting(result, room - nameRoom - 2);
  const rows = result.cells
    .map((cell, index) => ({ cell, name: names[index] as string }))
    .sort((a, b) => (b.cell.score ?? -1) - (a.cell.score ?? -1));
  const measured = rows.filter(({ cell }) => shown.some((one) => one.of(cell) !== undefined));
  const others = rows.filter((row) => !measured.includes(row));

  const lines: Piece[][] = [];
  if (measured.length > 0) {
    for (const line of [0, 1] as const) {
      const texts = shown.map((one) => column(heads[one.key][line], widthOf(one, result), 'right'));
      lines.push([[`  ${column(line === 1 ? 'cell' : '', nameRoom)} ${texts.join(' ')}`, 'dim']]);
    }
  }
  for (const { cell, name } of measured) {
    const best = cell.id === result.recommendation?.cell;
    const mark: Piece = best ? ['★ ', 'magenta'] : [cell.onFront ? '◆ ' : '  ', 'cyan'];
    lines.push([mark, [column(name, nameRoom), best ? 'bold' : undefined], ...numbersOf(cell, shown, result)]);
    if (cell.state !== 'done') lines.push([[`    ${stateText(cell)}`, 'dim']]);
  }
  for (const { cell, name } of others) {
    const paint = cell.state === 'failed' ? 'red' : 'dim';
    lines.push([[`  ${column(name, nameRoom)} `], [stateText(cell), paint]]);
  }
  if (left.length > 0) {
    lines.push([[`not shown for want of room: ${left.map(({ title }) => title).join(', ')}`, 'dim']]);
  }
  lines.push(...legend(result), ...recommendationLines(result));
  return lines.map((pieces) => `${painted(pieces, color).trimEnd()}\n`).join('');
}

function stateText({ state, why }: Cell): string {
  const text = { done: 'no numbers', invalid: 'not run', dominated: 'left out', failed: 'failed' }[state];
  return why ? `${text}: ${oneLine(why)}` : text;
}

/** The columns that fit into `room`, and those that had to go. */
function fitting(result: TuneResult, room: number): { shown: readonly Column[]; left: readonly Column[] } {
  const all = columnsOf(result);
  const gone = new Set<ColumnKey>();
  const taken = () => all.filter(({ key }) => !gone.has(key)).reduce((sum, one) => sum + widthOf(one, result) + 1, 0);
  for (const key of dispensable) {
    if (taken() <= room) break;
    gone.add(key);
  }
  return { shown: all.filter(({ key }) => !gone.has(key)), left: all.filter(({ key }) => gone.has(key)) };
}

const textOf = (one: Column, cell: Cell) => formatMetric(one.key, one.of(cell)?.mean);

function widthOf(one: Column, { cells }: TuneResult): number {
  return Math.max(...heads[one.key].map(cellsOf), ...cells.map((cell) => textOf(one, cell).length));
}

function numbersOf(cell: Cell, shown: readonly Column[], result: TuneResult): Piece[] {
  return shown.map((one) => {
    const text = textOf(one, cell);
    const all = result.cells.map((other) => one.of(other)?.mean).filter((value) => value !== undefined);
    const ideal = one.better === 'lower' ? Math.min(...all) : Math.max(...all);
    const best = all.length > 1 && text === formatMetric(one.key, ideal);
    return [` ${column(text, widthOf(one, result), 'right')}`, best ? 'green' : undefined];
  });
}

function legend({ cells, recommendation, seeds }: TuneResult): Piece[][] {
  const marks = [
    recommendation && '★ recommended',
    cells.some(({ onFront }) => onFront) && '◆ no other is cheaper and better',
    seeds.length > 1 && `means of ${seeds.length} seeds`,
  ].filter((mark) => mark !== false && mark !== undefined);
  return marks.length > 0 ? [[[marks.join(', '), 'dim']]] : [];
}

function recommendationLines({ recommendation }: TuneResult): Piece[][] {
  if (!recommendation) return [];
  const lines: Piece[][] = recommendation.reasons.map((reason) => [[oneLine(reason)]]);
  if (recommendation.withinNoise) {
    lines.push([['Within noise: the best cells differ by less than chance does.', 'yellow']]);
  }
  return [[['']], ...lines];
}
