import type { ProgressEvent } from '../events.js';
import { jsonlReporter } from './report-jsonl.js';
import { plainReporter } from './report-plain.js';
import { ttyReporter } from './report-tty.js';

/** Shows a run to its user. `close` puts the terminal back in order; nothing is written after it. */
export type Reporter<Event = ProgressEvent> = {
  readonly onEvent: (event: Event) => void;
  readonly close: () => void;
};

export type Verbosity = 'quiet' | 'normal' | 'verbose';

/** A place to write text to. */
export type Output = { readonly write: (text: string) => unknown };

export type Terminal = Output & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

/** Whether `stream` can redraw a line and show colours. */
export function isInteractive(stream: Terminal, env: NodeJS.ProcessEnv): boolean {
  return Boolean(stream.isTTY) && !env.CI && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** `--json`: JSON Lines on stdout. Otherwise bars on a terminal, plain lines elsewhere, both on stderr. */
export function makeReporter(
  style: { json: boolean; verbosity: Verbosity },
  streams: { stdout: Output; stderr: Terminal; env: NodeJS.ProcessEnv },
): Reporter {
  if (style.json) return jsonlReporter(streams.stdout);
  return isInteractive(streams.stderr, streams.env)
    ? ttyReporter(streams.stderr, style.verbosity)
    : plainReporter(streams.stderr, style.verbosity);
}
