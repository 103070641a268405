import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EventSink, RunError } from '../events.js';
import { plainReporter } from '../progress/report-plain.js';
import { printable } from '../progress/report-text.js';

/** What happened to one clip, in a file of its own. Nothing here ever throws: a clip is worth more than its log. */
export type ClipLog = {
  readonly onEvent: EventSink;
  /** Adds a line of the batch's own, e.g. that an attempt is repeated. */
  readonly write: (line: string) => void;
  /** Puts everything on the disk and closes the file; what comes after is dropped. */
  readonly close: () => void;
  /** Why something could not be written, if so. */
  readonly problem: () => string | undefined;
};

/**
 * Opens the log at `path` for adding to it; the file and its folder are created when needed. Lines are written at once,
 * so that a killed batch leaves them all; each has its time (ISO 8601, UTC) in front.
 * @param now milliseconds since 1970.
 */
export function openClipLog(path: string, now: () => number = Date.now): ClipLog {
  let file: number | undefined;
  let closed = false;
  let problem: string | undefined;
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      problem ??= error instanceof Error ? error.message : String(error);
    }
  };
  const write = (text: string) => {
    if (closed) return;
    const time = new Date(now()).toISOString();
    const lines = printable(text.replace(/\n$/, '')).split('\n');
    const stamped = lines.map((line, i) => `${i === 0 ? time : ' '.repeat(time.length)} ${line}\n`).join('');
    guarded(() => {
      if (file === undefined) {
        mkdirSync(dirname(path), { recursive: true });
        file = openSync(path, 'a');
      }
      writeSync(file, stamped);
    });
  };
  const plain = plainReporter({ write }, 'verbose', now);
  return {
    onEvent: (event) => {
      if (event.type === 'run.error') write(errorText(event));
      else plain.onEvent(event);
      // Tells where a clip hung or was killed.
      if (event.type === 'stage.start' && !event.reused) write(`${event.title} ...`);
    },
    write,
    close: () => {
      if (closed) return;
      closed = true;
      plain.close();
      const opened = file;
      if (opened === undefined) return;
      guarded(() => fsyncSync(opened));
      guarded(() => closeSync(opened));
    },
    problem: () => problem,
  };
}

function errorText({ code, what, where, got, expected, hint }: RunError): string {
  const facts = Object.entries({ where, got, expected, hint }).filter(([, value]) => value !== undefined);
  return [`error: ${what} [${code}]`, ...facts.map(([name, value]) => `  ${name}: ${value}`)].join('\n');
}
