import { expect, it } from 'vitest';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import type { BuiltGraph, Target } from '#dist/models/onnx/built-graph.js';
import { floatTensor, sizeOf } from '#dist/models/tensor.js';
import { relativeL2, runGraph } from '../support/run-graph.js';
import { sampleTiny, tinyBench, wave } from '../support/tiny-sampling.js';

/** Rounding alone: the same sums over other blocks of rows. */
const rounding = 2e-6;

const tiny = tinyBench();

it('guidance one branch after the other, and feed-forward in parts, give the same', async () => {
  const joined = await sampleTiny(tiny.engine, tiny.model, {});
  for (const changes of [
    { splitGuidance: true },
    { feedForwardParts: 3 },
    { splitGuidance: true, feedForwardParts: 64 },
  ]) {
    const other = await sampleTiny(tiny.engine, tiny.model, changes);
    expect(relativeL2(other.predictions, joined.predictions), JSON.stringify(changes)).toBeLessThan(rounding);
    // From 700 to 0 in two steps: what differs in the last bits of a prediction differs more in the latents.
    expect(relativeL2(other.latents, joined.latents), JSON.stringify(changes)).toBeLessThan(1e-4);
  }
});

it('each of them needs less memory', () => {
  const peak = (guidance: boolean, feedForwardParts: number) =>
    buildUnetStep({
      ...{ unet: tiny.model.overlaidUnet, unetConfig: tiny.model.unetConfig, frames: 24 },
      ...{ height: 512, width: 512, guidance, feedForwardParts, residency: 'fast', target: 'cpu' },
    }).peakActivationBytes;
  expect(peak(false, 1)).toBeLessThan(0.6 * peak(true, 1));
  expect(peak(false, 8)).toBeLessThan(peak(false, 1));
});

const step = (target: Target, attentionParts: number, side = 128, count = 2) =>
  buildUnetStep({
    ...{ unet: tiny.model.overlaidUnet, unetConfig: tiny.model.unetConfig, frames: count, height: side, width: side },
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
