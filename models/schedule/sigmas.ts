import { PantomimeError } from '../errors.js';

/** Noise levels of a sampling run, float32 values, descending, with a trailing 0: `sigmas.length === steps + 1`. */
export type Schedule = {
  readonly sigmas: Float32Array;
  /** What the network is told of each level: `0.25 ln sigma`, float32. One per step. */
  readonly timesteps: Float32Array;
  /** Standard deviation of the start: unit noise times this. */
  readonly initNoiseSigma: number;
};

export type ScheduleName = 'karras' | 'ays';

/** The part of `scheduler_config.json` that matters to sampling. */
export type ScheduleRange = { readonly sigmaMin: number; readonly sigmaMax: number };

/** Values of the published SVD scheduler. */
export const svdRange: ScheduleRange = { sigmaMin: 0.002, sigmaMax: 700 };

const rho = 7;

/** Align Your Steps (Sabour et al. 2024) for SVD, ten steps. */
const alignYourSteps = [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002];

/**
 * The noise schedule of a run. `karras` (Karras et al. 2022, eq. 5) is the published one; one step gives `[sigmaMax, 0]`.
 * `ays` is Align Your Steps; other step counts than 10 interpolate its levels log-linearly, as its authors do. For a model with
 * another range of noise than SVD's the same curve is cut where that range begins and ends: which levels need close steps
 * depends on the levels themselves.
 */
export function makeSchedule(name: ScheduleName, steps: number, range: ScheduleRange = svdRange): Schedule {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new PantomimeError({
      code: 'schedule.steps',
      kind: 'usage',
      what: 'the number of denoising steps must be a whole number from 1',
      where: '--steps',
      got: String(steps),
    });
  }
  const levels = name === 'karras' ? karrasSigmas(steps, range) : aysSigmas(steps, range);
  const sigmas = new Float32Array([...levels, 0]);
  const timesteps = sigmas.subarray(0, steps).map((sigma) => 0.25 * Math.log(sigma));
  return { sigmas, timesteps, initNoiseSigma: Math.fround(Math.sqrt((sigmas[0] ?? 0) ** 2 + 1)) };
}

function karrasSigmas(steps: number, { sigmaMin, sigmaMax }: ScheduleRange): number[] {
  const [from, to] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)];
  return Array.from({ length: steps }, (_, i) => (from + (steps === 1 ? 0 : i / (steps - 1)) * (to - from)) ** rho);
}

function aysSigmas(steps: number, { sigmaMin, sigmaMax }: ScheduleRange): number[] {
  const [from, to] = [aysPosition(sigmaMax), aysPosition(sigmaMin)];
  return Array.from({ length: steps }, (_, i) => {
    const position = from + ((to - from) * i) / steps;
    const { k, a, b } = aysPart(Math.floor(position));
    return Math.exp(a + (position - k) * (b - a));
  });
}

/** Where a noise level lies among the published ones: 0 at 700, 10 at 0.002. */
function aysPosition(sigma: number): number {
  const { k, a, b } = aysPart(alignYourSteps.findLastIndex((level) => level >= sigma));
  return k + (Math.log(sigma) - a) / (b - a);
}

/** Part `k` of the curve, from one published level to the next, as logarithms; outside, the first or last part goes on. */
function aysPart(k: number): { readonly k: number; readonly a: number; readonly b: number } {
  const inside = Math.max(0, Math.min(k, alignYourSteps.length - 2));
  const [a = 1, b = 1] = alignYourSteps.slice(inside, inside + 2).map(Math.log);
  return { k: inside, a, b };
}
