import { requireNumbers } from '../../models/require-numbers.js';
import { eulerStep } from '../../models/schedule/euler.js';
import type { Schedule } from '../../models/schedule/sigmas.js';
import type { FloatTensor } from '../../models/tensor.js';
import type { ContextWindow } from './windows.js';

/** Windows that the network is asked for in one call, with their latents [windows * slots, C, h, w] at noise level `sigma`. */
export type WindowsRequest = {
  readonly step: number;
  /** How many calls of the step were made before. */
  readonly call: number;
  readonly windows: readonly ContextWindow[];
  /** Windows of the step that have not been asked for yet. */
  readonly later: readonly ContextWindow[];
  readonly latents: FloatTensor;
  readonly sigma: number;
  readonly timestep: number;
};

/** Guided v-prediction of the windows, [windows * slots, C, h, w]. */
export type Predict = (request: WindowsRequest) => Promise<FloatTensor>;

export type SampleOptions = {
  readonly schedule: Schedule;
  /** The windows of a step; may differ from step to step. */
  readonly windowsAt: (step: number) => readonly ContextWindow[];
  readonly predict: Predict;
  /** Windows of a call; 1 when left out. The last call of a step may have fewer. */
  readonly windowsTogether?: number | undefined;
  /** Calls that are worked on at the same time; 1 when left out. */
  readonly callsAtOnce?: number | undefined;
  /** First step to do; `latents` are those before it. */
  readonly startStep?: number | undefined;
  /** Called with the windows of a step before the first of them is predicted. */
  readonly onWindows?: ((step: number, windows: readonly ContextWindow[]) => void) | undefined;
  /** Called with the prediction of window `k`, before it is fused; it must not be changed. Waited for. */
  readonly onPrediction?: ((step: number, k: number, prediction: FloatTensor) => Promise<void> | void) | undefined;
  readonly onWindow?:
    | ((done: { readonly step: number; readonly window: number; readonly windows: number }) => void)
    | undefined;
  /** Called with the latents after each step. Waited for before anything of the next step is taken. */
  readonly onStep?: ((step: number, latents: FloatTensor) => Promise<void> | void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** How often more calls are made than are worked on, so that who predicts never waits for who fuses. */
const aheadFactor = 2;

/**
 * The sampling loop: at each noise level every window is predicted, the predictions of a frame are averaged by the
 * windows' weights, and one Euler step is taken. (For fixed latents the step is affine in the prediction, so this equals
 * the published averaging of stepped latents.) `predict` is called for the next windows before the last ones have been fused, and
 * `onStep` of a step goes on while the first windows of the next are predicted.
 * @param latents [frames, C, h, w] before step `startStep`
 * @returns latents after the last step. Throws PantomimeError `numbers.lost` with step and window
 */
export async function sample(latents: FloatTensor, options: SampleOptions): Promise<FloatTensor> {
  const { schedule, signal, windowsTogether = 1, callsAtOnce = 1 } = options;
  const steps = schedule.timesteps.length;
  let x = latents;
  let saved: Promise<void> | undefined;
  try {
    for (let step = options.startStep ?? 0; step < steps; step++) {
      const sigma = schedule.sigmas[step] as number;
      const timestep = schedule.timesteps[step] as number;
      const windows = options.windowsAt(step);
      options.onWindows?.(step, windows);
      const fused = new FusedPrediction(x);
      const before = x;
      const calls = Math.ceil(windows.length / windowsTogether);
      const ask = (call: number) => {
        signal?.throwIfAborted();
        const first = call * windowsTogether;
        const own = windows.slice(first, first + windowsTogether);
        const frames = own.flatMap((window) => window.frames);
        const asked = options.predict({
          ...{ step, call, windows: own, later: windows.slice(first + own.length) },
          ...{ latents: gatherFrames(before, frames), sigma, timestep },
        });
        asked.catch(() => {}); // reported when its turn comes; not an unhandled rejection before
        return asked;
      };
      const ahead = Math.min(aheadFactor * callsAtOnce, calls);
      const asked = Array.from({ length: ahead }, (_, call) => ask(call));
      await saved;
      let k = 0;
      for (let call = 0; call < calls; call++) {
        const together = (await asked.shift()) as FloatTensor;
        if (call + ahead < calls) asked.push(ask(call + ahead));
        let slot = 0;
        for (const window of windows.slice(k, k + windowsTogether)) {
          const prediction = slotsOf(together, slot, window.frames.length);
          const where = `step ${step + 1} of ${steps}, window ${k + 1} of ${windows.length}`;
          requireNumbers(prediction.data, 'the denoiser', where);
          await options.onPrediction?.(step, k, prediction);
          fused.add(window, prediction);
          options.onWindow?.({ step, window: k, windows: windows.length });
          slot += window.frames.length;
          k += 1;
        }
      }
      x = { ...x, data: eulerStep(x.data, fused.mean(), sigma, schedule.sigmas[step + 1] as number) };
      saved = Promise.resolve(options.onStep?.(step, x));
      saved.catch(() => {}); // as above
    }
    await saved;
    return x;
  } finally {
    await saved?.catch(() => {});
  }
}

/** Rows `frames` of a tensor's first axis, in that order. */
export function gatherFrames(tensor: FloatTensor, frames: readonly number[]): FloatTensor {
  const [, ...inner] = tensor.dims;
  const size = tensor.data.length / (tensor.dims[0] as number);
  const data = new Float32Array(frames.length * size);
  frames.forEach((frame, slot) => {
    data.set(tensor.data.subarray(frame * size, (frame + 1) * size), slot * size);
  });
  return { dtype: 'float32', dims: [frames.length, ...inner], data };
}

/** `count` entries of a tensor's first axis from `first` on; not copied. */
function slotsOf({ dims: [slots = 1, ...inner], data }: FloatTensor, first: number, count: number): FloatTensor {
  const size = data.length / slots;
  return { dtype: 'float32', dims: [count, ...inner], data: data.subarray(first * size, (first + count) * size) };
}

/** Weighted mean of window predictions per frame. */
class FusedPrediction {
  readonly #sum: Float64Array;
  readonly #weight: Float64Array;

  constructor(like: FloatTensor) {
    this.#sum = new Float64Array(like.data.length);
    this.#weight = new Float64Array(like.dims[0] as number);
  }

  add(window: ContextWindow, prediction: FloatTensor): void {
    const size = this.#sum.length / this.#weight.length;
    window.frames.forEach((frame, slot) => {
      const weight = window.weights[slot] as number;
      if (weight === 0) return;
      this.#weight[frame] = (this.#weight[frame] as number) + weight;
      for (let i = 0; i < size; i++) {
        const at = frame * size + i;
        this.#sum[at] = (this.#sum[at] as number) + weight * (prediction.data[slot * size + i] as number);
      }
    });
  }

  mean(): Float32Array {
    const size = this.#sum.length / this.#weight.length;
    const mean = new Float32Array(this.#sum.length);
    for (let i = 0; i < mean.length; i++)
      mean[i] = (this.#sum[i] as number) / (this.#weight[Math.floor(i / size)] as number);
    return mean;
  }
}
