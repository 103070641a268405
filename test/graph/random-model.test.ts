import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { ControlNeXt } from '#dist/models/controlnext/controlnext.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { bind } from '#dist/models/onnx/module.js';
import { ClipVision } from '#dist/models/svd/clip.js';
import { parseClipVisionConfig } from '#dist/models/svd/clip-config.js';
import { writeRandomModel } from '#dist/models/svd/random-model.js';
import { UNet } from '#dist/models/svd/unet.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { Vae } from '#dist/models/svd/vae.js';
import { parseVaeConfig } from '#dist/models/svd/vae-config.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';
import { runGraph } from '../support/run-graph.js';
import { someFloats } from '../support/tensors.js';

let root: string;
let dir: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pantomime-'));
  dir = join(root, 'model');
  expect(await writeRandomModel(dir, { seed: 7 })).toEqual({ dir, created: true });
});
afterAll(() => rm(root, { recursive: true }));

test('every network binds strictly, and the overlay replaces attention outputs', async () => {
  const folder = await openModelFolder(dir);
  const unet = parseUNetConfig(folder.unet.config);
  bind(new UNet(unet), folder.unet.checkpoint, 'unet');
  bind(new Vae(parseVaeConfig(folder.vae.config)), folder.vae.checkpoint, 'vae');
  bind(
    new ClipVision(parseClipVisionConfig(folder.imageEncoder.config)),
    folder.imageEncoder.checkpoint,
    'image encoder',
  );
  bind(new ControlNeXt(unet.levels[0]!.channels), folder.controlnext!, 'controlnext');

  const overlaid = [...folder.unet.checkpoint.tensors].filter(([, { file }]) =>
    file.endsWith('unet_overlay.safetensors'),
  );
  expect(overlaid.length).toBeGreaterThan(50);
  expect(overlaid.every(([name]) => name.includes('.to_out.'))).toBe(true);
  const published = JSON.parse(await readFile('test/fixtures/model/scheduler/scheduler_config.json', 'utf8'));
  expect(folder.scheduler.config).toEqual(published);
});

test('a step gives finite numbers of ordinary size, and follows the control', async () => {
  const folder = await openModelFolder(dir);
  const [frames, height, width] = [2, 64, 64];
  const graph = buildUnetStep({
    unet: folder.unet.checkpoint,
    unetConfig: folder.unet.config,
    controls: [{ name: 'pose', network: folder.controlnext! }],
    frames,
    height,
    width,
    guidance: true,
    residency: 'fast',
    target: 'cpu',
  });
  const step = async (shade: number) => {
    const feeds = {
      latents: floatTensor([frames, 4, 8, 8], someFloats(frames * 256, 1)),
      sigma: floatTensor([1], Float32Array.of(1)),
      timestep: floatTensor([1]),
      image_latents: floatTensor([4, 8, 8], someFloats(256, 2)),
      image_embeds: floatTensor([1, 1, 32], someFloats(32, 3)),
      added_time_ids: floatTensor([3], Float32Array.of(6, 127, 0.02)),
      control: byteTensor(
        [frames, height, width, 3],
        Uint8Array.from({ length: frames * 12288 }, (_, i) => (i * shade) % 256),
      ),
      control_scale: floatTensor([1], Float32Array.of(1)),
      guidance: floatTensor([frames], Float32Array.of(2, 3)),
    };
    const { prediction } = await runGraph(graph, feeds);
    return prediction!.data;
  };
  const [a, b] = [await step(1), await step(37)];
  const mean = (values: Iterable<number>) => [...values].reduce((sum, v) => sum + v, 0) / a.length;
  const deviation = Math.sqrt(mean(a.map((v) => v * v)));
  expect(a.every(Number.isFinite)).toBe(true);
  expect(deviation).toBeGreaterThan(0.05);
  expect(deviation).toBeLessThan(20);
  expect(mean(a.map((v, i) => Math.abs(v - b[i]!)))).toBeGreaterThan(1e-4);
});

test('the same seed gives the same bytes, another seed others; a whole folder is kept, a broken one made anew', async () => {
  const again = join(root, 'again');
  const manifest = async (at: string) => JSON.parse(await readFile(join(at, 'random-model.json'), 'utf8')).files;
  await writeRandomModel(again, { seed: '7' });
  const files = await manifest(dir);
  expect(await manifest(again)).toEqual(files);
  expect((await writeRandomModel(again, { seed: 7 })).created).toBe(false);

  await truncate(join(again, 'vae/diffusion_pytorch_model.safetensors'), 1000);
  expect((await writeRandomModel(again, { seed: 7 })).created).toBe(true);
  expect((await writeRandomModel(again, { seed: 7 })).created).toBe(false);

  expect((await writeRandomModel(again, { seed: 8 })).created).toBe(true);
  const others = await manifest(again);
  for (const name of Object.keys(files))
    expect(others[name].sha256 === files[name].sha256).toBe(name.endsWith('.json'));
  expect((await readdir(root)).sort()).toEqual(['again', 'model']);
});

test('a folder that is something else is left alone', async () => {
  const other = join(root, 'other');
  await mkdir(other);
  await writeFile(join(other, 'diary.txt'), 'mine');
  await expect(writeRandomModel(other, { seed: 1 })).rejects.toMatchObject({ code: 'model.in-the-way' });
  expect(await readdir(other)).toEqual(['diary.txt']);
  await rm(other, { recursive: true });
});
