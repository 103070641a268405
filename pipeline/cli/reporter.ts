import { plainReporter } from '../progress/report-plain.js';
import type { Output, Reporter, Terminal, Verbosity } from '../progress/reporter.js';
import { jsonlReporter } from './report-jsonl.js';
import { ttyReporter } from './report-tty.js';

/** Whether `stream` can redraw a line and show colours. */
export function isInteractive(stream: Terminal, env: NodeJS.ProcessEnv): boolean {
  return Boolean(stream.isTTY) && !env.CI && !env.NO_COLOR && env.TERM !== 'dumb';
}

export type ReporterStyle = { readonly json: boolean; readonly verbosity: Verbosity };

export type ReporterStreams<Screen extends Terminal = Terminal> = {
  readonly stdout: Output;
  readonly stderr: Screen;
  readonly env: NodeJS.ProcessEnv;
};

/** `--json`: JSON Lines on stdout. Otherwise a live display on a terminal, plain lines elsewhere, both on stderr. */
export function chooseReporter<Event extends object, Screen extends Terminal>(
  { json, verbosity }: ReporterStyle,
  { stdout, stderr, env }: ReporterStreams<Screen>,
  tty: (terminal: Screen, verbosity: Verbosity) => Reporter<Event>,
  plain: (output: Output, verbosity: Verbosity) => Reporter<Event>,
): Reporter<Event> {
  if (json) return jsonlReporter<Event>(stdout);
  return isInteractive(stderr, env) ? tty(stderr, verbosity) : plain(stderr, verbosity);
}

/** For a single run. */
export function makeReporter(style: ReporterStyle, streams: ReporterStreams): Reporter {
  return chooseReporter(style, streams, ttyReporter, plainReporter);
}
