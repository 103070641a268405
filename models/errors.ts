/** What kind of failure this is; decides the exit code of the command line. */
export type ErrorKind = 'internal' | 'usage' | 'input' | 'model' | 'device' | 'ffmpeg' | 'partial' | 'interrupted';

/** Exit code of the command line for each kind of failure. */
export const exitCodes: Readonly<Record<ErrorKind, number>> = {
  internal: 1,
  usage: 2,
  input: 3,
  model: 4,
  device: 5,
  ffmpeg: 6,
  partial: 7,
  interrupted: 130,
};

export type ErrorDetails = {
  /** Stable machine-readable name, e.g. `video.no-frames`. Never changes between versions. */
  readonly code: string;
  readonly kind: ErrorKind;
  /** What went wrong, one sentence without a final full stop. */
  readonly what: string;
  /** The file, option, tensor or process it happened in. */
  readonly where?: string | undefined;
  readonly got?: string | undefined;
  readonly expected?: string | undefined;
  /** What to type or do next. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
};

/** The one error of pantomime: what, where, got, expected, and what to do next. */
export class PantomimeError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(details: ErrorDetails) {
    const { what, where, got, expected } = details;
    const facts = [got && `got ${got}`, expected && `expected ${expected}`].filter(Boolean).join(', ');
    super(`${where ? `${where}: ` : ''}${what}${facts ? ` (${facts})` : ''}`, { cause: details.cause });
    this.name = 'PantomimeError';
    this.code = details.code;
    this.kind = details.kind;
    this.details = details;
  }

  get exitCode(): number {
    return exitCodes[this.kind];
  }
}
