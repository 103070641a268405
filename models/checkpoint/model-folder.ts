import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { PantomimeError } from '../errors.js';
import type { Checkpoint, TensorLocation } from './checkpoint.js';
import { abbreviate, overlayCheckpoint } from './checkpoint.js';
import { readJsonFile } from './json-file.js';
import { openSafetensors } from './safetensors.js';

/** Parsed `config.json` of one network and its weights. */
export type ModelComponent = { readonly config: unknown; readonly checkpoint: Checkpoint };

/** A Stable Video Diffusion folder in the layout diffusers publishes, opened but not read. */
export type ModelFolder = {
  /** Absolute path as it was asked for. */
  readonly dir: string;
  /** With the overlay applied. */
  readonly unet: ModelComponent;
  readonly vae: ModelComponent;
  readonly imageEncoder: ModelComponent;
  readonly scheduler: { readonly config: unknown };
  readonly featureExtractor: { readonly config: unknown };
  /** The control network, when `controlnext.safetensors` lies in the folder or was given. */
  readonly controlnext: Checkpoint | undefined;
  /** Path of the UNet weights laid over the folder's own. */
  readonly overlay: string | undefined;
};

export type ModelFolderOptions = {
  /**
   * UNet weights to lay over the folder's own: a file, or false for none. When left out,
   * `unet_overlay.safetensors` or `unet_overlay.fp16.safetensors` in the folder is used if it is there.
   */
  readonly overlay?: string | false | undefined;
  /** The control network's file, when it is not `controlnext.safetensors` in the folder. */
  readonly controlnext?: string | undefined;
};

/** Component folder, config file, expected class in model_index.json, and stem of the weight files if it has any. */
const components = {
  unet: { config: 'config.json', weights: 'diffusion_pytorch_model', class: 'UNetSpatioTemporalConditionModel' },
  vae: { config: 'config.json', weights: 'diffusion_pytorch_model', class: 'AutoencoderKLTemporalDecoder' },
  image_encoder: { config: 'config.json', weights: 'model', class: 'CLIPVisionModelWithProjection' },
  scheduler: { config: 'scheduler_config.json', weights: undefined, class: undefined },
  feature_extractor: { config: 'preprocessor_config.json', weights: undefined, class: undefined },
} as const;

type ComponentName = keyof typeof components;

/**
 * Opens a model folder: `model_index.json`, `unet/`, `vae/`, `image_encoder/`, `scheduler/`, `feature_extractor/`, and
 * optionally the control network and a UNet overlay beside them. Weights may be fp32 or fp16, whole or in shards, and
 * files may be symbolic links (as in a hub cache). Only configs and headers are read.
 *
 * Missing parts are one error that names all of them (`model.incomplete`).
 */
export async function openModelFolder(dir: string, options: ModelFolderOptions = {}): Promise<ModelFolder> {
  const root = resolve(dir);
  await requireFolder(root, dir);
  const missing: string[] = [];
  const indexPath = join(root, 'model_index.json');
  if (await isReadable(indexPath)) checkIndex(await readJsonFile(indexPath), indexPath);
  else missing.push('model_index.json');

  const found = new Map<ComponentName, { configPath: string; weights: string | undefined }>();
  for (const name of Object.keys(components) as ComponentName[]) {
    const { config, weights: stem } = components[name];
    const configPath = join(root, name, config);
    if (!(await isReadable(configPath))) missing.push(`${name}/${config}`);
    const weights = stem && (await findWeights(join(root, name), stem));
    if (stem && !weights) missing.push(`${name}/${stem}.safetensors`);
    found.set(name, { configPath, weights });
  }
  if (missing.length > 0) throw incomplete(dir, missing);

  const openConfig = async (name: ComponentName) => ({ config: await readJsonFile(partOf(found, name).configPath) });
  const openComponent = async (name: ComponentName): Promise<ModelComponent> => {
    const { weights } = partOf(found, name);
    return { ...(await openConfig(name)), checkpoint: await openWeights(weights as string) };
  };

  const base = await openComponent('unet');
  const overlay = options.overlay === undefined ? await findOverlay(root) : options.overlay || undefined;
  const overlaid = overlay ? overlayCheckpoint(base.checkpoint, await openSafetensors(overlay)) : base.checkpoint;
  const ownControlnext = join(root, 'controlnext.safetensors');
  const controlnext = options.controlnext ?? ((await isReadable(ownControlnext)) ? ownControlnext : undefined);
  return {
    dir: root,
    unet: { config: base.config, checkpoint: overlaid },
    vae: await openComponent('vae'),
    imageEncoder: await openComponent('image_encoder'),
    scheduler: await openConfig('scheduler'),
    featureExtractor: await openConfig('feature_extractor'),
    controlnext: controlnext ? await openSafetensors(controlnext) : undefined,
    overlay,
  };
}

async function requireFolder(root: string, dir: string): Promise<void> {
  const isFolder = await stat(root).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isFolder) return;
  throw new PantomimeError({
    code: 'model.not-a-folder',
    kind: 'model',
    what: 'is not a folder',
    where: dir,
    expected: 'a model folder with model_index.json',
    hint: 'Give --model the folder that holds model_index.json, unet/, vae/ and image_encoder/.',
  });
}

function checkIndex(index: unknown, where: string): void {
  const entries = typeof index === 'object' && index !== null ? (index as Record<string, unknown>) : {};
  for (const name of ['unet', 'vae', 'image_encoder'] as const) {
    const entry = entries[name];
    const className: unknown = Array.isArray(entry) ? entry[1] : undefined;
    if (className === components[name].class) continue;
    throw new PantomimeError({
      code: 'model.kind',
      kind: 'model',
      what: `this is not a Stable Video Diffusion model: its ${name} has another architecture`,
      where,
      got: className === undefined ? 'none' : String(className),
      expected: components[name].class,
      hint: 'Use a folder made for StableVideoDiffusionPipeline.',
    });
  }
}

/** First of the published names that is there; an index file stands for its shards. */
async function findWeights(folder: string, stem: string): Promise<string | undefined> {
  const names = [
    `${stem}.safetensors`,
    `${stem}.safetensors.index.json`,
    `${stem}.fp16.safetensors`,
    `${stem}.safetensors.index.fp16.json`,
    `${stem}.fp16.safetensors.index.json`,
  ];
  return firstReadable(names.map((name) => join(folder, name)));
}

function findOverlay(root: string): Promise<string | undefined> {
  return firstReadable(['unet_overlay.safetensors', 'unet_overlay.fp16.safetensors'].map((name) => join(root, name)));
}

function openWeights(path: string): Promise<Checkpoint> {
  return path.endsWith('.json') ? openShards(path) : openSafetensors(path);
}

/** Most shards an index may name; published models have fewer than twenty. */
const maxShards = 256;

/** Opens the shards named by `*.safetensors.index.json`; each tensor must lie in exactly the shard it is said to. */
async function openShards(indexPath: string): Promise<Checkpoint> {
  const index = await readJsonFile(indexPath);
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) throw badIndex(indexPath, 'it has no weight_map');
  const expected = new Map<string, unknown>(Object.entries(map));
  const shardNames = [...new Set(expected.values())];
  if (shardNames.length > maxShards) throw badIndex(indexPath, `more than ${maxShards} shards`);
  const wrong: string[] = [];
  const tensors = new Map<string, TensorLocation>();
  const sources: string[] = [];
  for (const shard of shardNames) {
    // A shard is a file beside its index, never a path that leads somewhere else.
    if (
      typeof shard !== 'string' ||
      shard !== basename(shard) ||
      shard.includes('\\') ||
      !shard.endsWith('.safetensors')
    )
      throw badIndex(indexPath, `${JSON.stringify(shard)} is not the name of a safetensors file`);
    const opened = await openSafetensors(join(indexPath, '..', shard));
    sources.push(...opened.sources);
    for (const [name, location] of opened.tensors) {
      if (expected.get(name) === shard) tensors.set(name, location);
      else wrong.push(`${name} is in ${shard}`);
    }
  }
  for (const [name, shard] of expected) if (!tensors.has(name)) wrong.push(`${name} is not in ${String(shard)}`);
  if (wrong.length > 0) throw badIndex(indexPath, `it does not agree with its shards: ${abbreviate(wrong)}`);
  return { tensors, sources };
}

function badIndex(where: string, what: string): PantomimeError {
  return new PantomimeError({
    code: 'model.shards',
    kind: 'model',
    what: `the list of shards is wrong: ${what}`,
    where,
    hint: 'Get the index and all shards again, from one version of the model.',
  });
}

function incomplete(dir: string, missing: readonly string[]): PantomimeError {
  return new PantomimeError({
    code: 'model.incomplete',
    kind: 'model',
    what: `the model folder lacks ${missing.join(', ')}`,
    where: dir,
    expected:
      'model_index.json, unet/, vae/, image_encoder/, scheduler/ and feature_extractor/ as diffusers saves them',
    hint:
      'Download the missing files from the page of the model into this folder, under the same names ' +
      '(safetensors, not .bin), or give --model another folder.',
  });
}

function partOf<T>(parts: ReadonlyMap<ComponentName, T>, name: ComponentName): T {
  const part = parts.get(name);
  if (!part) throw new Error(`No component ${name}`);
  return part;
}

async function firstReadable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isReadable(path)) return path;
  return undefined;
}

async function isReadable(path: string): Promise<boolean> {
  try {
    const real = await realpath(path);
    await access(real, constants.R_OK);
    return (await stat(real)).isFile();
  } catch {
    return false;
  }
}
