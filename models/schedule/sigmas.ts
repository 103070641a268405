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
 * `ays` is Align Your Steps; other step counts than 10 interpolate its levels log-linearly.
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
  const levels = name === 'karras' ? karrasSigmas(steps, range) : aysSigmas(steps);
  const sigmas = new Float32Array([...levels, 0]);
  const timesteps = sigmas.subarray(0, steps).map((sigma) => 0.25 * Math.log(sigma));
  return { sigmas, timesteps, initNoiseSigma: Math.fround(Math.sqrt((sigmas[0] ?? 0) ** 2 + 1)) };
}

function karrasSigmas(steps: number, { sigmaMin, sigmaMax }: ScheduleRange): number[] {
  const [from, to] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)];
  return Array.from({ length: steps }, (_, i) => (from + (steps === 1 ? 0 : i / (steps - 1)) * (to - from)) ** rho);
}

function aysSigmas(steps: number): number[] {
  const last = alignYourSteps.length - 1;
  return Array.from({ length: steps }, (_, i) => {
    const position = (i * last) / steps;
    const k = Math.floor(position);
    const [a, b] = [alignYourSteps[k] as number, alignYourSteps[Math.min(k + 1, last)] as number];
    return Math.exp(Math.log(a) + (position - k) * (Math.log(b) - Math.log(a)));
  });
}
