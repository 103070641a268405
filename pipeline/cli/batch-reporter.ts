import type { BatchEvent } from '../batch/types.js';
import type { Reporter } from '../progress/reporter.js';
import { plainBatchReporter } from './batch-report-plain.js';
import { type BatchTerminal, ttyBatchReporter } from './batch-report-tty.js';
import { chooseReporter, type ReporterStreams, type ReporterStyle } from './reporter.js';

/** For a batch. */
export function makeBatchReporter(style: ReporterStyle, streams: ReporterStreams<BatchTerminal>): Reporter<BatchEvent> {
  return chooseReporter(style, streams, ttyBatchReporter, plainBatchReporter);
}
