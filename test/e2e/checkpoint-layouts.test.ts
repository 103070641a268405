import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { type ModelFolder, openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { readStoredTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { writeRandomModel } from '#dist/models/svd/random-model.js';
import { type AnimateInput, animate } from '#dist/pipeline/index.js';
import { ldmEntries, ldmUnet, ldmVae, openClipVision } from '../support/ldm-layout.js';
import { writeTorchFile } from '../support/torch-file.js';
import { latentsOf, makeFolder, removeFolder, sample, small } from './program.js';

/*
 * One random model, written down in the layouts that people have: the same tensors, bit for bit, and the same frames.
 */

let folder: string;
let model: string;
let opened: ModelFolder;
let expected: Awaited<ReturnType<typeof run>>;
const at = (...names: string[]) => join(folder, ...names);

const networks = (from: ModelFolder) => [from.unet.checkpoint, from.vae.checkpoint, from.imageEncoder.checkpoint];

async function valuesOf({ tensors }: Checkpoint): Promise<Map<string, string>> {
  const read = [...tensors].map(async ([name, location]) => {
    const { dtype, dims, data } = await readStoredTensor(location);
    return [name, `${dtype}[${dims}]${Buffer.from(data.buffer).toString('latin1')}`] as const;
  });
  return new Map((await Promise.all(read)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function run(name: string, options: AnimateInput) {
  const input = { ...small, video: undefined, controlVideo: at('poses'), output: at('runs', name), ...options };
  const result = await animate({ ...input, image: sample.image });
  return { latents: (await latentsOf(at('runs', name))).data, video: await readFile(result.outputs.video as string) };
}

/** All tensors of a checkpoint as a PyTorch file of half floats. */
async function asTorchFile(
  path: string,
  entries: readonly { name: string; shape: readonly number[]; data: unknown }[],
) {
  await writeTorchFile(
    path,
    entries.map(({ name, shape, data }) => ({ name, shape, data: data as ArrayBufferView })),
    'HalfStorage',
  );
}

async function storedEntries({ tensors }: Checkpoint) {
  return Promise.all(
    [...tensors].map(async ([name, location]) => {
      const { data } = await readStoredTensor(location);
      return { name, shape: location.shape, data };
    }),
  );
}

beforeAll(async () => {
  folder = await makeFolder();
  model = at('model');
  await writeRandomModel(model, { seed: 11 });
  opened = await openModelFolder(model, { overlay: false });
  await mkdir(at('poses'));
  for (const i of [1, 2]) {
    const picture = {
      create: { width: 64, height: 64, channels: 3 as const, background: { r: 80 * i, g: 200, b: 30 } },
    };
    await sharp(picture).toFile(at('poses', `${i}.png`));
  }
  expected = await run('folder', { model });
});
afterAll(() => removeFolder(folder));

describe('one model, whatever the layout', () => {
  it('in a single file under the names of its authors, with its configs beside it', async () => {
    const dir = at('single');
    await cp(model, dir, { recursive: true });
    for (const part of ['unet', 'vae']) await rm(join(dir, part, 'diffusion_pytorch_model.safetensors'));
    await rm(join(dir, 'image_encoder', 'model.safetensors'));
    await rm(join(dir, 'model_index.json'));
    const [unet, vae, clip] = networks(opened) as [Checkpoint, Checkpoint, Checkpoint];
    const path = join(dir, 'svd.safetensors');
    await writeSafetensors(path, [
      ...(await ldmEntries(ldmUnet(unet.tensors.keys()), unet)),
      ...(await ldmEntries(ldmVae(vae.tensors.keys(), 4), vae)),
      ...(await ldmEntries(openClipVision(clip.tensors.keys()), clip)),
    ]);
    const single = await openModelFolder(path, { overlay: false });
    for (const [i, checkpoint] of networks(opened).entries())
      expect(await valuesOf(networks(single)[i]!)).toEqual(await valuesOf(checkpoint));
    // The overlay and the control network beside the file are taken as in a folder.
    const result = await run('single', { model: path });
    expect(result.latents).toEqual(expected.latents);
    expect(result.video).toEqual(expected.video);
  });

  it('in the cache of the hub, as PyTorch files and shards; overlay and control network from elsewhere', async () => {
    const repository = at('hub', 'models--author--svd');
    const snapshot = join(repository, 'snapshots', 'c0ffee');
    await cp(model, snapshot, { recursive: true });
    const [unet, vae] = networks(opened) as [Checkpoint, Checkpoint];
    await rm(join(snapshot, 'unet/diffusion_pytorch_model.safetensors'));
    await asTorchFile(join(snapshot, 'unet/diffusion_pytorch_model.fp16.bin'), await storedEntries(unet));
    await rm(join(snapshot, 'vae/diffusion_pytorch_model.safetensors'));
    const entries = (await storedEntries(vae)).map((entry) => ({ ...entry, dtype: 'float16' as const }));
    const shards = [entries.slice(0, 100), entries.slice(100)];
    const map: Record<string, string> = {};
    for (const [i, shard] of shards.entries()) {
      const name = `diffusion_pytorch_model-0000${i + 1}-of-00002.safetensors`;
      await writeSafetensors(join(snapshot, 'vae', name), shard);
      for (const entry of shard) map[entry.name] = name;
    }
    const index = join(snapshot, 'vae/diffusion_pytorch_model.safetensors.index.json');
    await writeFile(index, JSON.stringify({ weight_map: map }));
    // Weights become links to blobs.
    await mkdir(join(repository, 'blobs'));
    const linked = [
      'unet/diffusion_pytorch_model.fp16.bin',
      'image_encoder/model.safetensors',
      ...new Set(Object.values(map).map((name) => `vae/${name}`)),
    ];
    for (const [i, name] of linked.entries()) {
      await rename(join(snapshot, name), join(repository, 'blobs', `blob-${i}`));
      await symlink(`../../../blobs/blob-${i}`, join(snapshot, name));
    }

    const overlay = at('elsewhere', 'unet_converted.bin');
    await mkdir(dirname(overlay));
    const over = await openSafetensors(join(model, 'unet_overlay.safetensors'));
    await asTorchFile(overlay, await ldmEntries(ldmUnet(over.tensors.keys()), over));
    const controlnext = at('elsewhere', 'controlnet.bin');
    await asTorchFile(controlnext, await storedEntries(opened.controlnext!));
    for (const name of ['unet_overlay.safetensors', 'controlnext.safetensors']) await rm(join(snapshot, name));

    const result = await run('hub', { model: repository, overlay, controlnext });
    expect(result.latents).toEqual(expected.latents);
    expect(result.video).toEqual(expected.video);
  });
});
