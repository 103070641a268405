import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'model-folder-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const json = (path: string, value: unknown) => writeFile(join(dir, path), JSON.stringify(value));
const weights = (path: string, values: Readonly<Record<string, number>>) =>
  writeSafetensors(
    join(dir, path),
    Object.entries(values).map(([name, value]) => ({
      name,
      dtype: 'float32' as const,
      shape: [1],
      data: Float32Array.of(value),
    })),
  );

async function writeModel(): Promise<void> {
  for (const part of ['unet', 'vae', 'image_encoder', 'scheduler', 'feature_extractor']) await mkdir(join(dir, part));
  await json('model_index.json', {
    _class_name: 'StableVideoDiffusionPipeline',
    unet: ['diffusers', 'UNetSpatioTemporalConditionModel'],
    vae: ['diffusers', 'AutoencoderKLTemporalDecoder'],
    image_encoder: ['transformers', 'CLIPVisionModelWithProjection'],
  });
  await json('unet/config.json', { part: 'unet' });
  await json('vae/config.json', { part: 'vae' });
  await json('image_encoder/config.json', { part: 'image_encoder' });
  await json('scheduler/scheduler_config.json', { part: 'scheduler' });
  await json('feature_extractor/preprocessor_config.json', { part: 'feature_extractor' });
  await weights('unet/diffusion_pytorch_model.safetensors', { a: 1, b: 2 });
  await weights('vae/diffusion_pytorch_model.fp16.safetensors', { v: 3 });
  await weights('image_encoder/model.safetensors', { i: 4 });
}

async function firstValue(
  checkpoint: { tensors: ReadonlyMap<string, Parameters<typeof readTensor>[0]> },
  name: string,
) {
  return (await readTensor(checkpoint.tensors.get(name)!)).data[0];
}

describe('openModelFolder', () => {
  it('finds all parts, whichever published name the weights have', async () => {
    await writeModel();
    const model = await openModelFolder(dir);
    expect(model.unet.config).toEqual({ part: 'unet' });
    expect(model.scheduler.config).toEqual({ part: 'scheduler' });
    expect(model.featureExtractor.config).toEqual({ part: 'feature_extractor' });
    expect(await firstValue(model.vae.checkpoint, 'v')).toBe(3);
    expect(await firstValue(model.imageEncoder.checkpoint, 'i')).toBe(4);
    expect(model.controlnext).toBeUndefined();
    expect(model.overlay).toBeUndefined();
  });

  it('names every missing part at once', async () => {
    await writeModel();
    await rm(join(dir, 'vae'), { recursive: true });
    await rm(join(dir, 'unet/diffusion_pytorch_model.safetensors'));
    await expect(openModelFolder(dir)).rejects.toMatchObject({
      code: 'model.incomplete',
      message: expect.stringContaining(
        'lacks unet/diffusion_pytorch_model.safetensors, vae/config.json, vae/diffusion_pytorch_model.safetensors',
      ),
    });
    await expect(openModelFolder(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'model.not-a-folder' });
  });

  it('lays the overlay of the folder, another one or none over the UNet', async () => {
    await writeModel();
    await weights('unet_overlay.fp16.safetensors', { b: 20 });
    await weights('other.safetensors', { a: 10 });
    await weights('controlnext.safetensors', { c: 5 });
    const usual = await openModelFolder(dir);
    expect(usual.overlay).toBe(join(dir, 'unet_overlay.fp16.safetensors'));
    expect([await firstValue(usual.unet.checkpoint, 'a'), await firstValue(usual.unet.checkpoint, 'b')]).toEqual([
      1, 20,
    ]);
    expect(await firstValue(usual.controlnext!, 'c')).toBe(5);
    const other = await openModelFolder(dir, { overlay: join(dir, 'other.safetensors') });
    expect([await firstValue(other.unet.checkpoint, 'a'), await firstValue(other.unet.checkpoint, 'b')]).toEqual([
      10, 2,
    ]);
    const none = await openModelFolder(dir, { overlay: false });
    expect(none.overlay).toBeUndefined();
    expect(await firstValue(none.unet.checkpoint, 'b')).toBe(2);
    await weights('wrong.safetensors', { z: 0 });
    await expect(openModelFolder(dir, { overlay: join(dir, 'wrong.safetensors') })).rejects.toMatchObject({
      code: 'checkpoint.overlay',
    });
  });

  it('joins shards, and believes only an index that agrees with them', async () => {
    await writeModel();
    await rm(join(dir, 'unet/diffusion_pytorch_model.safetensors'));
    const [one, two] = [
      'diffusion_pytorch_model-00001-of-00002.safetensors',
      'diffusion_pytorch_model-00002-of-00002.safetensors',
    ];
    await weights(`unet/${one}`, { a: 1 });
    await weights(`unet/${two}`, { b: 2 });
    const index = (map: unknown) => json('unet/diffusion_pytorch_model.safetensors.index.json', { weight_map: map });
    await index({ a: one, b: two });
    const model = await openModelFolder(dir);
    expect(await firstValue(model.unet.checkpoint, 'b')).toBe(2);
    expect(model.unet.checkpoint.sources).toHaveLength(2);
    for (const map of [{ a: two, b: two }, { a: one, b: two, c: two }, { a: '../vae/x.safetensors' }, null]) {
      await index(map);
      await expect(openModelFolder(dir)).rejects.toMatchObject({ code: 'model.shards' });
    }
  });

  it('follows symbolic links to real paths, as a hub cache needs', async () => {
    await writeModel();
    await mkdir(join(dir, 'blobs'));
    await rename(join(dir, 'unet/diffusion_pytorch_model.safetensors'), join(dir, 'blobs/0f3a'));
    await symlink('../blobs/0f3a', join(dir, 'unet/diffusion_pytorch_model.safetensors'));
    const { unet } = await openModelFolder(dir);
    expect(unet.checkpoint.tensors.get('a')!.file).toMatch(/blobs[\\/]0f3a$/);
  });

  it('refuses other architectures and configs that are not JSON', async () => {
    await writeModel();
    await writeFile(join(dir, 'unet/config.json'), '{');
    await expect(openModelFolder(dir)).rejects.toMatchObject({ code: 'model.json' });
    await json('model_index.json', { unet: ['diffusers', 'UNet2DConditionModel'] });
    await expect(openModelFolder(dir)).rejects.toMatchObject({ code: 'model.kind', message: /UNet2DConditionModel/ });
  });
});
