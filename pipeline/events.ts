/**
 * What a run tells its listeners. Every user interface (bars, plain lines, JSON Lines) is built on these events, and so
 * can others be: `animate(options, { onEvent })`.
 */

/** The steps of a run, in the order in which they usually happen. */
export type StageName =
  | 'probe'
  | 'models'
  | 'domain'
  | 'pose'
  | 'align'
  | 'reference'
  | 'control'
  | 'encode-reference'
  | 'features'
  | 'denoise'
  | 'decode'
  | 'encode'
  | 'report';

export type RunStart = {
  readonly type: 'run.start';
  readonly command: 'animate' | 'pose';
  readonly runDir: string;
  /** Of the random numbers; finding poses needs none. */
  readonly seed?: number;
};

export type StageStart = {
  readonly type: 'stage.start';
  readonly stage: StageName;
  /** What is being done, for people, e.g. `finding poses`. */
  readonly title: string;
  /** Whether a result of an earlier, interrupted run is reused. */
  readonly reused?: boolean;
};

export type StageProgress = {
  readonly type: 'stage.progress';
  readonly stage: StageName;
  readonly done: number;
  /** Unknown for a stream of unknown length. */
  readonly total: number | undefined;
  /** What is counted: `frames`, `steps`, ... */
  readonly unit: string;
  /** Estimated seconds left in this stage, once there is enough to judge by. */
  readonly etaSec?: number | undefined;
};

export type StageDone = { readonly type: 'stage.done'; readonly stage: StageName; readonly ms: number };

/** Something worth knowing: which ffmpeg, which provider, what was left out. `detail` notes are for `--verbose`. */
export type Note = { readonly type: 'note'; readonly message: string; readonly level: 'info' | 'detail' };

/** Something the user may want to change; the run goes on. */
export type Warning = {
  readonly type: 'warning';
  /** Stable machine-readable name, e.g. `ffmpeg.carried`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
};

export type RunDone = { readonly type: 'run.done' } & RunResult;

/** The run failed or was interrupted. Sent by the command line; a library caller gets the thrown error. */
export type RunError = {
  readonly type: 'run.error';
  readonly code: string;
  readonly kind: string;
  readonly exitCode: number;
  readonly what: string;
  readonly where?: string | undefined;
  readonly got?: string | undefined;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
  /** Every single problem, where there are several. */
  readonly problems?: readonly unknown[] | undefined;
};

export type ProgressEvent = RunStart | StageStart | StageProgress | StageDone | Note | Warning | RunDone | RunError;

export type EventSink = (event: ProgressEvent) => void;

/** What every entry of the pipeline takes beside its options. */
export type RunContext = {
  /** Ends the run early: it throws a PantomimeError of kind `interrupted`, and what is finished can be resumed. */
  readonly signal?: AbortSignal;
  readonly onEvent?: EventSink;
};

/** What a run leaves behind. */
export type RunResult = {
  readonly runDir: string;
  /**
   * Path of every file written, by name: `video` (the result), `comparison`, `poseVideo`, `pose`, `contactSheet`, `run`,
   * `timings`.
   */
  readonly outputs: Readonly<Record<string, string>>;
  /** Frames of the result. */
  readonly frames: number;
  readonly seconds: number;
};

/** Feeds of less than this long are too short to judge by. */
const minSpanMs = 500;

/**
 * Estimate of the time left from how fast things went lately. Call it at every advance.
 *
 * The pace is that of the last half of the work done so far, at least four advances: a slow first step (loading, warming
 * up) is forgotten, and a single odd step does not swing it.
 * @param now milliseconds, monotonic.
 * @returns seconds left, or undefined while that cannot be told.
 */
export function etaEstimator(
  now: () => number = () => performance.now(),
): (done: number, total?: number) => number | undefined {
  const advances: { done: number; ms: number }[] = [{ done: 0, ms: now() }];
  return (done, total) => {
    const ms = now();
    advances.push({ done, ms });
    // 64 points at most, thinned evenly, so that a long stage costs no more than a short one.
    if (advances.length > 64) for (let i = advances.length - 2; i > 0; i -= 2) advances.splice(i, 1);
    if (total === undefined || done <= 0) return undefined;
    const from = advances.findLast((point, i) => i <= advances.length - 4 && point.done <= done / 2) ?? advances[0];
    if (!from || ms - from.ms < minSpanMs || done <= from.done) return undefined;
    return (((ms - from.ms) / (done - from.done)) * Math.max(total - done, 0)) / 1000;
  };
}
