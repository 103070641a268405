import type { ProgressEvent } from '../events.js';
import { formatSeconds } from '../progress/report-text.js';
import type { Output, Reporter, Verbosity } from '../progress/reporter.js';
import type { TuneEvent } from '../tune/types.js';
import type { BatchTerminal } from './batch-report-tty.js';
import { warningFilter, warningText } from './batch-text.js';
import { barOf, oneLine, type Piece } from './cells.js';
import { liveArea } from './live-area.js';
import { chooseReporter, type ReporterStreams, type ReporterStyle } from './reporter.js';

type Progress = Extract<TuneEvent, { type: 'tune.progress' }>;

/** A sweep says where it is at least this often, as long as anything happens. */
const everyMs = 30_000;
const barCells = 24;

/** For a sweep. */
export function makeTuneReporter(style: ReporterStyle, streams: ReporterStreams<BatchTerminal>): Reporter<TuneEvent> {
  return chooseReporter(style, streams, ttyTuneReporter, plainTuneReporter);
}

/** For logs and pipes: a line for what is prepared, for each cell's runs and end, and every 30 s where the sweep is. */
export function plainTuneReporter(
  output: Output,
  verbosity: Verbosity,
  now: () => number = () => performance.now(),
): Reporter<TuneEvent> {
  const lines = tuneLines(verbosity);
  let [toldMs, closed] = [now(), false];
  return {
    onEvent(event) {
      if (closed) return;
      for (const [text] of lines(event)) {
        toldMs = now();
        output.write(`${text}\n`);
      }
      if (event.type !== 'tune.progress' || verbosity === 'quiet' || now() - toldMs < everyMs) return;
      toldMs = now();
      output.write(`${percentOf(event)}${leftText(event)}\n`);
    },
    close: () => {
      closed = true;
    },
  };
}

/** For terminals: the same lines, and below them how far the sweep is and what it does. */
export function ttyTuneReporter(
  terminal: BatchTerminal,
  verbosity: Verbosity,
  now: () => number = () => performance.now(),
): Reporter<TuneEvent> {
  const lines = tuneLines(verbosity);
  let progress: Progress | undefined;
  let [cell, stage] = ['', ''];
  const area = liveArea(
    terminal,
    () => {
      if (verbosity === 'quiet' || (!progress && !stage)) return [];
      const bar: Piece[] = progress
        ? [[barOf(progress.done / progress.total, barCells), 'cyan'], [` ${percentOf(progress)}${leftText(progress)}`]]
        : [];
      return [[...bar, [`${progress ? '  ' : ''}${cell ? `${cell}: ` : ''}${stage}`, 'dim']]];
    },
    now,
  );
  const follow = (event: ProgressEvent) => {
    if (event.type === 'stage.start') stage = oneLine(event.title);
  };
  return {
    onEvent(event) {
      if (event.type === 'tune.progress') progress = event;
      else if (event.type === 'cell.start') cell = event.cell;
      else if (event.type === 'cell.event' || event.type === 'tune.event') follow(event.event);
      else if (event.type === 'tune.done' || event.type === 'run.error') [progress, stage, cell] = [undefined, '', ''];
      for (const [text, paint] of lines(event)) area.print([[text, paint]]);
      area.refresh();
    },
    close: area.close,
  };
}

/** What is said of an event in lines that stay. */
function tuneLines(verbosity: Verbosity): (event: TuneEvent) => readonly Piece[] {
  const repeated = warningFilter();
  const inner = (name: string, event: ProgressEvent): readonly Piece[] => {
    if (event.type === 'warning') {
      const more = repeated(event);
      return more === undefined ? [] : [[`${name}warning: ${warningText(event)}${more}`, 'yellow']];
    }
    if (verbosity === 'quiet') return [];
    if (event.type === 'note' && (verbosity === 'verbose' || (event.level === 'info' && name === '')))
      return [[`${name}${oneLine(event.message)}`, 'dim']];
    // Of a cell's own stages only who asks wants to know.
    const told = event.type === 'stage.start' && (verbosity === 'verbose' || (name === '' && !event.reused));
    return told ? [[`${name}${oneLine(event.title)}`, 'dim']] : [];
  };
  return (event) => {
    switch (event.type) {
      case 'warning':
      case 'note':
        return inner('', event);
      case 'tune.event':
        return inner('', event.event);
      case 'cell.event':
        return inner(`${event.cell}: `, event.event);
      case 'tune.start': {
        const times = event.seeds > 1 ? `, ${event.seeds} seeds each` : '';
        const text = `${event.left} of ${event.cells} cells of ${event.frames} frames${times}, in ${oneLine(event.dir)}`;
        return verbosity === 'quiet' ? [] : [[text]];
      }
      case 'cell.start':
        return verbosity === 'quiet' ? [] : [[`${event.cell}: seed ${event.seed}`]];
      case 'cell.end':
        return endLines(event, verbosity);
      case 'tune.done':
        return verbosity === 'quiet' ? [] : [[`report ${oneLine(event.report)}`]];
      default:
        return [];
    }
  };
}

function endLines(
  { cell, state, why }: Extract<TuneEvent, { type: 'cell.end' }>,
  verbosity: Verbosity,
): readonly Piece[] {
  if (verbosity === 'quiet' && state !== 'failed') return [];
  const reason = why ? `: ${oneLine(why)}` : '';
  if (state === 'done') return why ? [[`${cell}${reason}`, 'dim']] : [];
  const words = { failed: 'failed', invalid: 'cannot be run', dominated: 'left out' } as const;
  return [[`${cell} ${words[state]}${reason}`, state === 'failed' ? 'red' : 'dim']];
}

function percentOf({ done, total }: Progress): string {
  return `${Math.floor((done / total) * 100)} %`;
}

function leftText({ etaSec }: Progress): string {
  return etaSec === undefined ? '' : `, ${formatSeconds(etaSec)} left`;
}
