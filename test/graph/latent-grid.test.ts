import { expect, test } from 'vitest';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { ControlNeXt } from '#dist/models/controlnext/controlnext.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import { buildVaeEncode } from '#dist/models/graphs/vae-encode.js';
import { listParameters, type Module } from '#dist/models/onnx/module.js';
import { unetConfig as svdUnet, vaeConfig as svdVae } from '#dist/models/svd/published-configs.js';
import { UNet } from '#dist/models/svd/unet.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { Vae } from '#dist/models/svd/vae.js';
import { parseVaeConfig } from '#dist/models/svd/vae-config.js';
import { sizeOf } from '#dist/models/tensor.js';
import { startLatents } from '#dist/pipeline/start-noise.js';
import { fixture } from '../support/fixtures.js';

/** A smaller model than SVD: three levels, latents of eight channels, four pixels to a latent. */
const unetConfig = {
  ...svdUnet,
  ...{ block_out_channels: [32, 32, 64], num_attention_heads: [1, 2, 2], cross_attention_dim: 32 },
  ...{ in_channels: 16, out_channels: 8, layers_per_block: 1 },
  down_block_types: ['DownBlockSpatioTemporal', ...Array(2).fill('CrossAttnDownBlockSpatioTemporal')],
  up_block_types: [...Array(2).fill('CrossAttnUpBlockSpatioTemporal'), 'UpBlockSpatioTemporal'],
};
const vaeConfig = {
  ...svdVae,
  ...{ block_out_channels: [32, 32, 32], down_block_types: Array(3).fill('DownEncoderBlock2D') },
  ...{ latent_channels: 8, layers_per_block: 1 },
};

const size = { height: 64, width: 96 };
const how = { residency: 'low-memory', target: 'cpu' } as const;

/** Where the weights of a network would lie; the graph is built without reading any. */
function imaginary(network: Module): Checkpoint {
  const file = fixture('full-size/unet.safetensors');
  let offset = 0;
  const tensors = [...listParameters(network)].map(([name, shape]) => {
    const byteLength = sizeOf(shape) * 2;
    offset += byteLength;
    return [name, { file, offset: offset - byteLength, byteLength, dtype: 'float16', shape }] as const;
  });
  return { tensors: new Map(tensors), sources: [file] };
}

test('the latent grid is that of the VAE', () => {
  const step = buildUnetStep({
    ...{ ...how, ...size, frames: 2, guidance: true, pixelsPerLatent: 4, unetConfig },
    unet: imaginary(new UNet(parseUNetConfig(unetConfig))),
    controls: [{ name: 'pose', network: imaginary(new ControlNeXt(32)) }],
  });
  const dims = Object.fromEntries(step.inputs.map((input) => [input.name, input.dims]));
  expect(dims).toMatchObject({ latents: [2, 8, 16, 24], image_latents: [8, 16, 24], control: [2, 64, 96, 3] });
  expect(step.outputs[0]!.dims).toEqual([2, 8, 16, 24]);

  const vae = { ...how, ...size, checkpoint: imaginary(new Vae(parseVaeConfig(vaeConfig))), config: vaeConfig };
  expect(buildVaeEncode(vae).outputs[0]!.dims).toEqual([1, 8, 16, 24]);
  expect(buildVaeDecode({ ...vae, frames: 2 }).inputs[0]!.dims).toEqual([2, 8, 16, 24]);
});

test('a size is checked against the latent grid and the levels of the UNet', () => {
  const build = (width: number) =>
    buildUnetStep({
      ...{ ...how, frames: 2, height: 64, width, guidance: false, pixelsPerLatent: 4, unetConfig },
      unet: imaginary(new UNet(parseUNetConfig(unetConfig))),
    });
  expect(build(80).outputs[0]!.dims).toEqual([2, 8, 16, 20]);
  expect(() => build(72)).toThrow(/multiples of 16/);
});

test('start latents have as many channels as the VAE', () => {
  const latents = startLatents({
    ...{ seed: 1, frames: 3, channels: 8, height: 4, width: 6, sigma: 2 },
    ...{ layout: 'independent', chunk: 3, overlap: 0 },
  });
  expect(latents.dims).toEqual([3, 8, 4, 6]);
  expect(latents.data).toHaveLength(3 * 8 * 24);
});
