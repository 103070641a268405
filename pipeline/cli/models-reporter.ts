import type { ModelEvent } from '../model-store/types.js';
import { formatBytes, formatSeconds } from '../progress/report-text.js';
import type { Output, Reporter, Terminal, Verbosity } from '../progress/reporter.js';
import { barOf, oneLine, type Piece } from './cells.js';
import { liveArea } from './live-area.js';
import { licenceLines } from './models-text.js';
import { chooseReporter, type ReporterStreams, type ReporterStyle } from './reporter.js';

/** Where there is no terminal, a download says where it is this often. */
const everyMs = 30_000;
const barCells = 24;

type Progress = Extract<ModelEvent, { type: 'pull.progress' }>;

/** For `pantomime models`. */
export function makeModelsReporter(style: ReporterStyle, streams: ReporterStreams): Reporter<ModelEvent> {
  return chooseReporter(style, streams, ttyReporter, plainReporter);
}

function plainReporter(
  output: Output,
  verbosity: Verbosity,
  now: () => number = () => performance.now(),
): Reporter<ModelEvent> {
  let [toldMs, closed] = [now(), false];
  return {
    onEvent(event) {
      if (closed) return;
      const lines = linesOf(event, verbosity);
      const due = event.type === 'pull.progress' && verbosity !== 'quiet' && now() - toldMs >= everyMs;
      if (lines.length > 0 || due) toldMs = now();
      for (const [text] of lines) output.write(`${text}\n`);
      if (due) output.write(`${progressText(event)}\n`);
    },
    close: () => {
      closed = true;
    },
  };
}

function ttyReporter(terminal: Terminal, verbosity: Verbosity): Reporter<ModelEvent> {
  let progress: Progress | undefined;
  const area = liveArea(
    terminal,
    () => {
      if (!progress || verbosity === 'quiet') return [];
      const { doneBytes, totalBytes } = progress;
      return [[[barOf(doneBytes / Math.max(totalBytes, 1), barCells), 'cyan'], [` ${progressText(progress)}`]]];
    },
    () => performance.now(),
  );
  return {
    onEvent(event) {
      if (event.type === 'pull.progress') progress = event;
      else if (event.type === 'pull.done' || event.type === 'run.error') progress = undefined;
      for (const piece of linesOf(event, verbosity)) area.print([piece]);
      // Nothing is drawn before there is something to draw: a question may be on the screen.
      if (progress || event.type === 'pull.done') area.refresh();
    },
    close: area.close,
  };
}

function progressText({ doneBytes, totalBytes, etaSec }: Progress): string {
  const left = etaSec === undefined ? '' : `, ${formatSeconds(etaSec)} left`;
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}${left}`;
}

/** What is said of an event in lines that stay. */
function linesOf(event: ModelEvent, verbosity: Verbosity): readonly Piece[] {
  // Whoever has to accept a licence has to see it.
  if (event.type === 'pull.licences' && (verbosity !== 'quiet' || event.licences.some(({ ask }) => ask)))
    return event.licences.flatMap((licence) => licenceLines(licence).map((text): Piece => [text]));
  if (verbosity === 'quiet') return [];
  switch (event.type) {
    case 'note':
      return event.level === 'info' || verbosity === 'verbose' ? [[oneLine(event.message), 'dim']] : [];
    case 'pull.start':
      return [[`${event.files} files, ${formatBytes(event.missingBytes)} to download`]];
    case 'pull.file':
      return event.state === 'begun' ? [] : [[`${oneLine(event.path)} ${fileStates[event.state]}`, 'dim']];
    case 'verify.file':
      return [[`${event.model}: ${oneLine(event.file)} ${event.state}`, event.state === 'right' ? 'dim' : 'yellow']];
    default:
      return [];
  }
}

const fileStates = { waiting: 'is being downloaded by another process; waiting', done: 'is here' } as const;
