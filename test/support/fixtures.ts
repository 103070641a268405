import { fileURLToPath } from 'node:url';
import { overlayCheckpoint } from '#dist/models/checkpoint/checkpoint.js';
import { readJsonFile } from '#dist/models/checkpoint/json-file.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';

/** Path of a file in test/fixtures. */
export function fixture(path: string): string {
  return fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
}

/** The tiny model: published layout, small random weights (see test/fixtures/model/README.md). */
export async function openTinyModel() {
  const unet = await openSafetensors(fixture('model/unet/diffusion_pytorch_model.safetensors'));
  const overlay = await openSafetensors(fixture('model/unet_overlay.fp16.safetensors'));
  return {
    unet,
    overlaidUnet: overlayCheckpoint(unet, overlay),
    unetConfig: await readJsonFile(fixture('model/unet/config.json')),
    controlnext: await openSafetensors(fixture('model/controlnext.safetensors')),
  };
}

export type TinyModel = Awaited<ReturnType<typeof openTinyModel>>;

/**
 * Relative L2 allowed between a float32 graph and the published code in float32, whose own distance from float64 is up
 * to 2.6e-6 for these networks.
 */
export const networkTolerance = 2e-5;
