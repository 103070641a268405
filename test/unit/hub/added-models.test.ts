import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hubLimits } from '#dist/models/hub/hub-limits.js';
import { addedModels, addModel } from '#dist/pipeline/model-store/added-models.js';
import { locate } from '#dist/pipeline/model-store/locate.js';
import type { ModelStore } from '#dist/pipeline/model-store/types.js';
import { presentModels, verifyModel } from '#dist/pipeline/model-store/verify.js';
import { sha256 } from '../../support/hub-server.js';

let folder: string;
let mine: string;
let store: ModelStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-added-'));
  mine = join(folder, 'mine');
  store = {
    hub: { endpoint: 'http://127.0.0.1:9', token: undefined, offline: true, cacheDir: join(folder, 'hub') },
    ...{ limits: hubLimits, dir: join(folder, 'models'), freeBytes: async () => 0 },
  };
  await mkdir(join(mine, 'unet'), { recursive: true });
  await writeFile(join(mine, 'unet', 'weights.safetensors'), 'weights');
  await writeFile(join(mine, 'model_index.json'), '{}');
  await writeFile(join(mine, '.hidden'), 'x');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const states = async (name: string) => {
  const found: string[] = [];
  for await (const { file, state } of verifyModel(name, store)) found.push(`${file} ${state}`);
  return found;
};

it('a folder gets a name, and every file its hash', async () => {
  const model = await addModel('mine', mine, store, { licence: 'of my own' });
  expect(model.files).toEqual([
    { path: 'model_index.json', sizeBytes: 2, sha256: sha256(Buffer.from('{}')) },
    { path: join('unet', 'weights.safetensors'), sizeBytes: 7, sha256: sha256(Buffer.from('weights')) },
  ]);
  expect(addedModels(store.dir).get('mine')).toEqual(model);
  expect(await locate('mine', store)).toBe(mine);
  expect(await presentModels(store)).toEqual(['mine']);
  expect(await states('mine')).toEqual(['model_index.json right', `${join('unet', 'weights.safetensors')} right`]);
});

it('a file does too; what changes or goes is noticed', async () => {
  const file = join(mine, 'unet', 'weights.safetensors');
  await addModel('weights', file, store);
  expect(await locate('weights', store)).toBe(file);
  await writeFile(file, 'weighty');
  expect(await states('weights')).toEqual([`${file} damaged`]);
  await rm(file);
  await expect(locate('weights', store)).rejects.toMatchObject({ code: 'model.moved', details: { where: file } });
});

it('a file that is gone from a folder is missing', async () => {
  await addModel('mine', mine, store);
  await rm(join(mine, 'model_index.json'));
  expect((await states('mine'))[0]).toBe('model_index.json missing');
});

it('a name is given once, by whoever comes first', async () => {
  const tries = await Promise.allSettled([1, 2, 3].map(() => addModel('mine', mine, store)));
  expect(tries.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  await expect(addModel('mine', mine, store)).rejects.toMatchObject({ code: 'model.exists', details: { where: mine } });
  await addModel('mine', join(mine, 'unet'), store, { overwrite: true });
  expect(await locate('mine', store)).toBe(join(mine, 'unet'));
  await addModel('another', mine, store);
  expect([...addedModels(store.dir).keys()]).toEqual(['mine', 'another']);
});

it.each([
  'embedded',
  'auto',
  'none',
  'lock',
  'dwpose',
  'svd-xt-1.1',
  'a/b',
  '../x',
  '.x',
  'hf:a/b',
  '',
  'ü',
  'x'.repeat(65),
])('refuses the name %s', async (name) => {
  await expect(addModel(name, mine, store)).rejects.toMatchObject({ code: 'model.name', exitCode: 2 });
});

it('refuses what holds no files, and folders without end', async () => {
  await mkdir(join(folder, 'empty'));
  await expect(addModel('x', join(folder, 'empty'), store)).rejects.toMatchObject({ code: 'model.no-files' });
  await expect(addModel('x', join(folder, 'nothing'), store)).rejects.toMatchObject({ code: 'model.no-files' });
  await symlink(mine, join(mine, 'unet', 'again'));
  // Links to folders above are followed a few levels only.
  expect((await addModel('x', mine, store)).files.length).toBeLessThan(10);
});

it('a damaged list is an error that names it, not an empty one', async () => {
  await mkdir(store.dir);
  await writeFile(join(store.dir, 'added.json'), '{"version":1,"models":{"x":{}}}');
  expect(() => addedModels(store.dir)).toThrow(expect.objectContaining({ code: 'model.added' }));
});
