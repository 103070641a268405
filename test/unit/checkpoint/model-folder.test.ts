import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { commonFolder } from '#dist/models/onnx/weights-root.js';
import { writeTorchFile } from '../../support/torch-file.js';

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
    const hostile: [unknown, string | RegExp][] = [
      [{ a: two, b: two }, /a is not in diffusion_pytorch_model-00002/],
      [{ a: one, b: two, c: two }, /c is not in/],
      [{ a: one, b: 'diffusion_pytorch_model-00003-of-00003.safetensors' }, /shards are missing: .*00003/],
      [{ a: '../vae/diffusion_pytorch_model.fp16.safetensors' }, /is not the name of a file of weights/],
      [{ a: '/etc/passwd.bin' }, /is not the name/],
      [{ a: '..' }, /is not the name/],
      [{ a: 'C:x.safetensors' }, /is not the name/],
      [{ a: 'sub\\x.safetensors' }, /is not the name/],
      [{ a: 'diffusion_pytorch_model.safetensors.index.json' }, /is not the name/],
      [{ a: 7 }, /is not the name/],
      [
        Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`t${i}`, `${i}.safetensors`])),
        /more than 256 shards/,
      ],
      [null, /no weight_map/],
    ];
    for (const [map, message] of hostile) {
      await index(map);
      await expect(openModelFolder(dir)).rejects.toMatchObject({
        code: 'model.shards',
        message: expect.stringMatching(message),
      });
    }
  });

  it('believes no index that names a tensor twice, nor a tensor that two shards have', async () => {
    await writeModel();
    await rm(join(dir, 'unet/diffusion_pytorch_model.safetensors'));
    await weights('unet/1.safetensors', { a: 1 });
    await weights('unet/2.safetensors', { a: 2, b: 2 });
    const index = 'unet/diffusion_pytorch_model.safetensors.index.json';
    await writeFile(
      join(dir, index),
      '{"weight_map": {"a": "1.safetensors", "a": "2.safetensors", "b": "2.safetensors"}}',
    );
    await expect(openModelFolder(dir)).rejects.toMatchObject({ code: 'model.json', message: /names something twice/ });
    await json(index, { weight_map: { a: '1.safetensors', b: '2.safetensors' } });
    await expect(openModelFolder(dir)).rejects.toMatchObject({
      code: 'model.shards',
      message: /a is in 2\.safetensors/,
    });
  });

  it('takes the variant that was asked for, or fp16 where both are', async () => {
    await writeModel();
    await weights('unet/diffusion_pytorch_model.fp16.safetensors', { a: 16, b: 16 });
    const unetOf = async (variant?: 'auto' | 'fp16' | 'fp32') =>
      firstValue((await openModelFolder(dir, { variant })).unet.checkpoint, 'a');
    expect(await unetOf()).toBe(16);
    expect(await unetOf('auto')).toBe(16);
    await expect(unetOf('fp16')).rejects.toMatchObject({
      code: 'model.incomplete',
      message: expect.stringContaining('lacks image_encoder/model.fp16.safetensors'),
      details: { hint: expect.stringContaining('--variant auto') },
    });
    await expect(unetOf('fp32')).rejects.toMatchObject({
      message: expect.stringContaining('lacks vae/diffusion_pytorch_model.safetensors'),
    });
    await weights('vae/diffusion_pytorch_model.safetensors', { v: 32 });
    await weights('image_encoder/model.fp16.safetensors', { i: 16 });
    expect(await unetOf('fp32')).toBe(1);
    expect(await unetOf('fp16')).toBe(16);
  });

  it('knows fp16 shards by both names of their index, and PyTorch files where there is nothing else', async () => {
    await writeModel();
    await rm(join(dir, 'unet/diffusion_pytorch_model.safetensors'));
    await rm(join(dir, 'image_encoder/model.safetensors'));
    const torch = (path: string, name: string, value: number) =>
      writeTorchFile(join(dir, path), [{ name, shape: [1], data: Float32Array.of(value) }], 'FloatStorage');
    await torch('image_encoder/pytorch_model.bin', 'i', 40);
    await torch('unet/diffusion_pytorch_model-1.bin', 'a', 10);
    await torch('unet/diffusion_pytorch_model-2.bin', 'b', 20);
    const map = { a: 'diffusion_pytorch_model-1.bin', b: 'diffusion_pytorch_model-2.bin' };
    await json('unet/diffusion_pytorch_model.bin.index.json', { weight_map: map });
    const model = await openModelFolder(dir);
    expect(await firstValue(model.unet.checkpoint, 'b')).toBe(20);
    expect(await firstValue(model.imageEncoder.checkpoint, 'i')).toBe(40);

    await weights('unet/half.safetensors', { a: 5, b: 6 });
    const half = { weight_map: { a: 'half.safetensors', b: 'half.safetensors' } };
    for (const name of ['safetensors.index.fp16.json', 'fp16.safetensors.index.json']) {
      await json(`unet/diffusion_pytorch_model.${name}`, half);
      const { unet } = await openModelFolder(dir);
      expect([name, await firstValue(unet.checkpoint, 'b')]).toEqual([name, 6]);
      await rm(join(dir, `unet/diffusion_pytorch_model.${name}`));
    }
  });

  it('takes overlays and control networks as files, indices or folders', async () => {
    await writeModel();
    await mkdir(join(dir, 'tuned'));
    await weights('tuned/diffusion_pytorch_model.fp16.safetensors', { b: 16 });
    await weights('tuned/part.safetensors', { b: 17 });
    await json('tuned/other.safetensors.index.json', { weight_map: { b: 'part.safetensors' } });
    await writeTorchFile(
      join(dir, 'control.bin'),
      [{ name: 'c', shape: [1], data: Float32Array.of(5) }],
      'FloatStorage',
    );
    for (const [path, value] of [
      ['tuned', 16],
      ['tuned/other.safetensors.index.json', 17],
    ] as const) {
      const controlnext = join(dir, 'control.bin');
      const model = await openModelFolder(dir, { overlay: join(dir, path), controlnext });
      expect(await firstValue(model.unet.checkpoint, 'b')).toBe(value);
      expect(await firstValue(model.controlnext!, 'c')).toBe(5);
    }
    await expect(openModelFolder(dir, { overlay: join(dir, 'scheduler') })).rejects.toMatchObject({
      code: 'checkpoint.empty-folder',
    });
    await expect(openModelFolder(dir, { overlay: join(dir, 'nowhere.bin') })).rejects.toMatchObject({
      code: 'safetensors.unreadable',
      message: expect.stringContaining('nowhere.bin'),
    });
  });

  it('reads a repository in the cache of the hub: links, and the snapshot of its main branch', async () => {
    await writeModel();
    const cache = await mkdtemp(join(tmpdir(), 'hub-'));
    try {
      const repository = join(cache, 'models--author--svd');
      const [main, other] = ['0123456789abcdef0123456789abcdef01234567', 'ffff'];
      const snapshot = join(repository, 'snapshots', main);
      await mkdir(join(repository, 'blobs'), { recursive: true });
      await mkdir(join(repository, 'refs'));
      await mkdir(join(repository, 'snapshots', other), { recursive: true });
      await writeFile(join(repository, 'refs/main'), main);
      for (const [i, entry] of (await readdir(dir, { recursive: true, withFileTypes: true })).entries()) {
        if (!entry.isFile()) continue;
        const name = relative(dir, join(entry.parentPath, entry.name));
        await mkdir(dirname(join(snapshot, name)), { recursive: true });
        await rename(join(dir, name), join(repository, 'blobs', `b${i}`));
        const up = '../'.repeat(name.split(sep).length + 1);
        await symlink(`${up}blobs/b${i}`, join(snapshot, name));
      }
      for (const path of [snapshot, repository]) {
        const model = await openModelFolder(path);
        expect(await firstValue(model.unet.checkpoint, 'a')).toBe(1);
        const files = [model.unet, model.vae, model.imageEncoder].flatMap(({ checkpoint }) => checkpoint.sources);
        expect(commonFolder(files)).toBe(await realpath(join(repository, 'blobs')));
      }
      await rm(join(repository, 'refs'), { recursive: true });
      await expect(openModelFolder(repository)).rejects.toMatchObject({ code: 'model.incomplete' });
      await rm(join(repository, 'snapshots', other), { recursive: true });
      expect(await firstValue((await openModelFolder(repository)).unet.checkpoint, 'a')).toBe(1);
    } finally {
      await rm(cache, { recursive: true, force: true });
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
