import type { Note, ProgressEvent, RunError, Warning } from '../events.js';
import type { OptionLayer } from '../options/layer.js';

/** A clip and a picture that belong together, as a folder or a manifest says; nothing has been opened yet. */
export type Pair = {
  /** Names the run folder inside the batch folder; unique, and safe as the name of a folder. */
  readonly name: string;
  /** Options of this clip alone, stronger than those of the whole batch; `video` and `image` are among them. */
  readonly layer: OptionLayer;
};

/** Something in the folder or the manifest that is not going to be animated. */
export type Skipped = {
  readonly name: string;
  /** One clause, e.g. `not a video, by its ending`. */
  readonly why: string;
};

export type Pairing = { readonly pairs: readonly Pair[]; readonly skipped: readonly Skipped[] };

/** This machine's part of a batch: number `index` (from 1) of `count`. */
export type Shard = { readonly index: number; readonly count: number };

/** What became of a clip. */
export type ClipState = 'done' | 'failed' | 'interrupted';

/** What is known of a clip when it has ended, for tables and pages. */
export type ClipOutcome = {
  readonly name: string;
  readonly state: ClipState;
  readonly video: string;
  readonly image: string;
  /** Attempts made, the last included. */
  readonly attempts: number;
  /** Whether it was finished before this call. */
  readonly earlier: boolean;
  /** Of the result. */
  readonly frames?: number | undefined;
  /** From the first stage to the last, waiting for the device not counted. */
  readonly seconds?: number | undefined;
  /** Multiply-adds of the networks, as planned: what time estimates are made from. */
  readonly multiplyAdds?: number | undefined;
  /** Of `seconds`, what was spent on starting detector and engine and on loading networks. */
  readonly startUpSec?: number | undefined;
  readonly stages?: readonly { readonly stage: string; readonly ms: number; readonly reused: boolean }[] | undefined;
  readonly warnings?: readonly string[] | undefined;
  readonly error?: ClipError | undefined;
};

/** The last error of a failed clip. */
export type ClipError = Omit<RunError, 'type' | 'exitCode'>;

export type BatchStart = {
  readonly type: 'batch.start';
  /** The batch folder. */
  readonly dir: string;
  /** Clips to be animated by this call. */
  readonly clips: number;
  /** Clips that an earlier call has finished. */
  readonly earlier: number;
  readonly skipped: readonly Skipped[];
  readonly shard?: Shard | undefined;
};

export type ClipStart = { readonly type: 'clip.start'; readonly clip: string; readonly attempt: number };

/** What a clip's own run tells. */
export type ClipProgress = { readonly type: 'clip.event'; readonly clip: string; readonly event: ProgressEvent };

export type ClipRetry = {
  readonly type: 'clip.retry';
  readonly clip: string;
  /** The attempt that failed. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly code: string;
  readonly what: string;
  /** How the next attempt is made smaller, after a lack of memory. */
  readonly smaller?: string | undefined;
};

export type ClipEnd = { readonly type: 'clip.end' } & ClipOutcome;

/** Sent whenever the overall estimate may have changed. */
export type BatchProgress = {
  readonly type: 'batch.progress';
  /** Clips ended in this call, and how much of those under way is done, in clips. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  readonly etaSec?: number | undefined;
};

export type BatchDone = { readonly type: 'batch.done' } & BatchResult;

export type BatchEvent =
  | BatchStart
  | ClipStart
  | ClipProgress
  | ClipRetry
  | ClipEnd
  | BatchProgress
  | BatchDone
  | Note
  | Warning
  | RunError;

/** What a batch leaves behind. */
export type BatchResult = {
  readonly dir: string;
  /** Every clip of this call, earlier ones included, by name. */
  readonly clips: readonly ClipOutcome[];
  readonly skipped: readonly Skipped[];
  /** The page that shows all clips. */
  readonly summary: string;
  readonly seconds: number;
};

export type BatchContext = {
  /** Ends the batch early; what is finished stays, and the same call goes on. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BatchEvent) => void) | undefined;
};
