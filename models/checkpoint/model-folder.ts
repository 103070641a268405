import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { PantomimeError } from '../errors.js';
import { type Checkpoint, overlayCheckpoint } from './checkpoint.js';
import { type ModelParts, openDiffusersFolder } from './diffusers-folder.js';
import { firstReadable, isFolder, isReadable } from './files.js';
import { asUnetNames } from './ldm/unet-checkpoint.js';
import { openCheckpoint } from './open-checkpoint.js';
import { openSingleFile } from './single-file.js';
import type { Variant } from './weight-files.js';

/** A Stable Video Diffusion model with its control network and overlay, opened but not read. */
export type ModelFolder = ModelParts & {
  /** Absolute path of the folder or file as it was asked for. */
  readonly dir: string;
  /** The control network, when `controlnext.safetensors` lies with the model or was given. */
  readonly controlnext: Checkpoint | undefined;
  /** Path of the UNet weights laid over the model's own, which `unet` has. */
  readonly overlay: string | undefined;
};

export type ModelFolderOptions = {
  /**
   * UNet weights to lay over the model's own (see `openCheckpoint`), under either naming; false for none. When left out,
   * `unet_overlay.safetensors` or `unet_overlay.fp16.safetensors` with the model is used if it is there.
   */
  readonly overlay?: string | false | undefined;
  /** The control network's weights, when they are not `controlnext.safetensors` with the model. */
  readonly controlnext?: string | undefined;
  /** Which files of a network are used where several were published. */
  readonly variant?: Variant | undefined;
};

/**
 * Opens a model in one of the layouts that people have (docs/checkpoints.md): a diffusers folder, a repository in the
 * hub's cache, or a single file. Only configs and headers are read.
 */
export async function openModelFolder(path: string, options: ModelFolderOptions = {}): Promise<ModelFolder> {
  const { variant = 'auto' } = options;
  const dir = resolve(path);
  const isFile = await isReadable(dir);
  const folder = isFile ? dirname(dir) : await snapshotOf(await requireFolder(dir, path));
  const parts = isFile ? await openSingleFile(dir) : await openDiffusersFolder(folder, variant);

  const beside = (...names: string[]) => firstReadable(names.map((name) => join(folder, name)));
  const overlay =
    options.overlay === undefined
      ? await beside('unet_overlay.safetensors', 'unet_overlay.fp16.safetensors')
      : options.overlay || undefined;
  const controlnext = options.controlnext ?? (await beside('controlnext.safetensors', 'controlnext.bin'));
  return {
    ...parts,
    dir,
    unet: overlay ? await layOver(parts.unet, overlay, variant) : parts.unet,
    controlnext: controlnext ? await openCheckpoint(controlnext, variant) : undefined,
    overlay,
  };
}

async function layOver(unet: ModelParts['unet'], path: string, variant: Variant): Promise<ModelParts['unet']> {
  const over = asUnetNames(await openCheckpoint(path, variant), unet.config);
  return { ...unet, checkpoint: overlayCheckpoint(unet.checkpoint, over) };
}

async function requireFolder(dir: string, asked: string): Promise<string> {
  if (await isFolder(dir)) return dir;
  throw new PantomimeError({
    code: 'model.not-a-folder',
    kind: 'model',
    what: 'is neither a folder nor a file that can be read',
    where: asked,
    expected: 'a model folder with model_index.json, or a model in one file',
    hint: 'Give --model the folder that holds model_index.json, unet/, vae/ and image_encoder/.',
  });
}

/**
 * The folder of files when `dir` is a whole repository in the hub's cache (`models--AUTHOR--NAME`): the snapshot of its
 * main branch, or the only one. Anything else is the folder itself.
 */
async function snapshotOf(dir: string): Promise<string> {
  const snapshots = join(dir, 'snapshots');
  if (!(await isFolder(snapshots)) || (await isReadable(join(dir, 'model_index.json')))) return dir;
  const revisions = await readdir(snapshots);
  const main = (await readFile(join(dir, 'refs', 'main'), 'utf8').catch(() => '')).trim();
  const [only] = revisions;
  const revision = revisions.find((name) => name === main) ?? (revisions.length === 1 ? only : undefined);
  return revision === undefined ? dir : join(snapshots, revision);
}
