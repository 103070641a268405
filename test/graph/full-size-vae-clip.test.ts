import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listParameters } from '#dist/models/onnx/module.js';
import { ClipVision } from '#dist/models/svd/clip.js';
import { parseClipVisionConfig } from '#dist/models/svd/clip-config.js';
import { imageEncoderConfig, vaeConfig } from '#dist/models/svd/published-configs.js';
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
  const parameters = listParameters(new Vae(parseVaeConfig(vaeConfig)));
  expect(Object.fromEntries(parameters)).toEqual(published('vae'));
  expect(count(parameters.values())).toBe(97_742_847);
});

it('has exactly the tensors of the published image encoder', () => {
  const parameters = listParameters(new ClipVision(parseClipVisionConfig(imageEncoderConfig)));
  expect(Object.fromEntries(parameters)).toEqual(published('image_encoder'));
  expect(count(parameters.values())).toBe(632_076_800);
});
