import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { buildUnetStep, type UnetStepOptions } from '#dist/models/graphs/unet-step.js';
import { applyLora } from '#dist/models/lora/apply-lora.js';
import { openLora } from '#dist/models/lora/open-lora.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';
import { networkTolerance, openTinyModel, type TinyModel } from '../support/fixtures.js';
import { type LoraLayout, type RandomLora, writeMerged, writeRandomLora } from '../support/loras.js';
import { relativeL2, runGraph } from '../support/run-graph.js';
import { someFloats } from '../support/tensors.js';

/*
 * Against the algebra: the same model whose weights were merged in float64 and written as an ordinary checkpoint.
 */

let folder: string;
let model: TinyModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-lora-'));
  model = await openTinyModel();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, `${name}.safetensors`);
const frames = 2;

const step = (unet: Checkpoint, options: Partial<UnetStepOptions> = {}) =>
  buildUnetStep({
    ...{ unet, unetConfig: model.unetConfig, frames, height: 128, width: 128, guidance: true },
    ...{ residency: 'fast', target: 'cpu', ...options },
  });

/** One prediction for inputs of random numbers. */
async function predict(unet: Checkpoint, options: Partial<UnetStepOptions> = {}): Promise<Float32Array> {
  const floats = (seed: number, ...dims: number[]) =>
    floatTensor(dims, someFloats(dims.reduce((a, b) => a * b), seed));
  const graph = step(unet, options);
  const { prediction } = await runGraph(graph, {
    latents: floats(1, frames, 4, 16, 16),
    sigma: floatTensor([1], Float32Array.of(2)),
    timestep: floatTensor([1], Float32Array.of(0.25 * Math.log(2))),
    image_latents: floats(2, 4, 16, 16),
    image_embeds: floats(3, 1, 1, 32),
    added_time_ids: floatTensor([3], Float32Array.of(6, 128, 0.02)),
    guidance: floatTensor([frames], Float32Array.of(1, 3)),
    ...(options.controlnext && {
      control: byteTensor([frames, 128, 128, 3], Uint8Array.from(someFloats(frames * 128 * 384, 4), (x) => 128 + 127 * x)),
      control_scale: floatTensor([1], Float32Array.of(1)),
    }),
  });
  return prediction!.data;
}

async function withLora(name: string, scale: number, unet = model.unet): Promise<Checkpoint> {
  return applyLora(unet, await openLora(at(name), model.unet), scale);
}

test.each<[LoraLayout, Omit<RandomLora, 'layout' | 'seed'>]>([
  ['kohya', { rank: 4, alpha: 2 }],
  ['kohya-mid', { rank: 3, alpha: 3, dtype: 'float16' }],
  ['peft', { rank: 5 }],
  ['peft-unet', { rank: 4, alpha: 8, dtype: 'float16' }],
  ['diffusers', { rank: 1 }],
  ['processor', { rank: 8, alpha: 4 }],
])('%s: every layer that it can name', async (layout, options) => {
  const deltas = await writeRandomLora(at(layout), model.unet, { layout, seed: 10, ...options });
  const { changes, ranks } = await openLora(at(layout), model.unet);
  expect([...changes.keys()].sort()).toEqual([...deltas.keys()].sort());
  expect(ranks).toEqual([options.rank, options.rank]);
  const merged = await predict(await writeMerged(at(`${layout}-merged`), model.unet, [[deltas, 0.7]]));
  expect(relativeL2(await predict(await withLora(layout, 0.7)), merged)).toBeLessThan(networkTolerance);
  expect(relativeL2(await predict(model.unet), merged)).toBeGreaterThan(0.05);
});

describe('several', () => {
  const attention = (weight: string) => weight.includes('.attn1.');
  const convolution = (weight: string) => weight.includes('resnets');
  let deltas: Awaited<ReturnType<typeof writeRandomLora>>[];
  let stacked: Checkpoint;
  let merged: Checkpoint;
  beforeAll(async () => {
    deltas = [
      await writeRandomLora(at('a'), model.unet, { layout: 'kohya', rank: 4, seed: 20 }),
      await writeRandomLora(at('b'), model.unet, { layout: 'peft', rank: 2, seed: 21, alpha: 1, only: attention }),
      await writeRandomLora(at('c'), model.unet, { layout: 'kohya-mid', rank: 2, seed: 22, only: convolution }),
    ];
    const scales = [0.3, -0.8, 0.5];
    stacked = await withLora('a', 0.3);
    stacked = await withLora('b', -0.8, stacked);
    stacked = await withLora('c', 0.5, stacked);
    merged = await writeMerged(at('abc'), model.unet, deltas.map((delta, i) => [delta, scales[i]!]));
  });

  test.each([
    { residency: 'fast', target: 'cpu' },
    { residency: 'low-memory', target: 'cpu' },
    { residency: 'fast', target: 'webgpu' },
  ] as const)('stacked, one of them negative: $residency, $target', async (how) => {
    const expected = await predict(merged, how);
    expect(relativeL2(await predict(stacked, how), expected)).toBeLessThan(networkTolerance);
  });

  test('with pose control', async () => {
    const how = { controlnext: model.controlnext };
    const expected = await predict(merged, how);
    expect(relativeL2(await predict(stacked, how), expected)).toBeLessThan(networkTolerance);
    expect(relativeL2(await predict(merged), expected)).toBeGreaterThan(0.005);
  });

  test('the order does not matter', async () => {
    const other = await withLora('b', -0.8, await withLora('c', 0.5, await withLora('a', 0.3)));
    expect(relativeL2(await predict(other), await predict(stacked))).toBeLessThan(networkTolerance);
  });

  test('what is added can be taken away again', async () => {
    const none = await withLora('a', -1, await withLora('a', 1));
    expect(relativeL2(await predict(none), await predict(model.unet))).toBeLessThan(networkTolerance);
  });
});

test('scale 0 and alpha 0 are no LoRA at all', async () => {
  await writeRandomLora(at('silent'), model.unet, { layout: 'kohya', rank: 2, seed: 30, alpha: 0 });
  expect(await withLora('silent', 1)).toBe(model.unet);
  await writeRandomLora(at('loud'), model.unet, { layout: 'kohya', rank: 2, seed: 30 });
  expect(await withLora('loud', 0)).toBe(model.unet);
});

test('work and bytes: merging is counted apart, and grows with the rank, not with the frames', async () => {
  const only = (weight: string) => weight === 'mid_block.attentions.0.proj_in.weight';
  await writeRandomLora(at('one'), model.unet, { layout: 'peft', rank: 3, seed: 40, only });
  const [plain, changed] = [step(model.unet), step(await withLora('one', 1))];
  const [outputs, inputs] = model.unet.tensors.get('mid_block.attentions.0.proj_in.weight')!.shape as [number, number];
  expect(changed.multiplyAdds).toEqual({ ...plain.multiplyAdds, merging: outputs * 3 * inputs });
  expect(changed.weightBytes - plain.weightBytes).toBe(4 * 3 * (outputs + inputs));
  expect(step(await withLora('one', 1), { frames: 4 }).multiplyAdds.merging).toBe(outputs * 3 * inputs);
});
