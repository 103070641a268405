import type { ProgressEvent } from '../events.js';
import { openStages } from './open-stages.js';
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
  const stages = openStages((title) => title);
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
    const stage = stages.follow(event);
    switch (event.type) {
      case 'run.start':
        line(runStartText(event));
        break;
      case 'stage.start':
        // Counts as the last line for the ten seconds; what is reused is over at once and has no other line.
        lastLineMs = now();
        if (stage?.reused) line(`${stage.title}: reused`);
        break;
      case 'stage.progress':
        if (now() - lastLineMs >= everyMs) line(`${stage?.title}: ${formatProgress(event)}`);
        break;
      case 'stage.done':
        if (!stage?.reused) line(`${stage?.title}: done in ${formatDuration(event.ms)}`);
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
