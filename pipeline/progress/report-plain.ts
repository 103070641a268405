import type { ProgressEvent } from '../events.js';
import { formatDuration, formatProgress, formatSeconds, printable, runStartText } from './report-text.js';
import type { Output, Reporter, Verbosity } from './reporter.js';

/** A long stage says where it is this often. */
const everyMs = 10_000;

/** For logs and pipes: one line a stage, and one every ten seconds within a long one. */
export function plainReporter(
  output: Output,
  verbosity: Verbosity,
  now: () => number = () => performance.now(),
): Reporter {
  let title = '';
  let reused = false;
  let lastLineMs = now();
  let closed = false;
  const line = (text: string) => {
    lastLineMs = now();
    output.write(`${printable(text)}\n`);
  };
  const onEvent = (event: ProgressEvent) => {
    if (closed) return;
    if (event.type === 'warning') {
      line(`warning: ${event.message}${event.hint ? ` (hint: ${event.hint})` : ''}`);
      return;
    }
    if (verbosity === 'quiet') return;
    switch (event.type) {
      case 'run.start':
        line(runStartText(event));
        break;
      case 'stage.start':
        title = event.title;
        reused = event.reused === true;
        // Counts as the last line for the ten seconds; what is reused is over at once and has no other line.
        lastLineMs = now();
        if (reused) line(`${title}: reused`);
        break;
      case 'stage.progress':
        if (now() - lastLineMs >= everyMs) line(`${title}: ${formatProgress(event)}`);
        break;
      case 'stage.done':
        if (!reused) line(`${title}: done in ${formatDuration(event.ms)}`);
        break;
      case 'note':
        if (event.level === 'info' || verbosity === 'verbose') line(event.message);
        break;
      case 'run.done':
        line(`${event.frames} frames in ${formatSeconds(event.seconds)}`);
        break;
      case 'run.error':
        break;
    }
  };
  return {
    onEvent,
    close: () => {
      closed = true;
    },
  };
}
