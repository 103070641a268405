import { expect, test } from 'vitest';
import { readJsonFile } from '#dist/models/checkpoint/json-file.js';
import { buildControlNeXt } from '#dist/models/graphs/controlnext.js';
import { buildImageEncoder } from '#dist/models/graphs/image-encoder.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import { buildVaeEncode } from '#dist/models/graphs/vae-encode.js';
import type { MultiplyAdds } from '#dist/models/onnx/multiply-adds.js';
import { imageEncoderConfig, unetConfig, vaeConfig } from '#dist/models/svd/published-configs.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { fixture } from '../support/fixtures.js';
import { imaginary } from '../support/imaginary-checkpoint.js';

/*
 * Our counter against hooks on the published code at full size (test/fixtures/full-size/flops.json). What is left out on
 * purpose is taken off by formula, so that the rest must be equal.
 */

type Count = { readonly conv: number; readonly linear: number; readonly attention: number };
type Case = {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly unet_cfg_batch2_MACs: Count;
  readonly controlnext_cfg_batch2_MACs: Count;
  readonly vae_encode_1_image_MACs: Count;
  readonly vae_decode_1_frame_MACs: Count;
};

const published = (await readJsonFile(fixture('full-size/flops.json'))) as Readonly<Record<string, Case>> & {
  readonly clip_1_image_MACs: Count;
};
const names = ['svd_25f_576x1024', 'controlnext_24f_1024x576', 'small_14f_512x320'];
const how = { residency: 'low-memory', target: 'cpu' } as const;
const [unet, controlnext, vae, imageEncoder] = [
  await imaginary('unet'),
  await imaginary('controlnext'),
  await imaginary('vae'),
  await imaginary('image_encoder'),
];

/** What a transformer with cross-attention to one token does not compute, by level of SVD-XT's UNet. */
function crossAttention({ frames, height, width }: Case): { readonly linear: number; readonly attention: number } {
  let [linear, attention] = [0, 0];
  const { levels, contextWidth } = parseUNetConfig(unetConfig);
  const add = (channels: number, shrink: number, transformers: number) => {
    const pixels = (height / 8 / shrink) * (width / 8 / shrink);
    const tokens = 2 * frames * pixels;
    // Queries and outputs of every token, over pixels and over time; published keys and values are made for every
    // frame and for every pixel, here values and outputs for each of the two branches.
    const queries = 2 * 2 * tokens * channels ** 2;
    const keys = 2 * (2 * frames + 2 * pixels) * contextWidth * channels;
    const kept = 2 * 2 * (contextWidth * channels + channels ** 2);
    linear += transformers * (queries + keys - kept);
    attention += transformers * 2 * (2 * tokens * channels);
  };
  levels.forEach(({ channels, layers, down, up }, level) => {
    if (down.startsWith('Cross')) add(channels, 2 ** level, layers);
    if (up.startsWith('Cross')) add(channels, 2 ** level, layers + 1);
  });
  add(levels.at(-1)!.channels, 2 ** (levels.length - 1), 1);
  return { linear, attention };
}

const sum = ({ convolution, linear, attention }: MultiplyAdds) => convolution + linear + attention;

test.each(names)('the work of a step, %s', (name) => {
  const of = published[name]!;
  const { frames, height, width } = of;
  const step = (controls: Parameters<typeof buildUnetStep>[0]['controls'], guidance = true) =>
    buildUnetStep({ unet, unetConfig, controls, frames, height, width, guidance, ...how }).multiplyAdds;
  const plain = step([]);
  const saved = crossAttention(of);
  expect(plain.convolution).toBe(of.unet_cfg_batch2_MACs.conv);
  expect(plain.attention).toBe(of.unet_cfg_batch2_MACs.attention - saved.attention);
  // The time embedding is computed once here, and for every frame of both branches there: less than a thousandth.
  const linear = of.unet_cfg_batch2_MACs.linear - saved.linear;
  expect(plain.linear).toBeLessThan(linear);
  expect(plain.linear).toBeGreaterThan(linear * 0.999);
  // One branch is half of two, but for the time embedding.
  expect(sum(step([], false)) / sum(plain)).toBeCloseTo(0.5, 3);

  const controlled = step([{ name: 'pose', network: controlnext }]);
  // Control features for the conditional half only.
  expect(controlled.convolution - plain.convolution).toBe(of.controlnext_cfg_batch2_MACs.conv / 2);
  const module = buildControlNeXt({ controlnext, channels: 320, frames, height, width, ...how }).multiplyAdds;
  expect(module.convolution).toBe(of.controlnext_cfg_batch2_MACs.conv / 2);
});

const asPublished = ({ conv: convolution, linear, attention }: Count) => ({
  ...{ convolution, linear, attention },
  merging: 0,
});

test.each(names)('the work of the VAE, %s', (name) => {
  const { height, width, vae_encode_1_image_MACs: encode, vae_decode_1_frame_MACs: decode } = published[name]!;
  const size = { checkpoint: vae, config: vaeConfig, height, width, ...how };
  expect(buildVaeEncode(size).multiplyAdds).toEqual(asPublished(encode));
  expect(buildVaeDecode({ ...size, frames: 1 }).multiplyAdds).toEqual(asPublished(decode));
});

test('the work of the image encoder', () => {
  const { multiplyAdds } = buildImageEncoder({ checkpoint: imageEncoder, config: imageEncoderConfig, ...how });
  expect(multiplyAdds).toEqual(asPublished(published.clip_1_image_MACs));
});
