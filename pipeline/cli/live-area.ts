import type { Terminal } from '../progress/reporter.js';
import { cellsOf, fitPieces, type Piece, painted } from './cells.js';

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
/** Redrawing more often only flickers. */
const redrawMs = 80;

/** Lines at the bottom of a terminal that are drawn anew in place, while others scroll by above them. */
export type LiveArea = {
  /** Writes a line that stays, above the area. */
  readonly print: (pieces: readonly Piece[]) => void;
  /** Asks for a redraw: now, or when 80 ms have passed since the last. */
  readonly refresh: () => void;
  /** Removes the area and gives the cursor back. Nothing is drawn after it. */
  readonly close: () => void;
};

/**
 * @param lines what the area shows; called at every redraw. Each is cut to the terminal's width.
 * @param now milliseconds, monotonic.
 */
export function liveArea(terminal: Terminal, lines: () => readonly (readonly Piece[])[], now: () => number): LiveArea {
  /** Columns that each drawn line takes, to find the area's top again should the terminal become narrower. */
  let drawn: number[] = [];
  let hidden = false;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const columns = () => Math.max(20, terminal.columns || 80);
  const erase = () => {
    if (drawn.length === 0) return '';
    const rows = drawn.reduce((sum, cells) => sum + Math.max(1, Math.ceil(cells / columns())), 0);
    drawn = [];
    // The cursor stands in the last line of the area.
    return `\r${rows > 1 ? `\x1b[${rows - 1}A` : ''}\x1b[0J`;
  };
  const draw = () => {
    clearTimeout(timer);
    timer = undefined;
    // One column is left free: a full line would wrap.
    const cut = lines().map((pieces) => fitPieces(pieces, columns() - 1));
    const cleared = erase();
    drawn = cut.map((pieces) => pieces.reduce((sum, [text]) => sum + cellsOf(text), 0));
    const hide = hidden || cut.length === 0 ? '' : hideCursor;
    hidden ||= cut.length > 0;
    drawnMs = now();
    return `${hide}${cleared}${cut.map((pieces) => painted(pieces, true)).join('\n')}`;
  };
  return {
    print: (pieces) => {
      if (closed) return;
      const cleared = erase();
      terminal.write(`${cleared}${painted(pieces, true)}\n${draw()}`);
    },
    refresh: () => {
      if (closed || timer) return;
      const waitMs = drawnMs + redrawMs - now();
      if (waitMs <= 0) terminal.write(draw());
      else timer = setTimeout(() => terminal.write(draw()), waitMs).unref();
    },
    close: () => {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      terminal.write(`${erase()}${hidden ? showCursor : ''}`);
    },
  };
}
