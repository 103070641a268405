import { plainReporter } from '../progress/report-plain.js';
import type { Output, Reporter, Terminal, Verbosity } from '../progress/reporter.js';
import { jsonlReporter } from './report-jsonl.js';
import { ttyReporter } from './report-tty.js';

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
