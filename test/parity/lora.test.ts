import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { applyLora } from '#dist/models/lora/apply-lora.js';
import { openLora } from '#dist/models/lora/open-lora.js';
import { networkTolerance, openTinyModel, type TinyModel } from '../support/fixtures.js';
import { type Deltas, layerShapes, type RandomLora, writeMerged, writeRandomLora } from '../support/loras.js';
import { relativeL2 } from '../support/run-graph.js';
import { predictStep, stepOf } from '../support/steps.js';

/*
 * Against the algebra: the same model whose weights were merged in float64 and written as an ordinary checkpoint.
 */

let folder: string;
let model: TinyModel;
let deltas: readonly Deltas[];
let plain: Float32Array;
let stacked: Checkpoint;
let merged: Checkpoint;

/** A file of every layout, each for the layers of its turn, and one over all of them. */
const files: readonly (Omit<RandomLora, 'seed' | 'only'> & { readonly scale: number; readonly every?: boolean })[] = [
  { layout: 'kohya', rank: 3, alpha: 2, scale: 0.7 },
  { layout: 'kohya-mid', rank: 2, alpha: 3, dtype: 'float16', scale: -0.8 },
  { layout: 'peft', rank: 4, scale: 0.6 },
  { layout: 'peft-unet', rank: 2, alpha: 4, dtype: 'float16', scale: 0.3 },
  { layout: 'diffusers', rank: 1, scale: -0.5 },
  { layout: 'processor', rank: 8, alpha: 4, scale: 0.5, every: true },
  { layout: 'kohya', rank: 1, scale: 0.4, every: true },
];
const turns = files.filter(({ every }) => !every).length;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-lora-'));
  model = await openTinyModel();
  const place = new Map(layerShapes(model.unet).map(([weight], i) => [weight, i % turns]));
  deltas = await Promise.all(
    files.map(({ every = false, ...options }, i) => {
      const only = (weight: string) => every || place.get(weight) === i;
      return writeRandomLora(at(i), model.unet, { ...options, seed: 10 * i, only });
    }),
  );
  plain = await predict(model.unet);
  stacked = model.unet;
  for (const [i, { scale }] of files.entries()) stacked = await withLora(i, scale, stacked);
  const changes = deltas.map((delta, i) => [delta, files[i]!.scale] as const);
  merged = await writeMerged(at('merged'), model.unet, changes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string | number) => join(folder, `${name}.safetensors`);
const predict = (unet: Checkpoint, options: Parameters<typeof predictStep>[2] = {}) =>
  predictStep(unet, model.unetConfig, options);

async function withLora(name: string | number, scale: number, unet = model.unet): Promise<Checkpoint> {
  return applyLora(unet, await openLora(at(name), model.unet), scale);
}

test.each(files.map((file, i) => ({ ...file, i })))(
  '$layout, rank $rank: its layers are found',
  async ({ i, rank }) => {
    const { changes, ranks } = await openLora(at(i), model.unet);
    expect(changes.size).toBeGreaterThan(100);
    expect([...changes.keys()].sort()).toEqual([...deltas[i]!.keys()].sort());
    expect(ranks).toEqual([rank, rank]);
  },
);

test('all layouts together, several on one layer, negative ones too', async () => {
  const expected = await predict(merged);
  expect(relativeL2(await predict(stacked), expected)).toBeLessThan(networkTolerance);
  expect(relativeL2(plain, expected)).toBeGreaterThan(0.1);
});

test('the same with weights prepared in memory, and pose control', async () => {
  const controls = [{ name: 'pose', network: model.controlnext }];
  const expected = await predict(merged, { controls });
  const prediction = await predict(stacked, { controls, residency: 'fast', target: 'webgpu' });
  expect(relativeL2(prediction, expected)).toBeLessThan(networkTolerance);
  expect(relativeL2(await predict(merged), expected)).toBeGreaterThan(0.005);
});

test('scale 0 and alpha 0 are no LoRA at all, and 1 and -1 of the same are as good as none', async () => {
  const only = (weight: string) => weight.includes('down_blocks');
  await writeRandomLora(at('silent'), model.unet, { layout: 'kohya', rank: 1, seed: 30, alpha: 0, only });
  expect(await withLora('silent', 1)).toBe(model.unet);
  expect(await withLora(0, 0)).toBe(model.unet);
  const none = await withLora(0, -1, await withLora(0, 1));
  expect(relativeL2(await predict(none), plain)).toBeLessThan(networkTolerance);
});

test('work and bytes: merging is counted apart, and grows with the rank, not with the frames', async () => {
  const weight = 'mid_block.attentions.0.proj_in.weight';
  await writeRandomLora(at('one'), model.unet, { layout: 'peft', rank: 3, seed: 40, only: (name) => name === weight });
  const [outputs, inputs] = model.unet.tensors.get(weight)!.shape as [number, number];
  const [without, changed] = [stepOf(model.unet, model.unetConfig), stepOf(await withLora('one', 1), model.unetConfig)];
  expect(changed.multiplyAdds).toEqual({ ...without.multiplyAdds, merging: outputs * 3 * inputs });
  expect(changed.weightBytes - without.weightBytes).toBe(4 * 3 * (outputs + inputs));
  expect(changed.mergedBytes).toBe(4 * outputs * inputs);
  const longer = stepOf(await withLora('one', 1), model.unetConfig, { frames: 4 });
  expect(longer.multiplyAdds.merging).toBe(outputs * 3 * inputs);
});
