import { join } from 'node:path';

import { PantomimeError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { isReadable } from './files.js';
import { readJsonFile } from './json-file.js';
import { openCheckpoint } from './open-checkpoint.js';
import { findWeights, type Variant } from './weight-files.js';

/** Parsed `config.json` of one network and its weights. */
export type ModelComponent = { readonly config: unknown; readonly checkpoint: Checkpoint };

/** What an image-to-video model consists of, under the names of diffusers, opened but not read. */
export type ModelParts = {
  readonly unet: ModelComponent;
  readonly vae: ModelComponent;
  readonly imageEncoder: ModelComponent;
  readonly scheduler: { readonly config: unknown };
  readonly featureExtractor: { readonly config: unknown };
};

/** Folders of the parts of a model; for networks the class that model_index.json must name. */
const networks = {
  unet: { stems: ['diffusion_pytorch_model'], class: 'UNetSpatioTemporalConditionModel' },
  vae: { stems: ['diffusion_pytorch_model'], class: 'AutoencoderKLTemporalDecoder' },
  // transformers calls its safetensors and its PyTorch files differently.
  image_encoder: { stems: ['model', 'pytorch_model'], class: 'CLIPVisionModelWithProjection' },
} as const;

type NetworkName = keyof typeof networks;
const networkNames = Object.keys(networks) as NetworkName[];

/** Config of each part, below the folder of the model. */
export const configPaths = {
  unet: 'unet/config.json',
  vae: 'vae/config.json',
  image_encoder: 'image_encoder/config.json',
  scheduler: 'scheduler/scheduler_config.json',
  feature_extractor: 'feature_extractor/preprocessor_config.json',
} as const;

/**
 * Opens a folder as diffusers saves one: `model_index.json`, `unet/`, `vae/`, `image_encoder/`, `scheduler/`,
 * `feature_extractor/`. Files may be symbolic links, as in a hub cache. Missing parts are one PantomimeError that names
 * all of them (`model.incomplete`); another kind of model is `model.kind`.
 */
export async function openDiffusersFolder(folder: string, variant: Variant): Promise<ModelParts> {
  const missing: string[] = [];
  const indexPath = join(folder, 'model_index.json');
  if (await isReadable(indexPath)) checkIndex(await readJsonFile(indexPath), indexPath);
  else missing.push('model_index.json');

  const weights = new Map<NetworkName, string>();
  for (const [name, config] of Object.entries(configPaths)) {
    if (!(await isReadable(join(folder, config)))) missing.push(config);
    const network = networkNames.find((network) => network === name);
    if (!network) continue;
    const { stems } = networks[network];
    const path = await findWeights(join(folder, network), stems, variant);
    if (path) weights.set(network, path);
    else missing.push(`${network}/${stems[0]}${variant === 'fp16' ? '.fp16' : ''}.safetensors`);
  }
  if (missing.length > 0) throw incomplete(folder, missing, variant);

  const openConfig = async (name: keyof typeof configPaths) => ({
    config: await readJsonFile(join(folder, configPaths[name])),
  });
  const openNetwork = async (name: NetworkName): Promise<ModelComponent> => ({
    ...(await openConfig(name)),
    checkpoint: await openCheckpoint(weights.get(name) as string),
  });
  return {
    unet: await openNetwork('unet'),
    vae: await openNetwork('vae'),
    imageEncoder: await openNetwork('image_encoder'),
    scheduler: await openConfig('scheduler'),
    featureExtractor: await openConfig('feature_extractor'),
  };
}

function checkIndex(index: unknown, where: string): void {
  const entries = typeof index === 'object' && index !== null ? (index as Record<string, unknown>) : {};
  for (const name of networkNames) {
    const entry = entries[name];
    const className: unknown = Array.isArray(entry) ? entry[1] : undefined;
    if (className === networks[name].class) continue;
    throw new PantomimeError({
      code: 'model.kind',
      kind: 'model',
      what: `this is not a Stable Video Diffusion model: its ${name} has another architecture`,
      where,
      got: className === undefined ? 'none' : String(className),
      expected: networks[name].class,
      hint: 'Use a folder made for StableVideoDiffusionPipeline.',
    });
  }
}

function incomplete(where: string, missing: readonly string[], variant: Variant): PantomimeError {
  return new PantomimeError({
    code: 'model.incomplete',
    kind: 'model',
    what: `the model folder lacks ${missing.join(', ')}`,
    where,
    expected:
      'model_index.json, unet/, vae/, image_encoder/, scheduler/ and feature_extractor/ as diffusers saves them',
    hint:
      'Download the missing files from the page of the model into this folder, under the same names, or give --model ' +
      `another folder.${variant === 'auto' ? '' : ` --variant auto takes whichever of fp16 and fp32 is there.`}`,
  });
}
