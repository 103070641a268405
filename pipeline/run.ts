import { monotonicMs } from '../models/runtime/monotonic.js';
import type { RunContext, StageName } from './events.js';
import { etaEstimator } from './events.js';
import type { RunStore } from './run-store.js';
import { checkSeal } from './sealed-file.js';
import { createTimeline, type Timeline } from './timeline/timeline.js';

/** Tells listeners how far a stage is. */
export type Progress = (done: number, total: number | undefined, unit: string) => void;

/** `startMs` counts from the begin of the run. Stages may overlap. */
export type StageTiming = {
  readonly stage: StageName;
  readonly startMs: number;
  readonly ms: number;
  readonly reused: boolean;
};

/** One run under way: its folder, its listeners, its clock. */
export type Run = {
  readonly store: RunStore;
  readonly signal: AbortSignal;
  readonly timings: readonly StageTiming[];
  readonly timeline: Timeline;
  /** Does `work` as a named stage: announced, timed, with progress and an estimate. */
  readonly stage: <T>(
    stage: StageName,
    title: string,
    work: (progress: Progress) => Promise<T>,
    reused?: boolean,
  ) => Promise<T>;
  /** Whether a work file of an earlier attempt is to be used: wanted, there and whole. A damaged one is warned of. */
  readonly reuses: (file: string) => Promise<boolean>;
  readonly note: (message: string, level?: 'info' | 'detail') => void;
  readonly warn: (code: string, message: string, hint?: string) => void;
};

/** Fewest milliseconds between two progress events of a stage, so that listeners are not flooded. */
const progressIntervalMs = 100;

/** @param begunMs on the machine's clock; the run's times count from it */
export function startRun(
  store: RunStore,
  context: RunContext,
  { resume }: { readonly resume: boolean },
  begunMs: number = monotonicMs(),
): Run {
  const { onEvent = () => {} } = context;
  const signal = context.signal ? AbortSignal.any([context.signal, store.lost]) : store.lost;
  const timings: StageTiming[] = [];
  const timeline = createTimeline(begunMs);
  const warn: Run['warn'] = (code, message, hint) => onEvent({ type: 'warning', code, message, hint });
  return {
    store,
    signal,
    timings,
    timeline,
    note: (message, level = 'info') => onEvent({ type: 'note', message, level }),
    warn,
    async reuses(file) {
      if (!resume) return false;
      const state = await checkSeal(file, signal);
      if (state === 'damaged') warn('work.damaged', `${file} was damaged and is made again`);
      return state === 'whole';
    },
    async stage(stage, title, work, reused = false) {
      signal.throwIfAborted();
      onEvent({ type: 'stage.start', stage, title, reused });
      const begun = monotonicMs();
      const eta = etaEstimator();
      let told = Number.NEGATIVE_INFINITY;
      const result = await work((done, total, unit) => {
        const etaSec = eta(done, total);
        const now = performance.now();
        if (now - told < progressIntervalMs && done !== total) return;
        told = now;
        onEvent({ type: 'stage.progress', stage, done, total, unit, etaSec });
      });
      const ms = Math.round(monotonicMs() - begun);
      timings.push({ stage, startMs: Math.round(begun - begunMs), ms, reused });
      onEvent({ type: 'stage.done', stage, ms });
      return result;
    },
  };
}
