import type { BatchEvent, BatchProgress, ClipEnd } from '../batch/types.js';
import type { ProgressEvent } from '../events.js';
import { formatDuration } from '../progress/report-text.js';
import type { Output, Reporter, Verbosity } from '../progress/reporter.js';
import {
  batchStartLines,
  doneText,
  errorText,
  failedText,
  outlookText,
  retryText,
  warningFilter,
  warningText,
} from './batch-text.js';
import { oneLine } from './cells.js';

/** The batch says where it is at least this often, as long as anything happens. */
const everyMs = 30_000;

/** For logs and pipes: lines for a clip's start, retries and end, warnings, and every 30 s where the batch is. */
export function plainBatchReporter(
  output: Output,
  verbosity: Verbosity,
  now: () => number = () => performance.now(),
): Reporter<BatchEvent> {
  const repeated = warningFilter();
  let ended = 0;
  let failed = 0;
  let progress: BatchProgress = { type: 'batch.progress', done: 0, failed: 0, total: 0 };
  let toldMs = now();
  let closed = false;
  const line = (text: string) => output.write(`${text}\n`);
  const outlook = () => {
    toldMs = now();
    const text = outlookText({ ...progress, failed });
    return text && `, ${text}`;
  };

  const clipEvent = (name: string, event: ProgressEvent) => {
    if (event.type === 'warning') {
      const more = repeated(event);
      if (more !== undefined) line(`${name}: warning: ${warningText(event)}${more}`);
    } else if (verbosity !== 'verbose') return;
    else if (event.type === 'note') line(`${name}: ${oneLine(event.message)}`);
    else if (event.type === 'stage.done') line(`${name}: ${event.stage} done in ${formatDuration(event.ms)}`);
  };
  const clipEnd = (event: ClipEnd) => {
    if (event.earlier) return;
    const name = oneLine(event.name);
    if (event.state !== 'interrupted') ended++;
    const place = `[${ended}/${progress.total}] ${name}:`;
    if (event.state === 'failed') {
      failed++;
      const error = event.error ? `: ${errorText(event.error)}` : '';
      const hint = event.error?.hint ? `, hint: ${oneLine(event.error.hint)}` : '';
      line(`${place} ${failedText(event)}${error}${hint}`);
    } else if (verbosity === 'quiet') return;
    else if (event.state === 'done') line(`${place} done${prefixed(', ', doneText(event))}${outlook()}`);
    else line(`${place} interrupted`);
  };

  const onEvent = (event: BatchEvent) => {
    if (closed) return;
    if (event.type === 'warning') line(`warning: ${warningText(event)}`);
    else if (event.type === 'clip.event') clipEvent(oneLine(event.clip), event.event);
    else if (event.type === 'clip.end') clipEnd(event);
    else if (event.type === 'batch.progress') progress = event;
    else if (event.type === 'batch.start') progress = { ...progress, total: event.clips };
    if (verbosity === 'quiet') return;
    if (event.type === 'batch.start') for (const text of batchStartLines(event)) line(text);
    else if (event.type === 'clip.start' && event.attempt === 1) line(`${oneLine(event.clip)}: started`);
    else if (event.type === 'clip.start') line(`${oneLine(event.clip)}: attempt ${event.attempt}`);
    else if (event.type === 'clip.retry') line(`${oneLine(event.clip)}: ${retryText(event)}`);
    else if (event.type === 'batch.done') line(`summary page ${oneLine(event.summary)}`);
    else if (event.type === 'note' && (event.level === 'info' || verbosity === 'verbose')) line(oneLine(event.message));
    if (progress.total > 0 && event.type !== 'batch.done' && now() - toldMs >= everyMs) {
      const percent = Math.floor((progress.done / progress.total) * 100);
      line(`${ended}/${progress.total} clips, ${percent} %${outlook()}`);
    }
  };
  return {
    onEvent,
    close: () => {
      closed = true;
    },
  };
}

const prefixed = (prefix: string, text: string) => (text ? prefix + text : '');
