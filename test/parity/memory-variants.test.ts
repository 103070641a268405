import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';
import { generateLatents, type SamplingJob } from '#dist/pipeline/generate-latents.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { openTinyModel, type TinyModel } from '../support/fixtures.js';
import { relativeL2 } from '../support/run-graph.js';

/** Rounding alone: the same sums over other blocks of rows. */
const rounding = 2e-6;

let model: TinyModel;
let engine: Engine;
beforeAll(async () => {
  model = await openTinyModel();
  engine = await createEngine({ provider: 'cpu', threads: 1 });
});
afterAll(() => engine[Symbol.asyncDispose]());

const [frames, height, width] = [5, 64, 64];
const wave = (size: number, step: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));
const schedule = makeSchedule('karras', 2, { sigmaMin: 0.002, sigmaMax: 700 });

function job(changes: Partial<SamplingJob>): SamplingJob {
  return {
    ...{ height, width, unet: model.overlaidUnet, unetConfig: model.unetConfig },
    control: { network: model.controlnext, source: pictures, scale: 0.8 },
    conditioning: {
      imageEmbeds: floatTensor([1, 1, 32], wave(32, 0.7)),
      imageLatents: floatTensor([4, 8, 8], wave(256, 0.3)),
    },
    ...{ addedTimeIds: [6, 127, 0.02], schedule, guidance: { min: 1, max: 3, index: 'local' } },
    windows: { chunk: 4, overlap: 1, anchor: 'reference', fusion: 'flat', phaseRotation: false },
    residency: 'low-memory',
    ...changes,
  };
}

const bytes = Uint8Array.from({ length: frames * height * width * 3 }, (_, i) => (i * 7919) % 251);
const pictures = byteTensor([frames, height, width, 3], bytes) as unknown as NonNullable<SamplingJob['control']>['source'];

async function latents(changes: Partial<SamplingJob>): Promise<Float32Array> {
  const start = floatTensor([frames, 4, 8, 8], wave(frames * 256, 1.3).map((z) => z * schedule.initNoiseSigma));
  return (await generateLatents(engine, start, job(changes))).data;
}

it('guidance one branch after the other, and feed-forward in parts, give the same latents', async () => {
  const joined = await latents({});
  expect(relativeL2(await latents({ splitGuidance: true }), joined)).toBeLessThan(rounding);
  expect(relativeL2(await latents({ feedForwardParts: 3 }), joined)).toBeLessThan(rounding);
  expect(relativeL2(await latents({ splitGuidance: true, feedForwardParts: 64 }), joined)).toBeLessThan(rounding);
});

it('each of them needs less memory', () => {
  const peak = (guidance: boolean, feedForwardParts: number) =>
    buildUnetStep({
      ...{ unet: model.overlaidUnet, unetConfig: model.unetConfig, controlnext: undefined, frames: 24 },
      ...{ height: 512, width: 512, guidance, feedForwardParts, residency: 'fast', target: 'cpu' },
    }).peakActivationBytes;
  expect(peak(false, 1)).toBeLessThan(0.6 * peak(true, 1));
  expect(peak(false, 8)).toBeLessThan(peak(false, 1));
});
