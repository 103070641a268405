import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import type { Target } from '#dist/models/onnx/built-graph.js';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { byteTensor, floatTensor, sizeOf } from '#dist/models/tensor.js';
import { type Control, generateLatents, type SamplingJob } from '#dist/pipeline/generate-latents.js';
import { openTinyModel, type TinyModel } from '../support/fixtures.js';
import { relativeL2, runGraph } from '../support/run-graph.js';

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
    controls: [{ name: 'pose', network: model.controlnext, source: pictures, scale: 0.8, start: 0, end: 1 }],
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
const pictures = byteTensor([frames, height, width, 3], bytes) as unknown as Control['source'];

/** What the denoiser says of every window of the first step, and the latents after both. */
async function sampled(changes: Partial<SamplingJob>) {
  const start = floatTensor(
    [frames, 4, 8, 8],
    wave(frames * 256, 1.3).map((z) => z * schedule.initNoiseSigma),
  );
  const predictions: number[] = [];
  const onPrediction: SamplingJob['onPrediction'] = (step, _k, { data }) => {
    if (step === 0) predictions.push(...data);
  };
  const { data } = await generateLatents(engine, start, job({ ...changes, onPrediction }));
  return { predictions, latents: data };
}

it('guidance one branch after the other, and feed-forward in parts, give the same', async () => {
  const joined = await sampled({});
  for (const changes of [
    { splitGuidance: true },
    { feedForwardParts: 3 },
    { splitGuidance: true, feedForwardParts: 64 },
  ]) {
    const other = await sampled(changes);
    expect(relativeL2(other.predictions, joined.predictions), JSON.stringify(changes)).toBeLessThan(rounding);
    // From 700 to 0 in two steps: what differs in the last bits of a prediction differs more in the latents.
    expect(relativeL2(other.latents, joined.latents), JSON.stringify(changes)).toBeLessThan(1e-4);
  }
});

it('each of them needs less memory', () => {
  const peak = (guidance: boolean, feedForwardParts: number) =>
    buildUnetStep({
      ...{ unet: model.overlaidUnet, unetConfig: model.unetConfig, frames: 24 },
      ...{ height: 512, width: 512, guidance, feedForwardParts, residency: 'fast', target: 'cpu' },
    }).peakActivationBytes;
  expect(peak(false, 1)).toBeLessThan(0.6 * peak(true, 1));
  expect(peak(false, 8)).toBeLessThan(peak(false, 1));
});

const step = (target: Target, attentionParts: number, side = 128, count = 2) =>
  buildUnetStep({
    ...{ unet: model.overlaidUnet, unetConfig: model.unetConfig, frames: count, height: side, width: side },
    ...{ guidance: false, residency: 'fast', target, attentionParts },
  });

/** The first output for inputs of waves. */
async function outputOf(graph: BuiltGraph): Promise<Float32Array> {
  const feeds = graph.inputs.map(({ name, dims }, i) => {
    const data = wave(sizeOf(dims), 0.3 + 0.1 * i).map((value) => (name === 'sigma' ? 2 : value));
    return [name, floatTensor(dims, data)] as const;
  });
  return (await runGraph(graph, Object.fromEntries(feeds)))[graph.outputs[0]!.name]!.data;
}

it('attention that is not fused gives the same in parts, some of them shorter', async () => {
  const whole = await outputOf(step('webgpu', 1));
  // 192 queries and fewer.
  for (const parts of [5, 64]) expect(relativeL2(await outputOf(step('webgpu', parts)), whole)).toBeLessThan(rounding);
});

it('attention in parts needs less where it is not fused, and is left alone where it is', () => {
  expect(step('webgpu', 16, 512).peakActivationBytes).toBeLessThan(0.3 * step('webgpu', 1, 512).peakActivationBytes);
  expect(step('cpu', 16).model).toEqual(step('cpu', 1).model);
});
