import type { BatchEvent, BatchProgress, ClipEnd } from '../batch/types.js';
import type { ProgressEvent } from '../events.js';
import { type OpenStages, openStages } from '../progress/open-stages.js';
import { formatDuration, formatProgress, formatSeconds } from '../progress/report-text.js';
import type { Reporter, Terminal, Verbosity } from '../progress/reporter.js';
import {
  batchStartLines,
  doneText,
  errorText,
  failedText,
  retryText,
  warningFilter,
  warningText,
} from './batch-text.js';
import { barOf, cellsOf, column, oneLine, type Piece } from './cells.js';
import { liveArea } from './live-area.js';

const overallCells = 30;
const clipCells = 12;
/** More clips at work than this are only counted. */
const activeLines = 8;
const nameCells = 28;
/** A clip that has been between two stages for this long is waiting for its turn. */
const waitingMs = 1000;

/** What is known of a clip under way. */
type ActiveClip = {
  readonly attempt: number;
  readonly stages: OpenStages;
  idleSinceMs: number | undefined;
  /** Shown between two stages. */
  title: string;
};

export type BatchTerminal = Terminal & { readonly rows?: number | undefined };

/** For terminals: an overall bar and a line for each clip at work, redrawn in place; what has ended scrolls by above. */
export function ttyBatchReporter(
  terminal: BatchTerminal,
  verbosity: Verbosity,
  now: () => number = () => performance.now(),
): Reporter<BatchEvent> {
  const active = new Map<string, ActiveClip>();
  const repeated = warningFilter();
  let progress: BatchProgress | undefined;
  let ended = 0;
  let closed = false;

  const area = liveArea(terminal, () => [...overall(), ...clips()], now);
  const overall = (): Piece[][] => {
    if (!progress || verbosity === 'quiet') return [];
    const { done, failed, total, etaSec } = progress;
    return [
      [
        [barOf(total > 0 ? done / total : 0, overallCells), 'cyan'],
        [` ${ended}/${total} clips`],
        failed > 0 ? [`, ${failed} failed`, 'red'] : [''],
        etaSec === undefined ? [''] : [`, ${formatSeconds(etaSec)} left`, 'dim'],
      ],
    ];
  };
  const clips = (): Piece[][] => {
    if (verbosity === 'quiet' || active.size === 0) return [];
    const room = Math.max(1, Math.min(activeLines, (terminal.rows ?? 24) - 4));
    const shown = [...active].slice(0, room);
    const width = Math.min(nameCells, Math.max(...shown.map(([name]) => cellsOf(oneLine(name)))));
    const lines = shown.map(([name, clip]): Piece[] => [
      [`  ${column(oneLine(name), width)}  `, 'bold'],
      ...clipPieces(clip),
    ]);
    if (active.size > room) lines.push([[`  and ${active.size - room} more`, 'dim']]);
    return lines;
  };
  const clipPieces = ({ attempt, stages, idleSinceMs, ...clip }: ActiveClip): Piece[] => {
    const { title, progress } = stages.shown() ?? { title: clip.title };
    const again: Piece = [attempt > 1 ? ` (attempt ${attempt})` : '', 'yellow'];
    if (idleSinceMs !== undefined && now() - idleSinceMs >= waitingMs) return [['waiting', 'dim'], again];
    if (!progress) return [[title], again];
    const bar = progress.total ? ` ${barOf(progress.done / progress.total, clipCells)}` : '';
    return [[title], [bar, 'cyan'], [` ${formatProgress(progress)}`, 'dim'], again];
  };

  const clipEvent = (name: string, event: ProgressEvent) => {
    const clip = active.get(name);
    if (event.type === 'warning') {
      const more = repeated(event);
      if (more !== undefined) warn(`${oneLine(name)}: ${warningText(event)}${more}`);
    } else if (event.type === 'note') {
      if (verbosity === 'verbose') area.print([[`${oneLine(name)}: ${oneLine(event.message)}`, 'dim']]);
    } else if (!clip) return;
    else {
      const stage = clip.stages.follow(event);
      if (stage) Object.assign(clip, { title: stage.title, idleSinceMs: clip.stages.shown() ? undefined : now() });
      if (event.type === 'stage.done' && verbosity === 'verbose') {
        area.print([[`${oneLine(name)}: ${clip.title}, ${formatDuration(event.ms)}`, 'dim']]);
      }
    }
  };
  const clipEnd = (event: ClipEnd) => {
    active.delete(event.name);
    if (event.earlier) return;
    if (event.state !== 'interrupted') ended++;
    const name: Piece = [oneLine(event.name)];
    if (event.state === 'failed') {
      const what = event.error ? `: ${errorText(event.error)}` : '';
      area.print([['✗ ', 'red'], name, [` ${failedText(event)}${what}`, 'red']]);
      if (event.error?.hint) area.print([[`  hint: ${oneLine(event.error.hint)}`, 'dim']]);
    } else if (verbosity === 'quiet') return;
    else if (event.state === 'done') area.print([['✓ ', 'green'], name, [` ${doneText(event)}`, 'dim']]);
    else area.print([['- ', 'yellow'], name, [' interrupted', 'yellow']]);
  };
  const warn = (text: string) => area.print([['warning:', 'yellow'], [` ${text}`]]);

  const onEvent = (event: BatchEvent) => {
    if (closed) return;
    const loud = verbosity !== 'quiet';
    switch (event.type) {
      case 'batch.start':
        progress = { type: 'batch.progress', done: 0, failed: 0, total: event.clips };
        if (loud) for (const text of batchStartLines(event)) area.print([[text, 'dim']]);
        break;
      case 'clip.start':
        active.set(event.clip, {
          attempt: event.attempt,
          stages: openStages(oneLine),
          idleSinceMs: undefined,
          title: 'starting',
        });
        break;
      case 'clip.event':
        clipEvent(event.clip, event.event);
        break;
      case 'clip.retry': {
        const clip = active.get(event.clip);
        if (clip) Object.assign(clip, { title: `waits for attempt ${event.attempt + 1}`, progress: undefined });
        if (clip) Object.assign(clip, { attempt: 1, idleSinceMs: undefined });
        if (loud) area.print([['↻ ', 'yellow'], [oneLine(event.clip)], [` ${retryText(event)}`, 'yellow']]);
        break;
      }
      case 'clip.end':
        clipEnd(event);
        break;
      case 'batch.progress':
        progress = event;
        break;
      case 'batch.done':
        progress = undefined;
        active.clear();
        if (loud) area.print([[`summary page ${oneLine(event.summary)}`, 'dim']]);
        break;
      case 'warning':
        warn(warningText(event));
        break;
      case 'note':
        if (loud && (event.level === 'info' || verbosity === 'verbose')) area.print([[oneLine(event.message), 'dim']]);
        break;
      case 'run.error':
        break;
    }
    if (loud) area.refresh();
  };
  return {
    onEvent,
    close: () => {
      closed = true;
      area.close();
    },
  };
}
