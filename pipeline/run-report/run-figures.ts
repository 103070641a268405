import { type EngineUse, engineUse, useWithin } from '../timeline/engine-use.js';
import { type RowName, rowNames } from '../timeline/timeline.js';
import type { RecordedRun } from './recorded-run.js';

/** Work of one kind: how often, how long in all, and once. */
export type WorkFigures = {
  readonly row: RowName;
  readonly name: string;
  /** How many did it beside each other. */
  readonly workers: number;
  readonly count: number;
  readonly seconds: number;
  readonly leastSeconds: number;
  readonly meanSeconds: number;
  readonly mostSeconds: number;
};

export type StageFigures = {
  readonly stage: string;
  readonly startSeconds: number | undefined;
  readonly seconds: number;
  readonly reused: boolean;
  /** How the engine spent that time. */
  readonly engine: UseFigures | undefined;
};

export type UseFigures = {
  readonly computingSeconds: number;
  readonly preparingSeconds: number;
  readonly idleSeconds: number;
  readonly idleShare: number;
};

/** What `pantomime report` tells of a run, in numbers. */
export type RunFigures = {
  readonly runDir: string;
  readonly frames: number | undefined;
  readonly seconds: number;
  readonly framesPerSec: number;
  /** From the engine's first call to its last; undefined where no time line was recorded. */
  readonly engine: UseFigures | undefined;
  readonly stages: readonly StageFigures[];
  /** Of each denoising step; the first includes what had to be loaded. Empty where there are too many to tell apart. */
  readonly stepSeconds: readonly number[];
  /** One run of the denoiser: a window, or a branch of one. */
  readonly window: WorkFigures | undefined;
  readonly work: readonly WorkFigures[];
  readonly memory: { readonly engineBytes: number | undefined; readonly processBytes: number | undefined };
  /** As the plan estimated. */
  readonly plan: Readonly<Record<string, number>>;
};

/** The engine's name for the graph of a window. */
const windowGraph = 'unet-step';

export function runFigures({ dir, record, timings }: RecordedRun): RunFigures {
  const { seconds, framesPerSec, timeline = {} } = timings;
  const engine = engineUse(timeline.engine);
  const work = workFigures(timeline);
  const steps = (timeline.step ?? []).flatMap(({ spans }) => spans);
  return {
    ...{ runDir: dir, frames: record.frames, seconds, framesPerSec },
    engine: engine && useFigures(engine),
    stages: timings.stages.map(({ stage, startMs, ms, reused }) => ({
      ...{ stage, startSeconds: startMs === undefined ? undefined : startMs / 1000, seconds: ms / 1000, reused },
      engine:
        engine && startMs !== undefined
          ? useFigures(useWithin(timeline.engine ?? [], { startMs, endMs: startMs + ms }))
          : undefined,
    })),
    stepSeconds: steps.every(([, , , , count]) => count === 1) ? steps.map(([, , , busyMs]) => busyMs / 1000) : [],
    window: work.find(({ row, name }) => row === 'engine' && name === windowGraph),
    work,
    memory: { engineBytes: timings.engine?.peakRssBytes, processBytes: timings.process?.peakRssBytes },
    plan: timings.plan ?? {},
  };
}

function workFigures(timeline: NonNullable<RecordedRun['timings']['timeline']>): WorkFigures[] {
  const figures = new Map<string, WorkFigures>();
  for (const row of rowNames) {
    for (const { totals } of timeline[row] ?? []) {
      for (const [name, { count, busyMs, leastMs, mostMs }] of Object.entries(totals)) {
        const key = `${row} ${name}`;
        const before = figures.get(key);
        const all = (before?.count ?? 0) + count;
        const sum = (before?.seconds ?? 0) + busyMs / 1000;
        figures.set(key, {
          ...{ row, name, workers: (before?.workers ?? 0) + 1, count: all, seconds: sum },
          leastSeconds: Math.min(before?.leastSeconds ?? Number.POSITIVE_INFINITY, leastMs / 1000),
          meanSeconds: all > 0 ? sum / all : 0,
          mostSeconds: Math.max(before?.mostSeconds ?? 0, mostMs / 1000),
        });
      }
    }
  }
  return [...figures.values()];
}

function useFigures({ computingMs, preparingMs, idleMs, idleShare }: EngineUse): UseFigures {
  return {
    computingSeconds: computingMs / 1000,
    preparingSeconds: preparingMs / 1000,
    idleSeconds: idleMs / 1000,
    idleShare,
  };
}
