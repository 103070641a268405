import { dirname, join } from 'node:path';
import { PantomimeError } from '../errors.js';
import {
  imageEncoderConfig,
  preprocessorConfig,
  schedulerConfig,
  unetConfig,
  vaeConfig,
} from '../svd/published-configs.js';
import { parseVaeConfig } from '../svd/vae-config.js';
import type { Checkpoint } from './checkpoint.js';
import { configPaths, type ModelParts } from './diffusers-folder.js';
import { isReadable } from './files.js';
import { readJsonFile } from './json-file.js';
import { openClipTranslation } from './ldm/open-clip-names.js';
import { below, translate } from './ldm/translate.js';
import { asUnetNames, unetPrefix } from './ldm/unet-checkpoint.js';
import { vaeTranslation } from './ldm/vae-names.js';
import { openCheckpoint } from './open-checkpoint.js';

/** Where the networks lie in the file, as generative-models nests them. */
const prefixes = {
  decoder: 'first_stage_model.',
  /** The encoder that conditions the video; the one of the first stage has no `quant_conv` of its own. */
  encoder: 'conditioner.embedders.3.encoder.',
  imageEncoder: 'conditioner.embedders.0.open_clip.model.visual.',
} as const;

/**
 * Opens Stable Video Diffusion in one file, as its authors published it (`svd_xt_1_1.safetensors`). The networks are
 * taken from it by name and strictly; what else is in it (the text half of OpenCLIP, spare copies of the VAE) is left
 * alone. The file has no configs: those of a diffusers layout beside it count (`unet/config.json`, ...), and where there
 * are none, SVD-XT's as published. Throws PantomimeError `model.single-file` when a network is not in it.
 */
export async function openSingleFile(path: string): Promise<ModelParts> {
  const whole = await openCheckpoint(path);
  const encoder = vaeHalf(whole, prefixes.encoder, 'encoder') ?? vaeHalf(whole, prefixes.decoder, 'encoder');
  const decoder = vaeHalf(whole, prefixes.decoder, 'decoder');
  const unet = below(whole, unetPrefix);
  const visual = below(whole, prefixes.imageEncoder);
  const missing = [
    ...(unet.tensors.size > 0 ? [] : [`the UNet (${unetPrefix}...)`]),
    ...(encoder && decoder ? [] : [`the VAE (${prefixes.decoder}...)`]),
    ...(visual.tensors.size > 0 ? [] : [`the image encoder (${prefixes.imageEncoder}...)`]),
  ];
  if (!encoder || !decoder || missing.length > 0) throw notWhole(path, missing);

  const configs = await configsBeside(path);
  const levels = parseVaeConfig(configs.vae).blockOutChannels.length;
  const vae = { tensors: new Map([...encoder.tensors, ...decoder.tensors]), sources: whole.sources };
  return {
    unet: { config: configs.unet, checkpoint: asUnetNames(unet, configs.unet) },
    vae: { config: configs.vae, checkpoint: translate(vae, vaeTranslation(levels), 'VAE') },
    imageEncoder: {
      config: configs.image_encoder,
      checkpoint: translate(visual, openClipTranslation, 'image encoder'),
    },
    scheduler: { config: configs.scheduler },
    featureExtractor: { config: configs.feature_extractor },
  };
}

/** Encoder (with `quant_conv`) or decoder of the VAE below `prefix`; undefined when it is not there. */
function vaeHalf(whole: Checkpoint, prefix: string, half: 'encoder' | 'decoder'): Checkpoint | undefined {
  const { tensors, sources } = below(whole, prefix);
  const own = half === 'encoder' ? ['encoder.', 'quant_conv.'] : ['decoder.'];
  const found = [...tensors].filter(([name]) => own.some((start) => name.startsWith(start)));
  return found.length > 0 ? { tensors: new Map(found), sources } : undefined;
}

const published = {
  unet: unetConfig,
  vae: vaeConfig,
  image_encoder: imageEncoderConfig,
  scheduler: schedulerConfig,
  feature_extractor: preprocessorConfig,
} as const;

async function configsBeside(path: string): Promise<Readonly<Record<keyof typeof published, unknown>>> {
  const read = async (name: keyof typeof published): Promise<unknown> => {
    const own = join(dirname(path), configPaths[name]);
    return (await isReadable(own)) ? readJsonFile(own) : published[name];
  };
  return {
    unet: await read('unet'),
    vae: await read('vae'),
    image_encoder: await read('image_encoder'),
    scheduler: await read('scheduler'),
    feature_extractor: await read('feature_extractor'),
  };
}

function notWhole(path: string, missing: readonly string[]): PantomimeError {
  return new PantomimeError({
    code: 'model.single-file',
    kind: 'model',
    what: `is not Stable Video Diffusion in one file: it lacks ${missing.join(', ')}`,
    where: path,
    expected: 'a file such as svd_xt_1_1.safetensors, with UNet, VAE and image encoder',
    hint: 'Give --model the whole model, and a file with a UNet alone to --overlay.',
  });
}
