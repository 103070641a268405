import type { ProgressEvent } from '../events.js';

/** Shows a run to its user. `close` puts the terminal back in order; nothing is written after it. */
export type Reporter<Event = ProgressEvent> = {
  readonly onEvent: (event: Event) => void;
  readonly close: () => void;
};

export type Verbosity = 'quiet' | 'normal' | 'verbose';

/** A place to write text to. */
export type Output = { readonly write: (text: string) => unknown };

export type Terminal = Output & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };
