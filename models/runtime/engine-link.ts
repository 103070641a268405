import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { PantomimeError } from '../errors.js';
import type { Span } from './monotonic.js';
import type { CallName, Calls, Provider, Reply } from './protocol.js';
import { lifelineFd } from './protocol.js';

/** The process and the calls that wait for it. */
export type EngineLink = {
  /**
   * Rejects with a plain Error when the engine says no, with a PantomimeError when the engine is gone. `onSpan` hears when the
   * engine worked on it.
   */
  call<Name extends CallName>(
    name: Name,
    args: Calls[Name]['args'],
    onSpan?: (span: Span) => void,
  ): Promise<Calls[Name]['result']>;
  /** Kills the process; every call that waits or comes later rejects with `reason`. Resolves when it is gone. */
  stop(reason: PantomimeError): Promise<void>;
};

type Waiting = {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onSpan: ((span: Span) => void) | undefined;
};

/** How much of what the process printed is kept for messages. */
const keptOutputLength = 8192;

/** How long to wait, after the process is gone, for the rest of what it printed. */
const lastWordsMs = 500;

/** onnxruntime 1.30 for Linux and macOS tells Microsoft about every session unless this is set before it is loaded. */
const noTelemetry = { ORT_DISABLE_TELEMETRY: '1' };

/**
 * What a run gives back must go back to the system at once. The GNU C library otherwise raises its own limits until tensors of
 * 32 MB are cut from one heap that never shrinks, which doubles the peak of an engine without an arena (measured).
 */
const noHoarding = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '1048576' };

/** Starts the engine process of a provider (it opens nothing by itself). */
export function startEngineProcess(provider: Provider): EngineLink {
  const entry = fileURLToPath(new URL('./engine-process.js', import.meta.url));
  const child = fork(entry, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    execArgv: [],
    env: { ...noHoarding, ...process.env, ...noTelemetry },
  });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let ended: PantomimeError | undefined;
  let printed = '';

  /** The program stays alive for calls that wait, not for an idle engine. */
  const holdOn = (alive: boolean) => {
    for (const handle of [child, child.channel]) alive ? handle?.ref() : handle?.unref();
  };
  for (const pipe of [child.stderr, child.stdio[lifelineFd]]) {
    (pipe as Duplex & { unref(): void }).unref();
    // Nobody reads the lifeline, but its end must be noticed; a broken pipe is what a dead engine leaves behind.
    pipe?.on('error', () => {});
  }
  (child.stdio[lifelineFd] as Duplex).resume();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-keptOutputLength);
  });
  holdOn(false);

  const end = (error: PantomimeError) => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    holdOn(false);
  };
  const gone = whenGone(child).then((how) => end(crashed(provider, how, printed)));

  child.on('message', (reply: Reply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) holdOn(false);
    if (!reply.ok) {
      call?.reject(new Error(reply.message));
      return;
    }
    call?.onSpan?.(reply.span);
    call?.resolve(reply.result);
  });

  return {
    call: (name, args, onSpan) =>
      new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = nextId++;
        // Not sent means never answered: then the process has to end, and its end rejects the call.
        child.send({ id, call: name, args }, (error) => {
          if (error) child.kill('SIGKILL');
        });
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, onSpan });
        holdOn(true);
      }),
    async stop(reason) {
      end(reason);
      child.kill('SIGKILL');
      child.ref();
      await gone;
      child.unref();
    },
  };
}

/** How a process ended, in words. Waits for its last output, but not for long. */
function whenGone(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`could not be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
      const timer = setTimeout(() => resolve(how), lastWordsMs);
      child.on('close', () => {
        clearTimeout(timer);
        resolve(how);
      });
    });
  });
}

function crashed(provider: Provider, how: string, printed: string): PantomimeError {
  const lines = printed.trim().split('\n').slice(-6).join(' | ');
  return new PantomimeError({
    code: 'engine.crashed',
    kind: 'device',
    what: `the ${provider} engine ${how}`,
    got: lines === '' ? undefined : `last output: ${lines}`,
    hint: how.endsWith('SIGKILL')
      ? 'Most often the system ran out of memory: use low-memory residency, fewer frames per window or a smaller size.'
      : 'Try again; if it happens again, use --device cpu and report the last output.',
  });
}
