import { expect, it, vi } from 'vitest';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { buildImageEncoder } from '#dist/models/graphs/image-encoder.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import { buildVaeEncode } from '#dist/models/graphs/vae-encode.js';
import type { BuiltGraph, Target } from '#dist/models/onnx/built-graph.js';
import type { Precision } from '#dist/models/onnx/graph.js';
import { createEngine } from '#dist/models/runtime/engine.js';
import { makeSchedule } from '#dist/models/schedule/sigmas.js';
import { floatTensor } from '#dist/models/tensor.js';
import { generateLatents } from '#dist/pipeline/generate-latents.js';
import { rescued } from '#dist/pipeline/precision.js';
import type { SamplingJob } from '#dist/pipeline/sampling-job.js';
import { fixture, openTinyModel } from '../support/fixtures.js';
import { type Feeds, openGraph, relativeL2 } from '../support/run-graph.js';
import { openFixture } from '../support/tensors.js';

/*
 * Graphs that compute with half floats, as they are built for devices, against the same in float32. A CPU runs them by
 * rounding to half floats between operators, so what is checked is the graph and not a device's arithmetic.
 */

/** Of a number that was rounded once: 2^-11 at most; networks of this depth add up to some of those. */
const halfTolerance = 1e-2;
/** What float32 never differs by. */
const half = 1e-4;

/** Relative L2 between the graph at both precisions, of its first output. */
async function difference(make: (precision: Precision) => BuiltGraph, feeds: Feeds): Promise<number> {
  await using whole = await openGraph(make('float32'));
  await using halved = await openGraph(make('float16'));
  const [a, b] = [await whole.run(feeds), await halved.run(feeds)];
  const [name = ''] = Object.keys(a);
  expect(b[name]!.dtype).toBe('float32');
  return relativeL2(b[name]!.data, a[name]!.data);
}

const wave = (size: number, step: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));

it.each(['cpu', 'cuda', 'webgpu'] as const)('a step of the denoiser (graph for %s)', async (target: Target) => {
  const model = await openTinyModel();
  const inputs = await openFixture(fixture('e2e/in_a.safetensors'));
  const step = (precision: Precision) =>
    buildUnetStep({
      ...{ unet: model.overlaidUnet, unetConfig: model.unetConfig, residency: 'fast', target, precision },
      ...{
        controls: [{ name: 'pose', network: model.controlnext }],
        frames: 8,
        height: 128,
        width: 64,
        guidance: true,
      },
    });
  const feeds = {
    latents: floatTensor(
      [8, 4, 16, 8],
      (await inputs.floats('init_latents')).data.map((z) => z * 20),
    ),
    ...{ sigma: floatTensor([1], Float32Array.of(20)), timestep: floatTensor([1], Float32Array.of(0.75)) },
    ...{ image_latents: floatTensor([4, 16, 8], wave(512, 0.3)), image_embeds: floatTensor([1, 1, 32], wave(32, 0.7)) },
    added_time_ids: floatTensor([3], Float32Array.of(6, 127, 0.02)),
    ...{ control: await inputs.bytes('pose_frames'), control_scale: floatTensor([1], Float32Array.of(1)) },
    guidance: floatTensor(
      [8],
      Float32Array.from({ length: 8 }, (_, i) => 1 + i / 4),
    ),
  };
  const error = await difference(step, feeds);
  expect(error).toBeLessThan(halfTolerance);
  expect(error).toBeGreaterThan(half);
});

it('the other networks', async () => {
  const { vae, imageEncoder } = await openModelFolder(fixture('model'));
  const how = { residency: 'fast', target: 'cuda', height: 64, width: 64 } as const;
  const size = 224;
  for (const [make, feeds] of [
    [
      (precision: Precision) => buildVaeDecode({ ...vae, ...how, precision, frames: 3 }),
      { latents: floatTensor([3, 4, 8, 8], wave(768, 0.37)) },
    ],
    [
      (precision: Precision) => buildVaeEncode({ ...vae, ...how, precision }),
      { image: floatTensor([1, 3, 64, 64], wave(12288, 0.011)) },
    ],
    [
      (precision: Precision) => buildImageEncoder({ ...imageEncoder, ...how, precision }),
      { pixel_values: floatTensor([1, 3, size, size], wave(3 * size * size, 0.013)) },
    ],
  ] as const) {
    const error = await difference(make, feeds);
    expect(error).toBeLessThan(halfTolerance);
    expect(error).toBeGreaterThan(half);
  }
});

it('what overflows is told, and done again in float32', async () => {
  const model = await openTinyModel();
  await using engine = await createEngine({ provider: 'cpu', threads: 1 });
  const job: SamplingJob = {
    ...{ height: 64, width: 64, unet: model.overlaidUnet, unetConfig: model.unetConfig, controls: [] },
    conditioning: {
      imageEmbeds: floatTensor([1, 1, 32], wave(32, 0.7)),
      imageLatents: floatTensor([4, 8, 8], wave(256, 0.3)),
    },
    addedTimeIds: [6, 127, 0.02],
    schedule: makeSchedule('karras', 2, { sigmaMin: 0.1, sigmaMax: 1 }),
    guidance: { min: 1, max: 1, index: 'local' },
    windows: { chunk: 2, overlap: 0, anchor: 'reference', fusion: 'flat', phaseRotation: false },
    residency: 'low-memory',
  };
  // Beyond 65,504, the largest half float.
  const start = floatTensor(
    [2, 4, 8, 8],
    wave(512, 1.3).map((z) => z * 1e6),
  );
  const at = (precision: Precision) => generateLatents([engine], start, { ...job, precision });
  await expect(at('float16')).rejects.toMatchObject({
    code: 'numbers.lost',
    details: { where: expect.stringMatching(/^step 1 of 2/) },
  });
  const warn = vi.fn();
  const { data } = await rescued({ warn }, 'float16', at);
  expect(data).toEqual((await at('float32')).data);
  expect(warn.mock.calls).toEqual([['numbers.rescued', expect.stringContaining('the denoiser'), '--precision fp32']]);
  // Of float32 there is nothing to be rescued.
  await expect(rescued({ warn }, 'float32', () => at('float16'))).rejects.toMatchObject({ code: 'numbers.lost' });
});
