import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelFolder, openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import { buildVaeEncode } from '#dist/models/graphs/vae-encode.js';
import type { Residency, Target } from '#dist/models/onnx/built-graph.js';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { parseVaeConfig } from '#dist/models/svd/vae-config.js';
import { type FloatTensor, floatTensor, type Tensor } from '#dist/models/tensor.js';
import { fixture } from '../support/fixtures.js';
import { relativeL2 } from '../support/run-graph.js';
import { openFixture } from '../support/tensors.js';

/** Relative L2 against the published code, whose own distance from float64 is 8e-6 and 2e-6. */
const encodeTolerance = 1e-4;
const decodeTolerance = 2e-5;

let vae: ModelFolder['vae'];
let engine: Engine;
beforeAll(async () => {
  ({ vae } = await openModelFolder(fixture('model')));
  engine = await createEngine({ provider: 'cpu', threads: 1 });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

const variants = [
  ['fast', 'cpu'],
  ['low-memory', 'cpu'],
  ['fast', 'webgpu'],
] as const;

/** Rows `start` up to `end` of axis 0. */
function rows<T extends Tensor>(tensor: T, start: number, end: number): T {
  const size = tensor.data.length / (tensor.dims[0] ?? 1);
  return { ...tensor, dims: [end - start, ...tensor.dims.slice(1)], data: tensor.data.slice(start * size, end * size) };
}

describe.each(variants)('encoding (%s, graph for %s)', (residency, target) => {
  const encode = async (image: FloatTensor) => {
    const [, , height = 0, width = 0] = image.dims;
    const session = await engine.load(buildVaeEncode({ ...vae, height, width, residency, target }));
    const { latents } = await engine.run(session, { image });
    await engine.release(session);
    return latents as FloatTensor;
  };

  it('gives the mode of the latents of a noised picture', async () => {
    const { floats } = await openFixture(fixture('modules/vae_encode_a.safetensors'));
    const latents = await encode(await floats('pixels'));
    const mode = await floats('mode');
    expect(latents.dims).toEqual(mode.dims);
    expect(relativeL2(latents.data, mode.data)).toBeLessThan(encodeTolerance);
  });

  it('gives the mode of the latents of a plain picture', async () => {
    const { floats, bytes } = await openFixture(fixture('modules/vae_encode_b.safetensors'));
    const picture = rows(await bytes('image_u8'), 0, 1);
    const [, height = 0, width = 0] = picture.dims;
    const image = floatTensor([1, 3, height, width]);
    picture.data.forEach((level, i) => {
      image.data[(i % 3) * height * width + Math.floor(i / 3)] = 2 * Math.fround(level / 255) - 1;
    });
    const latents = await encode(image);
    expect(relativeL2(latents.data, rows(await floats('mode'), 0, 1).data)).toBeLessThan(encodeTolerance);
  });
});

describe.each(variants)('decoding (%s, graph for %s)', (residency, target) => {
  it('decodes in chunks as published: 5 frames by 2', async () => {
    const { floats, bytes } = await openFixture(fixture('modules/vae_decode_a.safetensors'));
    const result = await decodeInChunks(await unscaled(floats), 2, residency, target);
    expect(relativeL2(result.frames, (await floats('decoded')).data)).toBeLessThan(decodeTolerance);
    expectSamePixels(result, (await bytes('frames_u8')).data);
  });

  it('decodes all 5 frames together, which is not the same', async () => {
    const together = await openFixture(fixture('modules/vae_decode_b.safetensors'));
    const { floats } = await openFixture(fixture('modules/vae_decode_a.safetensors'));
    const result = await decodeInChunks(await unscaled(floats), 5, residency, target);
    const size = result.frames.length / 5;
    const [one, two] = [size, 3 * size];
    const expected = (await together.floats('decoded_1_2')).data;
    expect(relativeL2(result.frames.subarray(one, two), expected)).toBeLessThan(decodeTolerance);
    expect(relativeL2((await floats('decoded')).data.subarray(one, two), expected)).toBeGreaterThan(1e-2);
  });

  it('decodes frames that are not square', async () => {
    const { floats, bytes } = await openFixture(fixture('modules/vae_decode_c.safetensors'));
    const result = await decodeInChunks(await unscaled(floats), 14, residency, target);
    expect(relativeL2(result.frames, (await floats('decoded')).data)).toBeLessThan(decodeTolerance);
    expectSamePixels(result, (await bytes('frames_u8')).data);
  });
});

/** Latents [1, F, 4, h, w] of a fixture divided by the scaling factor: [F, 4, h, w]. */
async function unscaled(floats: (name: string) => Promise<FloatTensor>): Promise<FloatTensor> {
  const { dims, data } = await floats('latents');
  const { scalingFactor } = parseVaeConfig(vae.config);
  return floatTensor(
    dims.slice(1),
    data.map((value) => value / scalingFactor),
  );
}

async function decodeInChunks(latents: FloatTensor, chunk: number, residency: Residency, target: Target) {
  const [count = 0, , h = 0, w = 0] = latents.dims;
  const frames = new Float32Array(count * 3 * h * w * 64);
  const pixels = new Uint8Array(frames.length);
  for (let start = 0; start < count; start += chunk) {
    const end = Math.min(count, start + chunk);
    const size = { frames: end - start, height: h * 8, width: w * 8 };
    const session = await engine.load(buildVaeDecode({ ...vae, ...size, residency, target }));
    const result = await engine.run(session, { latents: rows(latents, start, end) });
    await engine.release(session);
    expect(result.pixels?.dims).toEqual([end - start, h * 8, w * 8, 3]);
    frames.set(result.frames?.data as Float32Array, (start / count) * frames.length);
    pixels.set(result.pixels?.data as Uint8Array, (start / count) * frames.length);
  }
  return { frames, pixels, area: h * w * 64 };
}

/** Pixels must be the frames quantised exactly, and within one level of the published pictures. */
function expectSamePixels(
  { frames, pixels, area }: { frames: Float32Array; pixels: Uint8Array; area: number },
  published: Uint8Array,
): void {
  let differing = 0;
  let wrong = 0;
  pixels.forEach((level, i) => {
    const frame = Math.floor(i / (3 * area));
    const value = frames[frame * 3 * area + (i % 3) * area + (Math.floor(i / 3) % area)]!;
    const unit = Math.min(1, Math.max(0, Math.fround(Math.fround(value * 0.5) + 0.5)));
    const exact = Math.fround(unit * 255);
    const floor = Math.floor(exact);
    const even = exact - floor === 0.5 ? floor + (floor % 2) : Math.round(exact);
    if (level !== even) wrong++;
    if (level !== published[i]) differing++;
    if (Math.abs(level - published[i]!) > 1) wrong++;
  });
  expect(wrong).toBe(0);
  expect(differing / pixels.length).toBeLessThan(0.002);
}

describe('what cannot be decoded', () => {
  const options = { frames: 2, height: 64, width: 64, residency: 'fast', target: 'cpu' } as const;

  it('refuses sizes without whole latents', () => {
    expect(() => buildVaeDecode({ ...vae, ...options, width: 60 })).toThrow(/got 60x64, expected.*multiples of 8/);
    expect(() => buildVaeEncode({ ...vae, ...options, height: 0 })).toThrow(/multiples of 8/);
  });

  it('refuses configs it does not know, listing everything', () => {
    const config = {
      _class_name: 'AutoencoderKL',
      block_out_channels: [48],
      down_block_types: ['AttnDownEncoderBlock2D'],
      scaling_factor: '0.18215',
    };
    expect(() => buildVaeDecode({ ...vae, ...options, config })).toThrow(
      /_class_name is "AutoencoderKL".*has 48.*down_block_types.*scaling_factor/,
    );
    expect(() => buildVaeDecode({ ...vae, ...options, config: null })).toThrow(/down_block|does not fit/);
  });

  it('refuses a checkpoint of another model, naming the tensors', async () => {
    const { imageEncoder } = await openModelFolder(fixture('model'));
    expect(() => buildVaeDecode({ ...options, config: vae.config, checkpoint: imageEncoder.checkpoint })).toThrow(
      /missing \(encoder.conv_in.weight.*unexpected/,
    );
  });
});
