import { styleText } from 'node:util';
import { printable } from '../progress/report-text.js';

export type Paint = Parameters<typeof styleText>[0];

/** A piece of a line, and how it is coloured. */
export type Piece = readonly [text: string, paint?: Paint | undefined];

const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;
const narrow = /\p{Mn}|\p{Me}|\p{Cf}/u;
/** Characters that reorder or break the text around them. */
const unruly = /[\n\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Foreign text as one line that cannot redraw, break or reorder what stands around it. */
export function oneLine(text: string): string {
  return printable(text.replace(unruly, '?'));
}

/** Columns that `text` takes on a terminal: two for East Asian letters and emoji, none for marks that stand on others. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const letter of text) cells += narrow.test(letter) ? 0 : wide.test(letter) ? 2 : 1;
  return cells;
}

/** The first letters of `text` that fit into `room` columns, with an ellipsis where something was cut. */
export function cutTo(text: string, room: number): string {
  if (cellsOf(text) <= room) return text;
  let kept = '';
  let cells = 0;
  for (const letter of text) {
    cells += cellsOf(letter);
    if (cells > room - 1) break;
    kept += letter;
  }
  return room > 0 ? `${kept}…` : '';
}

/** `text` cut or filled up to exactly `room` columns. */
export function column(text: string, room: number, side: 'left' | 'right' = 'left'): string {
  const cut = cutTo(text, room);
  const space = ' '.repeat(Math.max(0, room - cellsOf(cut)));
  return side === 'left' ? cut + space : space + cut;
}

/** Cuts a line of pieces to `room` columns; colours take no room. */
export function fitPieces(pieces: readonly Piece[], room: number): Piece[] {
  const kept: Piece[] = [];
  let left = room;
  for (const [text, paint] of pieces) {
    const cells = cellsOf(text);
    if (cells > left) {
      kept.push([left > 0 ? cutTo(text, left) : '', paint]);
      break;
    }
    kept.push([text, paint]);
    left -= cells;
  }
  return kept;
}

/** The pieces as one text, with or without colours. */
export function painted(pieces: readonly Piece[], color: boolean): string {
  return pieces
    .map(([text, paint]) => (color && paint && text ? styleText(paint, text, { validateStream: false }) : text))
    .join('');
}

/** A bar of `cells` columns. @param part 0 to 1. */
export function barOf(part: number, cells: number): string {
  const full = Math.round(Math.min(1, Math.max(0, part)) * cells);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)}`;
}
