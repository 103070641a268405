import { batchTotals, countsText, type ShownState, shownState, startUpsText } from '../batch/totals.js';
import type { BatchResult, ClipOutcome } from '../batch/types.js';
import { formatSeconds } from '../progress/report-text.js';
import { cellsOf, column, oneLine, type Paint, type Piece, painted } from './cells.js';

/** Rows of clips that are well; failed ones are listed all. */
const doneRows = 30;
const skippedRows = 20;
const nameCells = 40;

const paints: Readonly<Record<ShownState, Paint>> = {
  done: 'green',
  'done earlier': 'dim',
  failed: 'red',
  interrupted: 'yellow',
};

/**
 * The table at the end of a batch: failed clips first, all of them, each with what went wrong; then interrupted and
 * finished ones, of a large batch only the first; skipped files; totals.
 */
export function batchTable(result: BatchResult, { color }: { color: boolean }): string {
  const of = (...states: ShownState[]) => result.clips.filter((clip) => states.includes(shownState(clip)));
  const groups = [
    { clips: of('failed'), limit: Number.POSITIVE_INFINITY },
    { clips: of('interrupted'), limit: doneRows },
    { clips: of('done', 'done earlier'), limit: doneRows },
  ];
  const listed = groups.flatMap(({ clips, limit }) => clips.slice(0, limit));
  const skipped = result.skipped.slice(0, skippedRows);
  const names = [...listed, ...skipped].map(({ name }) => cellsOf(oneLine(name)));
  const width = Math.min(nameCells, Math.max(4, ...names));

  const lines: Piece[][] = [];
  if (listed.length > 0)
    lines.push([[cells(width, ['clip', 'state', 'frames', 'time', 'attempts', 'start-up']), 'dim']]);
  for (const { clips, limit } of groups) {
    for (const clip of clips.slice(0, limit)) lines.push(...rowOf(clip, width));
    if (clips.length > limit) lines.push([[`and ${clips.length - limit} more`, 'dim']]);
  }
  for (const { name, why } of skipped) {
    lines.push([[`${column(oneLine(name), width)}  `], [`skipped: ${oneLine(why)}`, 'dim']]);
  }
  if (result.skipped.length > skippedRows) {
    lines.push([[`and ${result.skipped.length - skippedRows} more skipped`, 'dim']]);
  }
  lines.push(...totalLines(result));
  return lines.map((pieces) => `${painted(pieces, color).trimEnd()}\n`).join('');
}

function rowOf(clip: ClipOutcome, width: number): Piece[][] {
  const { name, frames, seconds, attempts, startUpSec, error } = clip;
  const state = shownState(clip);
  const text = cells(width, [
    oneLine(name),
    state,
    frames === undefined ? '' : String(frames),
    seconds === undefined ? '' : formatSeconds(seconds),
    attempts > 0 ? String(attempts) : '',
    startUpSec === undefined ? '' : `${startUpSec.toFixed(1)} s`,
  ]);
  // The state stands behind the name, and the rest behind the state.
  const at = column(oneLine(name), width).length + 2;
  const rows: Piece[][] = [
    [[text.slice(0, at)], [text.slice(at, at + state.length), paints[state]], [text.slice(at + state.length)]],
  ];
  if (error) {
    rows.push([['  '], [oneLine(error.code), 'red'], [`: ${oneLine(error.what)}`]]);
    if (error.hint) rows.push([[`  hint: ${oneLine(error.hint)}`, 'dim']]);
  }
  return rows;
}

function cells(width: number, [name, state, ...numbers]: string[]): string {
  const widths = [6, 12, 8, 8];
  const right = numbers.map((text, i) => column(text, widths[i] ?? 8, 'right'));
  return [column(name ?? '', width), column(state ?? '', 12), ...right].join('  ');
}

function totalLines(result: BatchResult): Piece[][] {
  const { counts, clipsPerMinute, startUps } = batchTotals(result);
  const pace =
    clipsPerMinute === undefined ? '' : `, ${clipsPerMinute.toFixed(clipsPerMinute < 10 ? 2 : 1)} clips a minute`;
  const lines: Piece[][] = [[[`${countsText(counts)}; ${formatSeconds(result.seconds)} in all${pace}`, 'bold']]];
  if (startUps) lines.push([[startUpsText(startUps)]]);
  return lines;
}
