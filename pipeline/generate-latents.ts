import type { Checkpoint } from '../models/checkpoint/checkpoint.js';
import { buildUnetStep } from '../models/graphs/unet-step.js';
import type { Residency } from '../models/onnx/built-graph.js';
import type { Engine, RunInput } from '../models/runtime/engine.js';
import { linearGuidance, mixGuidance, needsGuidance } from '../models/schedule/guidance.js';
import type { Schedule } from '../models/schedule/sigmas.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import { type SampleOptions, sample } from '../stages/denoise/sample.js';
import { type Anchor, contextWindows, type Fusion, rotatingPhase } from '../stages/denoise/windows.js';
import type { Conditioning } from './conditioning.js';
import type { ControlFeatures } from './control-features.js';
import type { ControlMaps } from './control-maps.js';
import type { Size } from './size.js';

/** Pose control: pictures that the network sees at every step, or features that were computed once for all steps. */
export type Control = {
  readonly network: Checkpoint;
  readonly source: ControlMaps | ControlFeatures;
  readonly scale: number;
};

/** Everything a denoising run depends on; nothing of files, options or the terminal. */
export type SamplingJob = Size & {
  readonly unet: Checkpoint;
  readonly unetConfig: unknown;
  /** Left out: plain image-to-video without pose control. */
  readonly control?: Control | undefined;
  readonly conditioning: Conditioning;
  /** fps, motion bucket and noise level as the network is told them; published: [6, 128, 0.02] always. */
  readonly addedTimeIds: readonly [number, number, number];
  readonly schedule: Schedule;
  readonly windows: {
    readonly chunk: number;
    readonly overlap: number;
    readonly anchor: Anchor;
    readonly fusion: Fusion;
    readonly phaseRotation: boolean;
  };
  readonly guidance: { readonly min: number; readonly max: number; readonly index: 'local' | 'global' };
  readonly residency: Residency;
  /** The branches of guidance run one after the other, which needs half the memory. */
  readonly splitGuidance?: boolean | undefined;
  /** See `GraphOptions`. */
  readonly feedForwardParts?: number | undefined;
} & Pick<SampleOptions, 'startStep' | 'onStep' | 'onWindow' | 'onWindows' | 'onPrediction' | 'signal'>;

/**
 * Denoises `latents` [frames, L, h, w] (already at the start noise level, or as they were before `startStep`) through one
 * fused graph: control features (unless they were computed before), both guidance branches and their mix in a single run
 * per window; or, with `splitGuidance`, one branch a run.
 */
export async function generateLatents(engine: Engine, latents: FloatTensor, job: SamplingJob): Promise<FloatTensor> {
  const count = latents.dims[0] as number;
  const frames = Math.min(job.windows.chunk, count);
  const { min, max, index } = job.guidance;
  const guided = needsGuidance(min, max);
  const together = guided && !job.splitGuidance;
  const { control } = job;
  const features = control?.source.dtype === 'float32';
  const graph = buildUnetStep({
    unet: job.unet,
    unetConfig: job.unetConfig,
    controlnext: control?.network,
    controlFeatures: features,
    frames,
    height: job.height,
    width: job.width,
    pixelsPerLatent: job.height / (latents.dims[2] as number),
    guidance: together,
    residency: job.residency,
    target: engine.info.provider,
    feedForwardParts: job.feedForwardParts,
  });
  const session = await engine.load(graph);
  try {
    if (control) await engine.define('control', control.source);
    const fixed: Record<string, RunInput> = {
      image_latents: job.conditioning.imageLatents,
      image_embeds: job.conditioning.imageEmbeds,
      added_time_ids: floatTensor([3], Float32Array.from(job.addedTimeIds)),
      ...(control && { control_scale: scalar(control.scale) }),
    };
    // The unconditional branch sees no picture and no control.
    const { imageLatents, imageEmbeds } = job.conditioning;
    const unconditional: Record<string, RunInput> = {
      image_latents: floatTensor(imageLatents.dims),
      image_embeds: floatTensor(imageEmbeds.dims),
      ...(control && { control_scale: scalar(0) }),
    };
    const local = linearGuidance(min, max, frames);
    const global = linearGuidance(min, max, count);
    return await sample(latents, {
      schedule: job.schedule,
      windowsAt: (step) =>
        contextWindows(count, { ...job.windows, phase: job.windows.phaseRotation ? rotatingPhase(step) : 0 }),
      predict: async ({ window, latents: x, sigma, timestep }) => {
        const scales = index === 'local' ? local : Float32Array.from(window.frames, (frame) => global[frame] as number);
        const inputs: Record<string, RunInput> = {
          ...fixed,
          latents: x,
          sigma: scalar(sigma),
          timestep: scalar(timestep),
          ...(together && { guidance: floatTensor([frames], scales) }),
          ...(control && { [features ? 'control_features' : 'control']: { ref: 'control', rows: window.poses } }),
        };
        const run = async (changes?: Record<string, RunInput>) =>
          (await engine.run(session, { ...inputs, ...changes }, { signal: job.signal })).prediction as FloatTensor;
        const prediction = await run();
        if (!guided || together) return prediction;
        const uncond = await run(unconditional);
        return { ...prediction, data: mixGuidance(uncond.data, prediction.data, scales) };
      },
      startStep: job.startStep ?? 0,
      onStep: job.onStep,
      onWindow: job.onWindow,
      onWindows: job.onWindows,
      onPrediction: job.onPrediction,
      signal: job.signal,
    });
  } finally {
    if (control) await engine.forget('control').catch(() => {});
    await engine.release(session).catch(() => {});
  }
}

function scalar(value: number): FloatTensor {
  return floatTensor([1], new Float32Array([value]));
}
