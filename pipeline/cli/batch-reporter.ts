import type { BatchEvent } from '../batch/types.js';
import type { Output, Reporter, Verbosity } from '../progress/reporter.js';
import { plainBatchReporter } from './batch-report-plain.js';
import { type BatchTerminal, ttyBatchReporter } from './batch-report-tty.js';
import { jsonlReporter } from './report-jsonl.js';
import { isInteractive } from './reporter.js';

/** As `makeReporter`, for a batch: JSON Lines on stdout, a live display on a terminal, plain lines elsewhere. */
export function makeBatchReporter(
  style: { json: boolean; verbosity: Verbosity },
  streams: { stdout: Output; stderr: BatchTerminal; env: NodeJS.ProcessEnv },
): Reporter<BatchEvent> {
  if (style.json) return jsonlReporter<BatchEvent>(streams.stdout);
  return isInteractive(streams.stderr, streams.env)
    ? ttyBatchReporter(streams.stderr, style.verbosity)
    : plainBatchReporter(streams.stderr, style.verbosity);
}
