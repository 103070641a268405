import { afterAll, beforeAll } from 'vitest';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';
import { generateLatents } from '#dist/pipeline/generate-latents.js';
import type { Control, SamplingJob } from '#dist/pipeline/sampling-job.js';
import { openTinyModel, type TinyModel } from './fixtures.js';

const [height, width] = [64, 64];
/** A sine of `size` values. */
export const wave = (size: number, step: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));

/** The tiny model and an engine of one thread, for all tests of a file. */
export function tinyBench(): { readonly model: TinyModel; readonly engine: Engine } {
  const opened = {} as { model: TinyModel; engine: Engine };
  beforeAll(async () => {
    opened.model = await openTinyModel();
    opened.engine = await createEngine({ provider: 'cpu', threads: 1 });
  });
  afterAll(() => opened.engine[Symbol.asyncDispose]());
  return opened;
}

/** Control pictures of so many frames. */
export const tinyPictures = (frames = 5) =>
  byteTensor(
    [frames, height, width, 3],
    Uint8Array.from({ length: frames * height * width * 3 }, (_, i) => (i * 7919) % 251),
  );

/** What is denoised. */
export const tinyStart = ({ schedule }: Pick<SamplingJob, 'schedule'>, frames = 5) =>
  floatTensor(
    [frames, 4, 8, 8],
    wave(frames * 256, 1.3).map((z) => z * schedule.initNoiseSigma),
  );

/** Windows of four frames, two steps, with pose control and a ramp of guidance. */
export function tinyJob(model: TinyModel, frames = 5): SamplingJob {
  const pictures = tinyPictures(frames) as unknown as Control['source'];
  return {
    ...{ height, width, unet: model.overlaidUnet, unetConfig: model.unetConfig },
    controls: [{ name: 'pose', network: model.controlnext, source: pictures, scale: 0.8, start: 0, end: 1 }],
    conditioning: {
      imageEmbeds: floatTensor([1, 1, 32], wave(32, 0.7)),
      imageLatents: floatTensor([4, 8, 8], wave(256, 0.3)),
    },
    ...{ addedTimeIds: [6, 127, 0.02], schedule: makeSchedule('karras', 2) },
    guidance: { min: 1, max: 3, index: 'local' },
    windows: { chunk: 4, overlap: 1, anchor: 'reference', fusion: 'flat', phaseRotation: false },
    residency: 'low-memory',
  };
}

/** What the denoiser says of every window of the first step, and the latents after each. */
export async function sampleTiny(
  engine: Engine | readonly Engine[],
  model: TinyModel,
  changes: Partial<SamplingJob>,
  frames = 5,
) {
  const all = { ...tinyJob(model, frames), ...changes };
  const predictions: number[] = [];
  const steps: Float32Array[] = [];
  const { data } = await generateLatents([engine].flat(), tinyStart(all, frames), {
    ...all,
    onPrediction: (step, _k, prediction) => {
      if (step === 0) predictions.push(...prediction.data);
    },
    onStep: (_step, latents) => {
      steps.push(latents.data);
    },
  });
  return { predictions, steps, latents: data };
}
