import { poolSeams } from './pool-seams.js';
import type { CellRun, CellSettings, MetricName } from './types.js';

type Values = CellRun['values'];

/** What of a metric counts, and how much. */
type Judged = {
  readonly weight: number;
  /** A difference in fault that is worth the whole range even where no cell differs more: small differences stay small. */
  readonly scale: number;
  /** 0 is faultless, more is worse. */
  readonly fault: (value: number) => number;
  /** What the metric is where one window makes the whole clip; such a clip has no joints to measure. */
  readonly alone?: number;
};

/**
 * The metrics of the score. Not in it: the disagreement of windows (a cause, not something to be seen, and windows that share
 * nothing have none) and the pulse of the decoder (not decided by what is swept).
 */
export const judged: Readonly<Partial<Record<MetricName, Judged>>> = {
  // What chunk and overlap are about, and what people complain of. A joint that changes half as much again is seen.
  seamRatio: { weight: 3, scale: 0.5, fault: (value) => Math.max(0, value - 1), alone: 1 },
  // The same fault seen as a rhythm; less certain in a short excerpt. Four times the power about it is heard of.
  windowPeriodicity: { weight: 1, scale: 2, fault: (value) => Math.log2(Math.max(1, value)), alone: 1 },
  // One level of 255 is just seen in flat parts.
  flicker: { weight: 1, scale: 1, fault: (value) => value },
  // 2.3 is the difference that is just seen side by side (Mahy et al. 1994); the eye forgives a slow change more.
  colorDrift: { weight: 1, scale: 2, fault: (value) => value },
  // A tenth of an octave on the average frame.
  sharpnessUnevenness: { weight: 1, scale: 0.1, fault: (value) => value },
  // Whether it does what was asked: together two thirds of the seams.
  pck10: { weight: 1, scale: 0.1, fault: (value) => 1 - value },
  oks: { weight: 1, scale: 0.1, fault: (value) => 1 - value },
  // Where there is a truth it says more than anything else, together two thirds of the seams.
  psnr: { weight: 1, scale: 2, fault: (value) => -value },
  ssim: { weight: 1, scale: 0.05, fault: (value) => 1 - value },
};

/** What the score needs of a cell. */
export type ScoredCell = {
  readonly id: string;
  /** One window makes the whole clip. */
  readonly alone: boolean;
  /** How many joints its seam ratio is of, and which cells are alike in how they join. */
  readonly seams?: { readonly joints: number; readonly kind: string };
  /** Values of its runs; at least one. */
  readonly runs: readonly Values[];
};

/** A cell as the score looks at it. Those that share as much, fused alike, in as many steps, join alike. */
export function scoredCell(
  id: string,
  { overlap, fusion, steps }: CellSettings,
  windows: readonly unknown[],
  runs: readonly CellRun[],
): ScoredCell {
  const joints = runs[0]?.metrics.seam.joints.filter((ratio) => ratio !== undefined).length ?? 0;
  const seams = { joints, kind: [overlap, fusion, steps].join() };
  return { id, alone: windows.length === 1, seams, runs: runs.map(({ values }) => values) };
}

export type Score = {
  /** 0 (the worst of these cells in everything) to 1 (the best in everything). */
  readonly score: number;
  /** Standard deviation over the runs; undefined for one. */
  readonly deviation: number | undefined;
  /** Weighted part of each metric in what is missing to 1, the largest first. */
  readonly losses: readonly { readonly metric: MetricName; readonly loss: number }[];
};

/**
 * One number for the quality of each cell: the weighted mean over metrics of 1 - (fault - least fault) / range, the range being
 * that of the cells' means or the metric's `scale`, whichever is larger. A cell that lacks a metric gets the mean of the others
 * for it, so that nothing is won or lost by it. Seams are those of {@link poolSeams}. Scores hold for these cells only.
 */
export function scoreCells(measured: readonly ScoredCell[]): ReadonlyMap<string, Score> {
  const cells = poolSeams(measured);
  const parts = (Object.entries(judged) as [MetricName, Judged][]).flatMap(([metric, how]) => {
    if (!cells.some(({ runs }) => runs.some((values) => values[metric] !== undefined))) return [];
    const faults = cells.map((cell) => faultsOf(cell, metric, how));
    const means = faults.map((some) => meanOf(some.filter((fault) => fault !== undefined)));
    const known = means.filter((mean) => mean !== undefined);
    if (known.length === 0) return [];
    const least = Math.min(...known);
    const range = Math.max(Math.max(...known) - least, how.scale);
    const usual = meanOf(known) as number;
    const lost = (fault: number) => (fault - least) / range;
    return [{ metric, how, lost: faults.map((some, i) => some.map((fault) => lost(fault ?? means[i] ?? usual))) }];
  });
  const weights = parts.reduce((sum, { how }) => sum + how.weight, 0);
  return new Map(
    cells.map(({ id, runs }, i) => {
      const ofRun = (run: number) =>
        parts.reduce((sum, { how, lost }) => sum + (how.weight * (lost[i]?.[run] as number)) / weights, 0);
      const scores = runs.map((_, run) => 1 - ofRun(run));
      const losses = parts
        .map(({ metric, how, lost }) => ({ metric, loss: (how.weight * (meanOf(lost[i] ?? []) ?? 0)) / weights }))
        .sort((a, b) => b.loss - a.loss);
      return [id, { score: meanOf(scores) ?? 0, deviation: deviationOf(scores), losses }] as const;
    }),
  );
}

function faultsOf({ alone, runs }: ScoredCell, metric: MetricName, how: Judged): (number | undefined)[] {
  return runs.map((values) => {
    const value = values[metric] ?? (alone ? how.alone : undefined);
    return value === undefined || !Number.isFinite(value) ? undefined : how.fault(value);
  });
}

export function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample: over n - 1. Undefined for fewer than two. */
export function deviationOf(values: readonly number[]): number | undefined {
  const mean = meanOf(values);
  if (mean === undefined || values.length < 2) return undefined;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
