import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Checkpoint } from '../models/checkpoint/checkpoint.js';
import type { ModelFolder } from '../models/checkpoint/model-folder.js';
import { keyOf } from './hashes.js';
import type { Plan } from './plan.js';

/** Identity of weights without reading gigabytes: names, sizes and times of change of their files. */
export async function checkpointsKey(checkpoints: readonly Checkpoint[]): Promise<string> {
  const files = checkpoints
    .flatMap(({ sources }) => sources)
    .map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return [basename(path), size, mtimeMs];
    });
  return keyOf(await Promise.all(files));
}

type Networks = Pick<Plan, 'model' | 'loras' | 'controls'>;

/** Of all networks of a run. */
export async function modelFingerprint(plan: Networks): Promise<string> {
  return keyOf([await encodersKey(plan.model), await denoiserKey(plan)]);
}

/** Of what looks at the picture. */
export async function encodersKey({ vae, imageEncoder, featureExtractor }: ModelFolder): Promise<string> {
  const files = await checkpointsKey([vae.checkpoint, imageEncoder.checkpoint]);
  return keyOf([files, vae.config, imageEncoder.config, featureExtractor.config]);
}

/** Of what removes noise: the UNet with its LoRAs, and the control modules. */
export async function denoiserKey({ model, loras, controls }: Networks): Promise<string> {
  const files = await checkpointsKey([model.unet.checkpoint, ...controls.map(({ network }) => network)]);
  return keyOf([files, loras.map(({ file, scale }) => [basename(file), scale]), model.unet.config]);
}
