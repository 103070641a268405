import { PantomimeError } from '../../models/errors.js';
import type { Note, ProgressEvent, RunContext, RunError, RunResult } from '../events.js';
import { runError, toPantomimeError } from '../explain-error.js';
import type { OptionsFor } from '../options/checks.js';
import { loadOptions } from '../options/load.js';
import { optionsError } from '../options/problem.js';
import type { AnimateInput, AnimateOptions } from '../options/schema.js';
import type { Reporter, Verbosity } from '../progress/reporter.js';
import type { Controls } from './controls.js';
import { formatError } from './format-error.js';
import { isInteractive, makeReporter } from './reporter.js';

/** A command after commander has read it: positional paths, flags as text, control flags. */
export type CommandLine = {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly controls: Controls;
};

export type Action = {
  readonly purpose: OptionsFor;
  /** Options below everything the user writes, presets included. */
  readonly defaults?: () => Promise<AnimateInput>;
  /** Does the work and returns the words for stdout: paths of results, or a printed plan. */
  readonly run: (options: AnimateOptions, context: RunContext) => Promise<{ text: string; result?: RunResult }>;
};

/** Runs one command on one clip: resolves options, shows progress, prints the result. Gives the exit code. */
export async function runCommand(line: CommandLine, action: Action): Promise<number> {
  const { controls } = line;
  const reporter = makeReporter(
    { json: controls.json === true, verbosity: verbosityOf(controls) },
    { stdout: process.stdout, stderr: process.stderr, env: process.env },
  );
  return perform<ProgressEvent>(controls, reporter, async (context) => {
    const options = await loadOptions(
      { flags: flagsWithPreset(line), settings: controls.set ?? [], config: controls.config },
      action.purpose,
      await action.defaults?.(),
    );
    let told = false;
    const onEvent = (event: ProgressEvent) => {
      told ||= event.type === 'run.done';
      context.onEvent(event);
    };
    const done = await action.run(options, { ...context, onEvent });
    if (done.result && !told) context.onEvent({ type: 'run.done', ...done.result });
    return done;
  });
}

export function verbosityOf({ quiet, verbose }: Controls): Verbosity {
  return quiet ? 'quiet' : verbose ? 'verbose' : 'normal';
}

/**
 * Does `work` with progress on `reporter`, turns signals into an orderly end (a second one ends at once) and errors into what a
 * person or a program can read. Gives the exit code. What `work` gives as `text` goes to stdout, not with --json where there is
 * a `result` that events have told. A `failure` is an error that leaves something to be told: `text` comes first.
 */
export async function perform<Event extends { readonly type: string }>(
  controls: Controls,
  reporter: Reporter<Event | Note | RunError>,
  work: (context: Listening<Event | Note | RunError>) => Promise<{ text: string; result?: unknown; failure?: unknown }>,
): Promise<number> {
  const abort = new AbortController();
  const signals = watchSignals(abort, reporter);
  try {
    const { text, result, failure } = await work({ signal: abort.signal, onEvent: reporter.onEvent });
    if (!(controls.json && result)) {
      reporter.close();
      process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    }
    if (failure) throw failure;
    reporter.close();
    return 0;
  } catch (thrown) {
    const error = toPantomimeError(thrown, abort.signal);
    const exitCode = error.kind === 'interrupted' ? (signals.exitCode() ?? error.exitCode) : error.exitCode;
    reporter.onEvent(runError(error, exitCode));
    reporter.close();
    printError(error, controls.verbose === true);
    return exitCode;
  } finally {
    signals.stop();
  }
}

/** How `work` hears of an interruption and tells what it does. */
export type Listening<Event> = { readonly signal: AbortSignal; readonly onEvent: (event: Event) => void };

/** The error for people, on stderr. */
export function printError(error: PantomimeError, verbose: boolean): void {
  const color = isInteractive(process.stderr, process.env);
  process.stderr.write(formatError(error, { color, stack: verbose || error.kind === 'internal' }));
}

/** `--reference` is another way to write `--preset reference`. */
export function flagsWithPreset({ flags, controls }: CommandLine): Readonly<Record<string, unknown>> {
  if (!controls.reference) return flags;
  if (flags.preset !== undefined && flags.preset !== 'reference') {
    const what = '--reference and another --preset cannot both be meant';
    throw optionsError([
      { code: 'options.preset', where: '--reference', what, got: `--preset ${String(flags.preset)}` },
    ]);
  }
  return { ...flags, preset: 'reference' };
}

/** Exit code after a termination signal, as shells expect: 128 + 15. */
const terminatedExitCode = 143;

/** The first SIGINT or SIGTERM asks for an orderly end, the second ends the process. */
function watchSignals(
  abort: AbortController,
  reporter: Reporter<Note>,
): { exitCode: () => number | undefined; stop: () => void } {
  let code: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const first = code === undefined;
    code ??= signal === 'SIGTERM' ? terminatedExitCode : 130;
    if (!first) {
      reporter.close();
      process.exit(code);
    }
    reporter.onEvent({ type: 'note', level: 'info', message: 'stopping; once more ends at once' });
    abort.abort(
      new PantomimeError({
        code: 'run.interrupted',
        kind: 'interrupted',
        what: 'interrupted',
        hint: 'the same command again goes on where this one stopped',
      }),
    );
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    exitCode: () => code,
    stop: () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
  };
}
