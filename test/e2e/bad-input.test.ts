import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStoredTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { checkDisk } from '#dist/pipeline/check-output.js';
import { type AnimateInput, animate, PantomimeError } from '#dist/pipeline/index.js';
import { makeClip, runFfmpeg, sine } from '../media/media-factory.js';
import { carried } from '../media/toolsets.js';
import { eventsOf, isThere, makeFolder, model, pantomime, removeFolder, sample, small, words } from './program.js';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

/** The error of a run that must fail, and must leave no run folder. */
async function failure(options: AnimateInput): Promise<PantomimeError> {
  const error = await animate({ ...small, ...sample, output: at('out', 'run'), ...options }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PantomimeError);
  expect(await isThere(at('out'))).toBe(false);
  return error as PantomimeError;
}

const shown = ({ code, exitCode, message }: PantomimeError) => ({ code, exitCode, message });

/** A copy of one checkpoint of the model with its tensors changed. */
async function alteredModel(name: string, file: string, change: (tensors: Map<string, number[]>) => void) {
  const dir = at(name);
  await cp(model, dir, { recursive: true });
  const { tensors } = await openSafetensors(join(model, file));
  const shapes = new Map([...tensors].map(([key, { shape }]) => [key, [...shape]]));
  change(shapes);
  const entries = await Promise.all(
    [...shapes].map(async ([key, shape]) => {
      const { dtype, data, dims } = await readStoredTensor(tensors.get(key)!);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const size = shape.reduce((a, b) => a * b, bytes.length / dims.reduce((a, b) => a * b, 1));
      return { name: key, dtype: dtype as 'float32', shape, data: bytes.subarray(0, size) };
    }),
  );
  await rm(join(dir, file));
  await writeSafetensors(join(dir, file), entries);
  return dir;
}

beforeAll(async () => {
  folder = await makeFolder();
  await writeFile(at('text.txt'), 'this is no film, and no picture either\n'.repeat(50));
  await runFfmpeg(carried.ffmpeg, [...sine(1), at('sound.m4a')]);
  const grey = new Uint8Array(320 * 240 * 3).fill(90);
  await makeClip(carried.ffmpeg, at('nobody.mp4'), { frames: 5, width: 320, height: 240, draw: () => grey });
  await runFfmpeg(carried.ffmpeg, [
    '-f',
    'lavfi',
    '-i',
    'color=c=red:s=64x64:r=24:d=1',
    '-frames:v',
    '0',
    '-f',
    'mov',
    at('zero.mov'),
  ]);
  await writeFile(at('pose.json'), JSON.stringify({ version: 1, width: 64, height: 64, frames: [] }));
  const whole = await readFile(sample.image);
  await writeFile(at('cut.png'), whole.subarray(0, Math.floor(whole.length / 2)));
});
afterAll(() => removeFolder(folder));

describe('driving videos', () => {
  it.each([
    ['missing', 'missing.mp4', 'video.missing', /missing\.mp4: there is no such file/],
    ['a text', 'text.txt', /^video\.(not-media|container-refused)$/, /text\.txt: /],
    ['only sound', 'sound.m4a', 'video.no-video', /sound\.m4a: this file has sound but no video/],
    ['no frames', 'zero.mov', /^video\./, /zero\.mov: /],
  ])('%s', async (_title, name, code, message) => {
    const error = await failure({ video: at(name) });
    expect(shown(error)).toMatchObject({
      code: expect.stringMatching(code),
      exitCode: 3,
      message: expect.stringMatching(message),
    });
  });
  it('a start after the end', async () => {
    const error = await failure({ start: 3600 });
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(/dancer\.mp4: .*(start|end)/);
  });
  it('nobody in it: says in which frames, ends with 3 and leaves nothing', async () => {
    const out = at('nobody-run');
    const options = { ...small, ...sample, video: at('nobody.mp4'), stride: 1 };
    const { code, stdout } = await pantomime('animate', ...words(options), '-o', out, '--json');
    expect(code).toBe(3);
    const last = eventsOf(stdout).at(-1);
    expect(last).toMatchObject({ type: 'run.error', kind: 'input', exitCode: 3, where: at('nobody.mp4') });
    expect(JSON.stringify(last)).toMatch(/0-2|3 frames/);
    expect(await isThere(out)).toBe(false);
  });
});

describe('pictures', () => {
  it.each([
    ['missing', 'missing.png', 'picture.missing'],
    ['a text', 'text.txt', 'picture.not-a-picture'],
    ['a film', 'nobody.mp4', 'picture.not-a-picture'],
    ['half of one', 'cut.png', 'picture.not-a-picture'],
  ])('%s', async (_title, name, code) => {
    const error = await failure({ image: at(name) });
    expect(shown(error)).toMatchObject({ code, exitCode: 3, message: expect.stringContaining(at(name)) });
  });
});

describe('options', () => {
  it.each([
    ['a width off the grid', { width: 100 }, 'size.multiple', /--width: .*multiples of 64.*got 100/],
    ['overlap not less than chunk', { overlap: 4 }, 'options.overlap', /overlap 4.*chunk 4/],
    ['two movements', { pose: 'pose.json' }, 'options.movement', /--video and --pose/],
  ])('%s', async (_title, options, code, message) => {
    const error = await failure(options);
    expect(shown(error)).toMatchObject({ code, exitCode: 2, message: expect.stringMatching(message) });
  });
  it('a size that only this model refuses', async () => {
    // One level more halves once more.
    const dir = at('deep');
    await cp(model, dir, { recursive: true });
    const path = join(dir, 'unet', 'config.json');
    const config = JSON.parse(await readFile(path, 'utf8'));
    const more = (list: unknown[]) => [...list, list.at(-1)];
    for (const [name, value] of Object.entries(config)) {
      if (Array.isArray(value) && value.length === 4)
        config[name] = name === 'up_block_types' ? [value[1], ...value.slice(1), value[1]] : more(value);
    }
    await writeFile(path, JSON.stringify(config));
    const error = await failure({ model: dir });
    expect(shown(error)).toMatchObject({ code: 'size.multiple', exitCode: 2 });
    expect(error.message).toMatch(/--width: .*multiples of 128.*got 64/);
  });
  it('a pose file of another form', async () => {
    const error = await failure({ video: undefined, pose: at('pose.json') });
    expect(shown(error)).toMatchObject({ exitCode: 3, message: expect.stringContaining(at('pose.json')) });
    expect(error.code).toBe('pose-json.bad-form');
  });
  it('a folder without control pictures', async () => {
    await mkdir(at('empty'));
    const error = await failure({ video: undefined, controlVideo: at('empty') });
    expect(shown(error)).toMatchObject({ code: 'control.no-pictures', exitCode: 3 });
  });
  it('a control picture that is none, found while reading: nothing stays', async () => {
    await mkdir(at('pictures'));
    await sharp({ create: { width: 64, height: 64, channels: 3, background: 'black' } }).toFile(
      at('pictures', '1.png'),
    );
    await writeFile(at('pictures', '2.png'), 'no picture');
    const error = await failure({ video: undefined, controlVideo: at('pictures') });
    expect(shown(error)).toMatchObject({
      code: 'control.bad-picture',
      exitCode: 3,
      message: expect.stringContaining('2.png'),
    });
  });
});

describe('models', () => {
  it('missing', async () => {
    expect(shown(await failure({ model: at('nowhere') }))).toMatchObject({ code: 'model.not-a-folder', exitCode: 4 });
  });
  it('parts missing: all are named', async () => {
    const dir = at('parts');
    await cp(model, dir, { recursive: true });
    await rm(join(dir, 'vae'), { recursive: true });
    await rm(join(dir, 'scheduler', 'scheduler_config.json'));
    const error = await failure({ model: dir });
    expect(shown(error)).toMatchObject({ code: 'model.incomplete', exitCode: 4 });
    for (const name of [
      'vae/config.json',
      'vae/diffusion_pytorch_model.safetensors',
      'scheduler/scheduler_config.json',
    ])
      expect(error.message).toContain(name);
  });
  it.each([
    ['unet', 'unet/diffusion_pytorch_model.safetensors', 'conv_out.weight'],
    ['vae', 'vae/diffusion_pytorch_model.safetensors', 'encoder.conv_in.weight'],
    ['image encoder', 'image_encoder/model.safetensors', 'visual_projection.weight'],
    ['control network', 'controlnext.safetensors', undefined],
  ])('a tensor missing or of another shape in the %s', async (name, file, tensor) => {
    const { tensors } = await openSafetensors(join(model, file));
    const key = tensor ?? [...tensors.keys()].find((key) => (tensors.get(key)?.shape.length ?? 0) === 4)!;
    const without = await failure({
      overlay: 'none',
      model: await alteredModel(`${name} without`, file, (shapes) => shapes.delete(key)),
    });
    expect(without.exitCode).toBe(4);
    expect(without.message).toContain(key);
    const bent = await failure({
      overlay: 'none',
      model: await alteredModel(`${name} bent`, file, (shapes) => shapes.set(key, [1, ...shapes.get(key)!.slice(1)])),
    });
    expect(bent.exitCode).toBe(4);
    expect(bent.message).toContain(key);
  });
  it('a UNet and a VAE of different latents', async () => {
    const dir = at('latents');
    await cp(model, dir, { recursive: true });
    const config = JSON.parse(await readFile(join(dir, 'vae', 'config.json'), 'utf8'));
    await writeFile(join(dir, 'vae', 'config.json'), JSON.stringify({ ...config, latent_channels: 8 }));
    expect(shown(await failure({ model: dir }))).toMatchObject({
      code: 'model.latents',
      exitCode: 4,
      message: expect.stringContaining('4 latent channels in the UNet, 8 in the VAE'),
    });
  });
  it('an overlay with unknown names', async () => {
    const overlay = at('overlay.safetensors');
    await writeSafetensors(overlay, [
      { name: 'no.such.tensor', dtype: 'float32', shape: [1], data: new Float32Array(1) },
    ]);
    const error = await failure({ overlay });
    expect(error.exitCode).toBe(4);
    expect(error.message).toContain('no.such.tensor');
  });
  it('weights cut short', async () => {
    const dir = at('cut');
    await cp(model, dir, { recursive: true });
    const path = join(dir, 'vae', 'diffusion_pytorch_model.safetensors');
    await writeFile(path, (await readFile(path)).subarray(0, 10_000));
    expect(shown(await failure({ model: dir }))).toMatchObject({ exitCode: 4, message: expect.stringContaining(path) });
  });
});

describe('devices', () => {
  // A machine where they work cannot show the error.
  const refused = (provider: 'cuda' | 'webgpu') =>
    animate({ ...small, ...sample, provider, maxFrames: 1, output: at('device', provider) }).then(
      () => undefined,
      (error: unknown) => error as PantomimeError,
    );
  it.each(['cuda', 'webgpu'] as const)('%s where it is not: says why, and runs on nothing else', async (provider) => {
    const error = await refused(provider);
    if (!error) return;
    expect(shown(error)).toMatchObject({ code: 'device.unavailable', exitCode: 5 });
    expect(error.message).toMatch(new RegExp(`^${provider} cannot be used: .+`));
    expect(error.details.hint).toBeTruthy();
    expect(await isThere(at('device'))).toBe(false);
  });
});

describe('outputs', () => {
  it('inside a file', async () => {
    const error = await failure({ output: at('text.txt', 'run') });
    expect(shown(error)).toMatchObject({
      code: 'output.not-a-folder',
      exitCode: 3,
      message: expect.stringContaining('text.txt'),
    });
  });
  it('where a folder has that name', async () => {
    await mkdir(at('folder.mp4'));
    expect(shown(await failure({ output: at('folder.mp4') }))).toMatchObject({
      code: 'output.is-a-folder',
      exitCode: 2,
    });
  });
  it.runIf(process.platform === 'linux')('where nothing can be made', async () => {
    expect(shown(await failure({ output: '/proc/pantomime' }))).toMatchObject({
      code: 'output.not-writable',
      exitCode: 3,
    });
  });
  it('on a disk without room', async () => {
    // A full disk needs a mount of its own; what asks for room is asked for more than any disk has.
    await expect(checkDisk(at('run'), 1e18)).rejects.toMatchObject({ code: 'output.no-space', exitCode: 3 });
    await expect(checkDisk(at('run'), 1)).resolves.toBeUndefined();
    expect(await readdir(folder)).not.toContain('run');
  });
});
