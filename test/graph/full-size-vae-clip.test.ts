import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listParameters } from '#dist/models/onnx/module.js';
import { ClipVision } from '#dist/models/svd/clip.js';
import { parseClipVisionConfig } from '#dist/models/svd/clip-config.js';
import { Vae } from '#dist/models/svd/vae.js';
import { parseVaeConfig } from '#dist/models/svd/vae-config.js';
import { sizeOf } from '#dist/models/tensor.js';
import { fixture } from '../support/fixtures.js';

/** Names and shapes of a published checkpoint. */
function published(name: string): Record<string, number[]> {
  return JSON.parse(readFileSync(fixture(`full-size/${name}.json`), 'utf8')) as Record<string, number[]>;
}

const count = (shapes: Iterable<readonly number[]>) => [...shapes].reduce((sum, shape) => sum + sizeOf(shape), 0);

it('has exactly the tensors of the published VAE', () => {
  const config = {
    _class_name: 'AutoencoderKLTemporalDecoder',
    block_out_channels: [128, 256, 512, 512],
    down_block_types: Array(4).fill('DownEncoderBlock2D'),
    layers_per_block: 2,
    latent_channels: 4,
  };
  const parameters = listParameters(new Vae(parseVaeConfig(config)));
  expect(Object.fromEntries(parameters)).toEqual(published('vae'));
  expect(count(parameters.values())).toBe(97_742_847);
});

it('has exactly the tensors of the published image encoder', () => {
  const config = {
    hidden_act: 'gelu',
    hidden_size: 1280,
    image_size: 224,
    intermediate_size: 5120,
    num_attention_heads: 16,
    num_hidden_layers: 32,
    patch_size: 14,
    projection_dim: 1024,
  };
  const parameters = listParameters(new ClipVision(parseClipVisionConfig(config)));
  expect(Object.fromEntries(parameters)).toEqual(published('image_encoder'));
  expect(count(parameters.values())).toBe(632_076_800);
});
