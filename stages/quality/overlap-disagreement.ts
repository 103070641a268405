import type { WeightedFrames } from './window-joints.js';

export type OverlapDisagreement = {
  /** Mean over the steps and the frames that windows share; undefined when they share none. */
  readonly overall: number | undefined;
  /** Mean over the frames shared in each step, by step. */
  readonly steps: readonly (number | undefined)[];
  /** Mean over the steps in which a frame was shared, by frame (frame 0 is the first of the latents). */
  readonly frames: readonly (number | undefined)[];
};

export type DisagreementMeter = {
  /** Before the first window of a step. Throws an Error when windows of the step before are missing. */
  beginStep(step: number, windows: readonly WeightedFrames[]): void;
  /**
   * The prediction of window `k` of the step, slot after slot, before it is fused. It is read only, and not kept. Throws
   * RangeError for a window that is not in the step, or a length that is no multiple of its slots.
   */
  add(k: number, prediction: Float32Array): void;
  result(): OverlapDisagreement;
};

type Open = { readonly sum: Float64Array; weight: number; squares: number; missing: number };

/**
 * How much windows disagree about the frames they share, before they are averaged: D = sum_w a_w |v_w - m|^2 / (A |m|^2), with
 * predictions v_w, weights a_w of sum A, and m = sum_w a_w v_w / A. 0..infinity, no unit: 0 is agreement, 1 that they differ
 * from their mean as much as it differs from nothing. It foretells seams and ghosts, and costs no more than a sum over what
 * is computed anyway. Only frames still waiting for a window are kept: one overlap, when windows come in order.
 * @param count frames of the latents
 */
export function overlapDisagreement(count: number): DisagreementMeter {
  let windows: readonly WeightedFrames[] = [];
  let open = new Map<number, Open>();
  let contributors: number[] = [];
  let current = 0;
  const [stepSums, frameSums]: [Mean[], Mean[]] = [[], []];

  function close(frame: number, { sum, weight, squares }: Open): void {
    const length = sum.reduce((total, value) => total + value ** 2, 0) / weight;
    // The identity sum a |v - m|^2 = sum a |v|^2 - A |m|^2; rounding may leave a little under 0.
    const apart = Math.max(0, squares - length);
    const value = apart === 0 ? 0 : apart / Math.max(length, Number.MIN_VALUE);
    tally(stepSums, current, value);
    tally(frameSums, frame, value);
    open.delete(frame);
  }

  return {
    beginStep(step, of) {
      if (open.size > 0) throw new Error(`windows of step ${current} are missing for ${open.size} frames`);
      [current, windows, open] = [step, of, new Map()];
      contributors = Array.from({ length: count }, () => 0);
      for (const { frames, weights } of of)
        frames.forEach((frame, slot) => {
          if ((weights[slot] as number) > 0) contributors[frame] = (contributors[frame] ?? 0) + 1;
        });
    },
    add(k, prediction) {
      const window = windows[k];
      if (!window) throw new RangeError(`window ${k} of ${windows.length}`);
      const size = prediction.length / window.frames.length;
      if (!Number.isInteger(size)) throw new RangeError(`${prediction.length} values in ${window.frames.length} slots`);
      window.frames.forEach((frame, slot) => {
        const weight = window.weights[slot] as number;
        const windowsOfFrame = contributors[frame] as number;
        if (weight <= 0 || windowsOfFrame < 2) return;
        let held = open.get(frame);
        if (!held) {
          held = { sum: new Float64Array(size), weight: 0, squares: 0, missing: windowsOfFrame };
          open.set(frame, held);
        }
        for (let i = 0; i < size; i++) {
          const value = prediction[slot * size + i] as number;
          held.sum[i] = (held.sum[i] as number) + weight * value;
          held.squares += weight * value * value;
        }
        held.weight += weight;
        held.missing--;
        if (held.missing === 0) close(frame, held);
      });
    },
    result() {
      const total = stepSums.reduce((all, one) => ({ sum: all.sum + one.sum, n: all.n + one.n }), { sum: 0, n: 0 });
      const steps = Array.from(stepSums, meanOf);
      const frames = Array.from({ length: count }, (_, frame) => meanOf(frameSums[frame]));
      return { overall: meanOf(total), steps, frames };
    },
  };
}

/** Disagreement at each joint: the mean over the two frames beside it that windows share; undefined when they share neither. */
export function disagreementAt(
  frames: readonly (number | undefined)[],
  joints: readonly number[],
): readonly (number | undefined)[] {
  return joints.map((joint) => {
    const known = [frames[joint - 1], frames[joint]].filter((value) => value !== undefined);
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

type Mean = { sum: number; n: number };

function tally(means: Mean[], at: number, value: number): void {
  means[at] ??= { sum: 0, n: 0 };
  means[at].sum += value;
  means[at].n++;
}

function meanOf(mean: Mean | undefined): number | undefined {
  return mean && mean.n > 0 ? mean.sum / mean.n : undefined;
}
