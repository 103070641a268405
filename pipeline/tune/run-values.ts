import type { ClipMetrics } from '../../stages/quality/clip-metrics.js';
import { deviationOf, meanOf } from './score.js';
import type { Cell, CellRun, MetricName, Spread } from './types.js';

type Costs = Readonly<Partial<Record<'secondsPerFrame' | 'peakMemoryBytes' | 'costFactor', number | undefined>>>;

/** The numbers of a run, from what was measured; those that could not be are left out. */
export function runValues(
  metrics: ClipMetrics,
  disagreement: CellRun['disagreement'],
  costs: Costs,
): CellRun['values'] {
  return known({
    seamRatio: metrics.seam.ratio,
    overlapDisagreement: disagreement.overall,
    windowPeriodicity: metrics.windowPeriodicity,
    decodePeriodicity: metrics.decodePeriodicity,
    flicker: metrics.flicker,
    colorDrift: metrics.colorDrift.perSec,
    sharpnessUnevenness: metrics.sharpness.unevenness,
    pck10: metrics.pose?.pck10,
    oks: metrics.pose?.oks,
    psnr: metrics.psnr,
    ssim: metrics.ssim,
    ...costs,
  });
}

/** Mean and spread of each number over the runs of a cell. */
export function spreads(runs: readonly Pick<CellRun, 'values'>[]): Cell['values'] {
  const names = new Set(runs.flatMap(({ values }) => Object.keys(values) as MetricName[]));
  const entries = [...names].map((name): [MetricName, Spread] => {
    const numbers = runs.flatMap(({ values }) => values[name] ?? []);
    return [name, { mean: meanOf(numbers) as number, deviation: deviationOf(numbers) }];
  });
  return Object.fromEntries(entries);
}

function known(values: Readonly<Partial<Record<MetricName, number | undefined>>>): CellRun['values'] {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}
