/** What is asked of a server, and no more is taken from it. */
export type HubLimits = {
  /** Until the head of an answer is there. */
  readonly answerMs: number;
  /** Between two pieces of a file. */
  readonly stallMs: number;
  /** Failed attempts in a row, without a byte in between. */
  readonly attempts: number;
  /** Failed attempts at one file, whatever came in between. */
  readonly faults: number;
  /** Before the second attempt; doubled for each further one. */
  readonly retryMs: number;
  /** Longest wait a server may ask for (`Retry-After`). */
  readonly maxWaitMs: number;
  readonly redirects: number;
  /** Of one file. */
  readonly fileBytes: number;
  /** Of a list of files. */
  readonly listBytes: number;
  /** Files of one repository. */
  readonly files: number;
};

export const hubLimits: HubLimits = {
  answerMs: 30_000,
  stallMs: 60_000,
  attempts: 6,
  faults: 100,
  retryMs: 1_000,
  maxWaitMs: 120_000,
  redirects: 5,
  fileBytes: 128 * 2 ** 30,
  listBytes: 8 * 2 ** 20,
  files: 2_000,
};
