import type { Checkpoint } from '../models/checkpoint/checkpoint.js';
import { buildUnetStep, controlInputs } from '../models/graphs/unet-step.js';
import type { Residency } from '../models/onnx/built-graph.js';
import type { Precision } from '../models/onnx/graph.js';
import type { Engine, RunInput, SessionId } from '../models/runtime/engine.js';
import { type Guidance, guidedSteps, linearGuidance, mixGuidance } from '../models/schedule/guidance.js';
import type { Schedule } from '../models/schedule/sigmas.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import { type SampleOptions, sample } from '../stages/denoise/sample.js';
import { type Anchor, contextWindows, type Fusion, rotatingPhase } from '../stages/denoise/windows.js';
import type { Conditioning } from './conditioning.js';
import type { ControlFeatures } from './control-features.js';
import type { ControlMaps } from './control-maps.js';
import { type PlannedControl, worksAt } from './controls.js';
import type { Size } from './size.js';

/** A control module with pictures that it sees at every step, or features that were computed once for all steps. */
export type Control = Omit<PlannedControl, 'once'> & { readonly source: ControlMaps | ControlFeatures };

/** Everything a denoising run depends on; nothing of files, options or the terminal. */
export type SamplingJob = Size & {
  readonly unet: Checkpoint;
  readonly unetConfig: unknown;
  /** None: plain image-to-video. */
  readonly controls: readonly Control[];
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
  readonly guidance: Guidance & { readonly index: 'local' | 'global' };
  readonly residency: Residency;
  /** float32 when left out. */
  readonly precision?: Precision | undefined;
  /** See `GraphOptions`. */
  readonly quantize?: boolean | undefined;
  /** The branches of guidance run one after the other, which needs half the memory. */
  readonly splitGuidance?: boolean | undefined;
  /** See `GraphOptions`. */
  readonly feedForwardParts?: number | undefined;
  readonly attentionParts?: number | undefined;
} & Pick<SampleOptions, 'startStep' | 'onStep' | 'onWindow' | 'onWindows' | 'onPrediction' | 'signal'>;

/**
 * Denoises `latents` [frames, L, h, w] (already at the start noise level, or as they were before `startStep`) through one
 * fused graph: control features (unless they were computed before), both guidance branches and their mix in a single run
 * per window; or, with `splitGuidance`, one branch a run. Where a control or guidance begins or ends, another graph takes its
 * place: one without it does not compute it, and gives what a run without it gives.
 */
export async function generateLatents(engine: Engine, latents: FloatTensor, job: SamplingJob): Promise<FloatTensor> {
  const count = latents.dims[0] as number;
  const frames = Math.min(job.windows.chunk, count);
  const steps = job.schedule.timesteps.length;
  const { min, max, index } = job.guidance;
  const guidedAt = guidedSteps(job.guidance, job.schedule);
  const fixed: Record<string, RunInput> = {
    image_latents: job.conditioning.imageLatents,
    image_embeds: job.conditioning.imageEmbeds,
    added_time_ids: floatTensor([3], Float32Array.from(job.addedTimeIds)),
  };
  // The unconditional branch sees no picture and no control.
  const { imageLatents, imageEmbeds } = job.conditioning;
  const unconditional: Record<string, RunInput> = {
    image_latents: floatTensor(imageLatents.dims),
    image_embeds: floatTensor(imageEmbeds.dims),
  };
  const local = linearGuidance(min, max, frames);
  const global = linearGuidance(min, max, count);
  let loaded: { readonly key: string; readonly session: Promise<SessionId> } | undefined;
  const unload = async () => {
    const before = loaded;
    loaded = undefined;
    if (before) await engine.release(await before.session);
  };
  const loadAnother = async (controls: readonly Control[], guidance: boolean, unloaded: Promise<void>) => {
    await unloaded;
    const graph = buildUnetStep({
      unet: job.unet,
      unetConfig: job.unetConfig,
      controls: controls.map((control) => ({ ...control, givenFeatures: isFeatures(control) })),
      frames,
      height: job.height,
      width: job.width,
      pixelsPerLatent: job.height / (latents.dims[2] as number),
      guidance,
      residency: job.residency,
      precision: job.precision,
      quantize: job.quantize,
      target: engine.info.provider,
      feedForwardParts: job.feedForwardParts,
      attentionParts: job.attentionParts,
    });
    return engine.load(graph);
  };
  /** Windows of one step, which have the same controls and guidance, may ask at the same time. */
  const load = (controls: readonly Control[], guidance: boolean) => {
    const key = [guidance, ...controls.map(({ name }) => name)].join();
    if (loaded?.key !== key) loaded = { key, session: loadAnother(controls, guidance, unload()) };
    return loaded.session;
  };
  try {
    for (const { name, source } of job.controls) await engine.define(sourceName(name), source);
    return await sample(latents, {
      schedule: job.schedule,
      windowsAt: (step) =>
        contextWindows(count, { ...job.windows, phase: job.windows.phaseRotation ? rotatingPhase(step) : 0 }),
      predict: async ({ step, window, latents: x, sigma, timestep }) => {
        const controls = job.controls.filter((control) => worksAt(control, step, steps));
        const guided = guidedAt[step] as boolean;
        const together = guided && !job.splitGuidance;
        const session = await load(controls, together);
        const scales = index === 'local' ? local : Float32Array.from(window.frames, (frame) => global[frame] as number);
        const inputs: Record<string, RunInput> = {
          ...fixed,
          latents: x,
          sigma: scalar(sigma),
          timestep: scalar(timestep),
          ...(together && { guidance: floatTensor([frames], scales) }),
        };
        const without = { ...inputs, ...unconditional };
        for (const control of controls) {
          const { pictures, features, scale } = controlInputs(control.name);
          const pose = {
            [isFeatures(control) ? features : pictures]: { ref: sourceName(control.name), rows: window.poses },
          };
          Object.assign(inputs, pose, { [scale]: scalar(control.scale) });
          Object.assign(without, pose, { [scale]: scalar(0) });
        }
        const run = async (given: Record<string, RunInput>) =>
          (await engine.run(session, given, { signal: job.signal })).prediction as FloatTensor;
        const prediction = await run(inputs);
        if (!guided || together) return prediction;
        const { data } = await run(without);
        return { ...prediction, data: mixGuidance(data, prediction.data, scales) };
      },
      startStep: job.startStep ?? 0,
      onStep: job.onStep,
      onWindow: job.onWindow,
      onWindows: job.onWindows,
      onPrediction: job.onPrediction,
      signal: job.signal,
    });
  } finally {
    for (const { name } of job.controls) await engine.forget(sourceName(name)).catch(() => {});
    await unload().catch(() => {});
  }
}

function isFeatures({ source }: Control): boolean {
  return source.dtype === 'float32';
}

/** What the engine calls the pictures or features of a control. */
function sourceName(control: string): string {
  return `control.${control}`;
}

function scalar(value: number): FloatTensor {
  return floatTensor([1], new Float32Array([value]));
}
