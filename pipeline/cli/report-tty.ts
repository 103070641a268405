import { styleText } from 'node:util';
import type { ProgressEvent, StageProgress } from '../events.js';
import { openStages } from '../progress/open-stages.js';
import { formatDuration, formatProgress, formatSeconds, printable, runStartText } from '../progress/report-text.js';
import type { Reporter, Terminal, Verbosity } from '../progress/reporter.js';

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const clearLine = '\r\x1b[2K';
/** Redrawing more often only flickers. */
const redrawMs = 80;
const barCells = 24;
const paint = (format: Parameters<typeof styleText>[0], text: string) =>
  styleText(format, text, { validateStream: false });

/** For terminals: one line a finished stage, and a bar with an estimate for the one at work. */
export function ttyReporter(
  terminal: Terminal,
  verbosity: Verbosity,
  now: () => number = () => performance.now(),
): Reporter {
  const stages = openStages(printable);
  let barShown = false;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let closed = false;

  const line = (text: string) => {
    terminal.write(`${barShown ? clearLine + showCursor : ''}${text}\n`);
    barShown = false;
  };
  const draw = (text: string) => {
    // One column is left free: a full line would wrap, and could not be cleared.
    const room = Math.max(20, (terminal.columns ?? 80) - 1);
    terminal.write(
      `${barShown ? '' : hideCursor}${clearLine}${text.length > room ? `${text.slice(0, room - 1)}…` : text}`,
    );
    barShown = true;
    drawnMs = now();
  };

  const drawStage = () => {
    const { title, progress } = stages.shown() ?? {};
    if (title) draw(progress ? `  ${title} ${bar(progress)} ${formatProgress(progress)}` : `  ${title} ...`);
  };

  const onEvent = (event: ProgressEvent) => {
    if (closed) return;
    if (event.type === 'warning') {
      line(
        `${paint('yellow', 'warning:')} ${printable(event.message)}${event.hint ? ` (hint: ${printable(event.hint)})` : ''}`,
      );
      return;
    }
    if (verbosity === 'quiet') return;
    const stage = stages.follow(event);
    switch (event.type) {
      case 'run.start':
        line(paint('dim', printable(runStartText(event))));
        break;
      case 'stage.start':
        if (stage?.reused) line(`${paint('green', '✓')} ${stage.title} ${paint('dim', 'reused')}`);
        drawStage();
        drawnMs = Number.NEGATIVE_INFINITY;
        break;
      case 'stage.progress':
        if (now() - drawnMs >= redrawMs) drawStage();
        break;
      case 'stage.done':
        if (!stage?.reused) line(`${paint('green', '✓')} ${stage?.title} ${paint('dim', formatDuration(event.ms))}`);
        drawStage();
        break;
      case 'note':
        if (event.level === 'info' || verbosity === 'verbose') line(paint('dim', printable(event.message)));
        break;
      case 'run.done':
        line(`${paint('green', '✓')} ${event.frames} frames in ${formatSeconds(event.seconds)}`);
        break;
      case 'run.error':
        break;
    }
  };
  return {
    onEvent,
    close: () => {
      if (barShown) terminal.write(clearLine + showCursor);
      closed = true;
    },
  };
}

function bar({ done, total }: StageProgress): string {
  if (total === undefined || total <= 0) return '';
  const full = Math.round(Math.min(1, done / total) * barCells);
  return `${'█'.repeat(full)}${'░'.repeat(barCells - full)}`;
}
