import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import type { FloatTensor } from '#dist/models/tensor.js';
import { type ControlMaps, writeControlMaps } from '#dist/pipeline/control-maps.js';
import { generateLatents } from '#dist/pipeline/generate-latents.js';
import type { Control } from '#dist/pipeline/sampling-job.js';
import { openTinyModel, type TinyModel } from '../support/fixtures.js';
import { someFloatTensor, somePictures, stepSize } from '../support/steps.js';

let folder: string;
let model: TinyModel;
let engine: Engine;
let maps: ControlMaps;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-steps-'));
  model = await openTinyModel();
  engine = await createEngine({ provider: 'cpu', threads: 2 });
  const { width, height } = stepSize;
  const size = width * height * 3;
  const { data } = somePictures(1);
  const pictures = [0, 1].map((i) => ({ width, height, data: data.subarray(i * size, (i + 1) * size) }));
  maps = await writeControlMaps(join(folder, 'maps.u8'), pictures, stepSize);
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Two steps of two frames; gives the latents after each. */
async function denoise(controls: readonly Control[], from?: { readonly step: number; readonly latents: FloatTensor }) {
  const after: FloatTensor[] = [];
  await generateLatents([engine], from?.latents ?? someFloatTensor(1, 2, 4, 16, 8), {
    ...{ width: stepSize.width, height: stepSize.height, unet: model.unet, unetConfig: model.unetConfig, controls },
    conditioning: { imageEmbeds: someFloatTensor(3, 1, 1, 32), imageLatents: someFloatTensor(2, 4, 16, 8) },
    addedTimeIds: [6, 128, 0.02],
    schedule: makeSchedule('karras', 2, { sigmaMin: 0.002, sigmaMax: 700 }),
    windows: { chunk: 2, overlap: 0, anchor: 'true', fusion: 'flat', phaseRotation: false },
    guidance: { min: 2, max: 2, index: 'local' },
    ...{ residency: 'low-memory', startStep: from?.step },
    onStep: (_step, latents) => {
      after.push(latents);
    },
  });
  return after;
}

const pose = (start: number, end: number, scale = 1): Control => {
  return { name: 'pose', network: model.controlnext, source: maps, scale, start, end };
};

test('a control works from its start to its end; outside of it nothing is as if there were none, to the bit', async () => {
  const none = await denoise([]);
  const always = await denoise([pose(0, 1)]);
  expect(always[0]?.data).not.toEqual(none[0]?.data);

  const late = await denoise([pose(0.5, 1)]);
  expect(late[0]?.data).toEqual(none[0]?.data);
  const onFromNone = await denoise([pose(0, 1)], { step: 1, latents: none[0] as FloatTensor });
  expect(late[1]?.data).toEqual(onFromNone[0]?.data);
  expect(late[1]?.data).not.toEqual(none[1]?.data);

  const early = await denoise([pose(0, 0.5)]);
  expect(early[0]?.data).toEqual(always[0]?.data);
  const onFromAlways = await denoise([], { step: 1, latents: always[0] as FloatTensor });
  expect(early[1]?.data).toEqual(onFromAlways[0]?.data);
});
