import type { ChildProcess } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import Ffmpeg from 'fluent-ffmpeg';
import { PantomimeError } from '../../models/errors.js';
import { toolEnvironment } from './tool-environment.js';

/**
 * The only file that knows fluent-ffmpeg. It runs the two long commands: a file decoded into a pipe, and a pipe encoded
 * into a file. Its known faults are guarded in `launch`; short commands go through `run-tool.ts`.
 */

/** Time that ffmpeg has to end by itself before it is killed. */
const graceMs = 2_000;
/** Longest piece of ffmpeg's messages that goes into an error or a warning. */
const maxMessageChars = 2_000;

/** Older versions report a full disk and still end with 0. */
const writeError = /error writing|no space left|file too large|disk quota|input\/output error/i;

/** How a process ended; `exitCode` is null when a signal ended it. */
export type FfmpegExit = { readonly exitCode: number | null; readonly stderr: string };

type Running = {
  /** Settles once the process is gone and its pipes are closed; never rejects. */
  readonly exited: Promise<FfmpegExit & { readonly failure: Error | undefined }>;
  /** SIGTERM, then SIGKILL; resolves when the process is gone. Harmless when it already is. */
  readonly stop: () => Promise<void>;
};

/** Parts of fluent-ffmpeg that its types leave out. */
type Internals = {
  ffmpegProc?: ChildProcess;
  availableFormats: (done: (error: Error | null, formats: object) => void) => void;
  availableEncoders: (done: (error: Error | null, encoders: object) => void) => void;
  _checkCapabilities: (done: (error?: Error | null) => void) => void;
  _getFfmpegPath: (done: (error: Error | null, path: string) => void) => void;
  _spawnFfmpeg: (args: string[], options: object, onStart: unknown, onEnd: EndCallback) => void;
};
type LinesRing = { get: () => string };
type EndCallback = (error: Error | null, stdout?: LinesRing, stderr?: LinesRing) => void;

function launch(command: Ffmpeg.FfmpegCommand, ffmpegPath: string): Running {
  const internals = command as unknown as Internals;
  // It asks ffmpeg for its formats and encoders before each run, and misreads the answer of ffmpeg 7 and later.
  internals.availableFormats = (done) => done(null, {});
  internals.availableEncoders = (done) => done(null, {});
  internals._checkCapabilities = (done) => done(null);
  // setFfmpegPath() is global to the process.
  internals._getFfmpegPath = (done) => done(null, ffmpegPath);
  // When spawning fails it reads the message rings that it never made, and the TypeError ends the program.
  const spawnFfmpeg = internals._spawnFfmpeg;
  internals._spawnFfmpeg = function spawnWithRings(args, options, onStart, onEnd) {
    const none = { get: () => '' };
    spawnFfmpeg.call(this, args, { ...options, env: toolEnvironment() }, onStart, (error, out = none, err = none) =>
      onEnd(error, out, err),
    );
  };

  let child: ChildProcess | undefined;
  let stopping = false;
  const lines: string[] = [];
  const stderr = () => lines.join('\n').slice(-maxMessageChars);
  const exited = new Promise<Awaited<Running['exited']>>((resolve) => {
    let failure: Error | undefined;
    let gone = false;
    const finish = (exitCode: number | null) => {
      if (gone) return;
      gone = true;
      resolve({ exitCode, stderr: stderr(), failure });
    };
    command.on('start', () => {
      child = internals.ffmpegProc;
      // Its 'end' and 'error' may come before the process is gone; 'close' is when nothing of it is left.
      child?.once('close', (code) => finish(code));
      if (stopping) child?.kill('SIGKILL');
    });
    command.on('stderr', (line: string) => {
      lines.push(line.slice(0, 500));
      if (lines.length > 50) lines.shift();
    });
    // Without a listener for 'error' the program would end.
    command.on('error', (error: Error) => {
      failure ??= error;
      if (child === undefined || child.pid === undefined) finish(null);
    });
    command.on('end', () => {
      if (child === undefined) finish(null);
    });
  });

  const stop = async () => {
    stopping = true;
    // Without a reader ffmpeg may hang in write(); a closed pipe wakes it.
    child?.stdout?.destroy();
    child?.kill('SIGTERM');
    const timer = setTimeout(() => child?.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(timer);
  };
  return { exited, stop };
}

export type DecodeCommand = {
  readonly ffmpeg: string;
  /** What stands before `-i`, one element an argument. */
  readonly inputOptions: readonly string[];
  /** `file:...` */
  readonly input: string;
  /** What stands after it; must include `-f`. */
  readonly outputOptions: readonly string[];
  readonly signal?: AbortSignal | undefined;
};

export type DecodePipe = {
  /** ffmpeg's standard output. Read slowly and ffmpeg waits. */
  readonly stdout: Readable;
  /** How it ended; rejects when ffmpeg could not be started. */
  readonly exit: () => Promise<FfmpegExit>;
  /** Ends ffmpeg at once; resolves when it is gone. */
  readonly stop: () => Promise<void>;
};

/** Run ffmpeg from a file into a pipe. Always `stop()` it when done. Throws the reason of `signal`. */
export function decodeToPipe(options: DecodeCommand): DecodePipe {
  const { ffmpeg, inputOptions, input, outputOptions, signal } = options;
  signal?.throwIfAborted();
  const command = Ffmpeg({ logger: silent }).addInput(input);
  command.inputOptions(...argv(inputOptions)).outputOptions(...argv(outputOptions));
  // fluent-ffmpeg kills ffmpeg 20 ms after this stream closes, finished or not: it must not hear of that.
  const stdout = new PassThrough({ emitClose: false });
  command.output(stdout, { end: true });
  const running = launch(command, ffmpeg);
  const stop = async () => {
    signal?.removeEventListener('abort', onAbort);
    stdout.destroy();
    await running.stop();
  };
  const onAbort = () => {
    stdout.destroy(asError(signal?.reason));
    void running.stop();
  };
  // Errors are told by the reader and by exit(); this one listener keeps them from ending the program.
  stdout.on('error', () => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  command.run();
  void running.exited.then(() => stdout.writableEnded || stdout.end());
  return {
    stdout,
    stop,
    exit: async () => {
      const end = await running.exited;
      signal?.throwIfAborted();
      if (end.exitCode === null && end.failure) throw ffmpegFailed('read the video', input, end);
      return end;
    },
  };
}

export type EncodeCommand = {
  readonly ffmpeg: string;
  /** Raw bytes for ffmpeg's standard input, pulled as ffmpeg takes them. */
  readonly source: AsyncIterable<Uint8Array>;
  readonly sourceOptions: readonly string[];
  /** A second input: its options and `file:...`. */
  readonly second?: { readonly options: readonly string[]; readonly input: string } | undefined;
  readonly outputOptions: readonly string[];
  /** `file:...` */
  readonly output: string;
  /** The file's name in errors. */
  readonly shownAs: string;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Run ffmpeg from a pipe into a file, to its end. What it throws, in this order: the reason of `signal`, the error of
 * `source`, a PantomimeError `ffmpeg.failed`. Whatever happens, ffmpeg is gone and `source` is closed when it settles.
 */
export async function encodeFromPipe(options: EncodeCommand): Promise<void> {
  const { ffmpeg, source, sourceOptions, second, outputOptions, output, shownAs, signal } = options;
  signal?.throwIfAborted();
  let sourceError: unknown;
  let sourceEnded = false;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
      sourceEnded = true;
    } catch (error) {
      sourceError = error ?? new Error('the frames failed without a reason');
      throw error;
    }
  }
  // One chunk of look-ahead: a chunk is a whole frame.
  const stdin = Readable.from(watched(), { objectMode: true, highWaterMark: 1 });
  const command = Ffmpeg({ logger: silent })
    .addInput(stdin)
    .inputOptions(...argv(sourceOptions));
  if (second) command.addInput(second.input).inputOptions(...argv(second.options));
  command.output(output).outputOptions(...argv(outputOptions));
  const running = launch(command, ffmpeg);
  const onAbort = () => {
    stdin.destroy();
    void running.stop();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  stdin.on('error', () => void running.stop());
  command.run();
  try {
    const end = await running.exited;
    signal?.throwIfAborted();
    if (sourceError !== undefined) throw sourceError;
    if (end.exitCode !== 0 || writeError.test(end.stderr)) throw ffmpegFailed('write the video', shownAs, end);
    if (!sourceEnded) throw ffmpegFailed('take all frames', shownAs, end);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // When ffmpeg ends first, fluent-ffmpeg neither ends nor destroys its input.
    stdin.destroy();
  }
}

/** An error of kind `ffmpeg` with the tail of its messages. */
export function ffmpegFailed(
  task: string,
  file: string,
  end: FfmpegExit & { readonly failure?: Error | undefined },
): PantomimeError {
  const reason = end.stderr.trim() || end.failure?.message || `exit code ${end.exitCode}`;
  return new PantomimeError({
    code: 'ffmpeg.failed',
    kind: 'ffmpeg',
    what: `ffmpeg could not ${task}: ${reason}`,
    where: file.replace(/^file:/, ''),
    got: end.exitCode === null ? 'no exit code (ended by a signal or never started)' : `exit code ${end.exitCode}`,
    hint: 'try another ffmpeg with --ffmpeg',
    cause: end.failure,
  });
}

/**
 * fluent-ffmpeg splits a lone option string at its first space, and takes a list as it is only when it has two elements
 * or more; so never hand it fewer.
 */
function argv(options: readonly string[]): string[] {
  if (options.length < 2) throw new RangeError('fluent-ffmpeg would change an option list this short');
  return [...options];
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason ?? 'interrupted'));
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };
