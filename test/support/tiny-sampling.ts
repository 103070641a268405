import type { Engine } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';
import { type Control, generateLatents, type SamplingJob } from '#dist/pipeline/generate-latents.js';
import type { TinyModel } from './fixtures.js';

const [frames, height, width] = [5, 64, 64];
/** A sine of `size` values. */
export const wave = (size: number, step: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));

const bytes = Uint8Array.from({ length: frames * height * width * 3 }, (_, i) => (i * 7919) % 251);
const pictures = byteTensor([frames, height, width, 3], bytes) as unknown as Control['source'];

/** Five frames in two windows, two steps, with pose control and a ramp of guidance. */
function job(model: TinyModel): SamplingJob {
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
export async function sampleTiny(engine: Engine, model: TinyModel, changes: Partial<SamplingJob>) {
  const all = { ...job(model), ...changes };
  const start = floatTensor(
    [frames, 4, 8, 8],
    wave(frames * 256, 1.3).map((z) => z * all.schedule.initNoiseSigma),
  );
  const predictions: number[] = [];
  const steps: Float32Array[] = [];
  const { data } = await generateLatents(engine, start, {
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
