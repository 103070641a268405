import type { ProgressEvent } from '../events.js';
import type { Output, Reporter } from '../progress/reporter.js';

/** Rises when a field changes its meaning or goes away. */
export const jsonlVersion = 1;

/** For programs: one JSON object a line, `v` the version, `t` milliseconds since 1970, then the event as it is. */
export function jsonlReporter<Event extends object = ProgressEvent>(
  output: Output,
  now: () => number = Date.now,
): Reporter<Event> {
  let closed = false;
  return {
    onEvent: (event) => {
      if (!closed) output.write(`${JSON.stringify({ v: jsonlVersion, t: now(), ...event })}\n`);
    },
    close: () => {
      closed = true;
    },
  };
}
