import { PantomimeError } from '../../models/errors.js';

/** Networks of a Stable Video Diffusion folder, and how their weights are called. */
const parts = [
  { folder: 'unet', stem: 'diffusion_pytorch_model', torch: 'diffusion_pytorch_model.bin' },
  { folder: 'vae', stem: 'diffusion_pytorch_model', torch: 'diffusion_pytorch_model.bin' },
  { folder: 'image_encoder', stem: 'model', torch: 'pytorch_model.bin' },
] as const;

const always = [
  'model_index.json',
  'scheduler/scheduler_config.json',
  'feature_extractor/preprocessor_config.json',
  ...parts.map(({ folder }) => `${folder}/config.json`),
];

/** Files that belong to a model where they are there. */
const optional = [
  'controlnext.safetensors',
  'unet_overlay.safetensors',
  'unet_overlay.fp16.safetensors',
  'pantomime.json',
  'LICENSE',
  'LICENSE.md',
];

/**
 * The files of a repository in diffusers layout that make a model: configs, and of each network one set of weights, fp16 before
 * others, whole or in shards. Throws PantomimeError `hub.no-model` that lists what is missing.
 */
export function modelFiles(all: readonly string[], where: string): readonly string[] {
  const there = new Set(all);
  const missing = always.filter((path) => !there.has(path));
  const weights = parts.flatMap(({ folder, stem, torch }) => {
    const found = weightsOf(folder, stem, all);
    if (found.length === 0 && there.has(`${folder}/${torch}`)) return [`${folder}/${torch}`];
    if (found.length === 0) missing.push(`${folder}/${stem}.safetensors`);
    return found;
  });
  if (missing.length > 0) {
    throw new PantomimeError({
      code: 'hub.no-model',
      kind: 'model',
      what: `this repository is no Stable Video Diffusion model in diffusers layout: it lacks ${missing.join(', ')}`,
      where,
      hint: 'for one file of it: hf:OWNER/NAME@REVISION/PATH/OF/FILE',
    });
  }
  return [...always, ...optional.filter((path) => there.has(path)), ...weights];
}

function weightsOf(folder: string, stem: string, all: readonly string[]): readonly string[] {
  const own = all.filter((path) => path.startsWith(`${folder}/${stem}`));
  for (const variant of ['.fp16', '']) {
    const whole = own.filter((path) => path === `${folder}/${stem}${variant}.safetensors`);
    if (whole.length > 0) return whole;
    const shards = own.filter((path) => isShard(path.slice(folder.length + 1 + stem.length), variant));
    if (shards.some((path) => path.endsWith('.json'))) return shards;
  }
  return [];
}

/** Shards and their index, as diffusers names them: `.fp16-00001-of-00002.safetensors`, `.safetensors.index.fp16.json`, ... */
function isShard(end: string, variant: string): boolean {
  const part = /^(\.fp16)?-\d{5}-of-\d{5}(\.fp16)?\.safetensors$/.exec(end);
  if (part) return (part[1] ?? part[2] ?? '') === variant;
  return [`${variant}.safetensors.index.json`, `.safetensors.index${variant}.json`].includes(end);
}
