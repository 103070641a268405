import type { Schedule } from './sigmas.js';

/** Guidance scale rising linearly over `count` places, float32; `min` alone when there is one place. */
export function linearGuidance(min: number, max: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (count === 1 ? min : min + ((max - min) * i) / (count - 1)));
}

/**
 * Whether the unconditional branch has to run. The published pipeline turns guidance on from `max >= 1`; at exactly 1
 * everywhere it leaves the conditional prediction unchanged, so that branch is skipped without changing any number.
 */
export function needsGuidance(min: number, max: number): boolean {
  return max >= 1 && !(min === 1 && max === 1);
}

/** Noise levels at which guidance works: above `low`, up to and with `high`. */
export type GuidanceInterval = { readonly low: number; readonly high: number };

/** Guidance as a run has it: the ends of its ramp over the frames, and the noise levels at which it works; all when left out. */
export type Guidance = {
  readonly min: number;
  readonly max: number;
  readonly interval?: GuidanceInterval | undefined;
};

/**
 * Which steps run both branches. Outside of the interval the conditional branch runs alone, as at guidance 1 (Kynkäänniemi
 * et al. 2024).
 */
export function guidedSteps({ min, max, interval }: Guidance, { sigmas, timesteps }: Schedule): readonly boolean[] {
  const guided = needsGuidance(min, max);
  const { low, high } = interval ?? { low: 0, high: Number.POSITIVE_INFINITY };
  return Array.from(timesteps, (_, step) => {
    const sigma = sigmas[step] as number;
    return guided && sigma > low && sigma <= high;
  });
}

/**
 * uncond + scale (cond - uncond), each frame with its own scale, rounded as the graph does it that computes both branches.
 * @param uncond, cond predictions [frames, ...]
 */
export function mixGuidance(uncond: Float32Array, cond: Float32Array, scales: Float32Array): Float32Array {
  const size = cond.length / scales.length;
  return Float32Array.from(cond, (value, i) => {
    const base = uncond[i] as number;
    return base + Math.fround((scales[Math.floor(i / size)] as number) * Math.fround(value - base));
  });
}
