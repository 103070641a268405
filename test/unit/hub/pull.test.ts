import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { type CatalogModel, catalogModel } from '#dist/models/hub/catalog.js';
import { hubLimits } from '#dist/models/hub/hub-limits.js';
import { linkFile } from '#dist/pipeline/model-store/link-file.js';
import { locate } from '#dist/pipeline/model-store/locate.js';
import { type PullContext, pull, pullWanted } from '#dist/pipeline/model-store/pull.js';
import { isPulled, sourcesOf } from '#dist/pipeline/model-store/pulled-model.js';
import type { ModelStore, PullEvent } from '#dist/pipeline/model-store/types.js';
import { presentModels, verifyModel } from '#dist/pipeline/model-store/verify.js';
import { wantedOfCatalog } from '#dist/pipeline/model-store/wanted.js';
import { commitOf, gitHash, type HubServer, hashOf, noise, sha256, startHub } from '../../support/hub-server.js';

const fixture = 'test/fixtures/model';
const base = 'stabilityai/stable-video-diffusion-img2vid-xt-1-1';
const baseCommit = '043843887ccd51926e3efed36270444a838e7861';
const control = 'Kijai/ControlNeXt-SVD-V2-Comfy';
const parts = {
  configs: [
    'model_index.json',
    'feature_extractor/preprocessor_config.json',
    'scheduler/scheduler_config.json',
    'image_encoder/config.json',
    'unet/config.json',
    'vae/config.json',
  ],
  weights: ['image_encoder/model.safetensors', 'vae/diffusion_pytorch_model.safetensors'],
};

let folder: string;
let server: HubServer;
let store: ModelStore;
let files: Record<string, Buffer>;
let unet: Buffer;
let controlnext: Buffer;
const repositories: Parameters<typeof startHub>[0] = {};
const events: PullEvent[] = [];
const context: PullContext = { accept: async () => true, onEvent: (event) => events.push(event) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-pull-'));
  files = {};
  for (const path of [...parts.configs, ...parts.weights]) files[path] = await readFile(join(fixture, path));
  unet = await readFile(join(fixture, 'unet/diffusion_pytorch_model.safetensors'));
  controlnext = await readFile(join(fixture, 'controlnext.safetensors'));
  repositories[base] = { commit: baseCommit, files: { ...files, 'not/wanted.bin': noise(2_000) }, gated: true };
  repositories[control] = {
    commit: commitOf('b'),
    files: { 'unet.safetensors': unet, 'control.safetensors': controlnext },
  };
  const whole = { ...files, 'unet/diffusion_pytorch_model.safetensors': unet, 'controlnext.safetensors': controlnext };
  repositories['toy/model'] = { commit: commitOf('c'), files: whole, licence: 'mit' };
  server = await startHub(repositories);
  events.length = 0;
  store = {
    hub: { endpoint: server.url, token: undefined, offline: false, cacheDir: join(folder, 'hub') },
    limits: { ...hubLimits, retryMs: 5, attempts: 3, faults: 8 },
    dir: join(folder, 'models'),
    freeBytes: async () => 2 ** 40,
  };
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A model of the kind that the catalog has: parts of two repositories, one of them followed by its branch. */
const set = (): CatalogModel => ({
  name: 'toy-set',
  title: 'toy',
  use: '--model',
  files: [
    ...[...parts.configs, ...parts.weights].map((path) => ({ repository: 'svd' as const, path, as: path })),
    {
      repository: 'controlnext-fp16',
      path: 'unet.safetensors',
      as: 'unet/diffusion_pytorch_model.fp16.safetensors',
      sizeBytes: unet.length,
      sha256: sha256(unet),
    },
    { repository: 'controlnext-fp16', path: 'control.safetensors', as: 'controlnext.safetensors' },
  ],
});
const pullSet = (changes: Partial<PullContext> = {}, model = set()) =>
  pullWanted(wantedOfCatalog(model), store, { ...context, ...changes });
const cacheOf = (id: string) => join(store.hub.cacheDir, `models--${id.replace('/', '--')}`);
const gets = () => server.seen.filter(({ method, server }) => method === 'GET' && server === 'storage').length;

it('puts a model together from two repositories, in a folder that opens as any other', async () => {
  const { path, downloadedBytes } = await pullSet();
  expect(path).toBe(join(store.dir, 'toy-set'));
  const sizes = [...Object.values(files), unet, controlnext].map(({ length }) => length);
  expect(downloadedBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
  const model = await openModelFolder(path);
  expect(model.unet.checkpoint.sources).toEqual([join(cacheOf(control), 'blobs', sha256(unet))]);
  expect(model.controlnext?.sources).toEqual([join(cacheOf(control), 'blobs', sha256(controlnext))]);
  expect(model.vae.checkpoint.tensors.size).toBeGreaterThan(0);
  expect(await isPulled(store, set())).toBe(true);
});

it('lays the cache out as other programs do', async () => {
  await pullSet();
  const cache = cacheOf(base);
  expect((await readdir(join(cache, 'blobs'))).sort()).toEqual([...new Set(Object.values(files).map(hashOf))].sort());
  const link = join(cache, 'snapshots', baseCommit, 'unet/config.json');
  expect(await readlink(link)).toBe(join('..', '..', '..', 'blobs', gitHash(files['unet/config.json'] as Buffer)));
  expect(await readFile(join(cacheOf(control), 'refs', 'main'), 'utf8')).toBe(commitOf('b'));
  // A pinned commit is no branch.
  expect(await readdir(cache)).not.toContain('refs');
});

it('asks nothing and nobody when everything is there', async () => {
  await pullSet();
  const before = server.seen.length;
  const accept = async () => expect.unreachable('a licence is no question then');
  expect(await pullSet({ accept })).toMatchObject({ downloadedBytes: 0 });
  store = { ...store, hub: { ...store.hub, offline: true } };
  await rm(store.dir, { recursive: true });
  expect(await pullSet({ accept })).toMatchObject({ downloadedBytes: 0 });
  await openModelFolder(join(store.dir, 'toy-set'));
  expect(server.seen.length).toBe(before);
});

it('downloads nothing before the licences are accepted, and shows them first', async () => {
  const asked: unknown[] = [];
  const accept: PullContext['accept'] = async (licences) => {
    asked.push(...licences.map(({ repository, ask, gated }) => [repository, ask, gated]));
    return false;
  };
  await expect(pullSet({ accept })).rejects.toMatchObject({
    code: 'model.licence',
    exitCode: 2,
    details: { hint: expect.stringContaining('--accept-licence') },
  });
  expect(asked).toEqual([
    [base, true, true],
    [control, true, false],
  ]);
  expect(events.map(({ type }) => type)).toEqual(['pull.licences']);
  expect(server.seen).toEqual([]);
});

it('refuses a file that is not the one of the catalog, before a byte of it', async () => {
  repositories[control] = {
    commit: commitOf('b'),
    files: { 'unet.safetensors': Buffer.alloc(unet.length, 1), 'control.safetensors': controlnext },
  };
  await expect(pullSet()).rejects.toMatchObject({
    code: 'hub.other-file',
    details: { expected: expect.stringContaining(sha256(unet)) },
  });
  expect(gets()).toBe(0);
});

it('does not take for the file of the catalog what others have brought under its name', async () => {
  const other = Buffer.alloc(unet.length, 1);
  repositories[control] = {
    commit: commitOf('b'),
    files: { 'unet.safetensors': other, 'control.safetensors': controlnext },
  };
  await pull(`hf:${control}/unet.safetensors`, store, context);
  await expect(pullSet()).rejects.toMatchObject({ code: 'hub.other-file' });
});

it('finds and verifies a model of the catalog in its folder', async () => {
  const dir = join(store.dir, 'controlnext-svd-v2');
  const [file] = catalogModel('controlnext-svd-v2')!.files;
  const source = { as: file!.as, repository: control, commit: commitOf('b'), path: file!.path, hash: file!.sha256 };
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, file!.as), 'not the weights');
  await writeFile(join(dir, 'sources.json'), JSON.stringify({ version: 1, files: [{ ...source, sizeBytes: 15 }] }));
  expect(await locate('controlnext-svd-v2', store)).toBe(join(dir, 'controlnext.safetensors'));
  expect(await presentModels(store)).toEqual(['controlnext-svd-v2']);
  const verified = async () => (await verifyModel('controlnext-svd-v2', store).next()).value;
  expect(await verified()).toMatchObject({
    state: 'damaged',
    expected: file!.sha256,
    got: sha256(Buffer.from('not the weights')),
  });
  await writeFile(join(dir, file!.as), 'cut');
  await expect(locate('controlnext-svd-v2', store)).rejects.toMatchObject({ code: 'model.not-pulled' });
  expect(await verified()).toMatchObject({ state: 'damaged' });
  await rm(join(dir, file!.as));
  expect(await verified()).toMatchObject({ state: 'missing' });
});

it('looks at the free space first', async () => {
  const needed = [...Object.values(files), unet, controlnext].reduce((sum, { length }) => sum + length, 0);
  store = { ...store, freeBytes: async () => needed };
  await expect(pullSet()).rejects.toMatchObject({
    code: 'hub.no-space',
    details: { hint: expect.stringContaining('HF_HOME=') },
  });
  expect(gets()).toBe(0);
  store = { ...store, freeBytes: async () => needed + 100 * 2 ** 20 };
  await pullSet();
});

it('goes offline only with what is there', async () => {
  store = { ...store, hub: { ...store.hub, offline: true } };
  await expect(pullSet()).rejects.toMatchObject({ code: 'hub.offline', exitCode: 2 });
  await expect(pull('hf:toy/model', store, context)).rejects.toMatchObject({ code: 'model.not-pulled' });
  expect(server.seen).toEqual([]);
});

it('goes on after a failure with what has come, and fetches only the rest', async () => {
  server.fault = ({ path, server }) => (server === 'storage' && path.includes('vae/') ? { dropAfter: 500 } : undefined);
  await expect(pullSet()).rejects.toMatchObject({ code: 'hub.unreachable' });
  expect(await isPulled(store, set())).toBe(false);
  server.fault = () => undefined;
  const vae = files['vae/diffusion_pytorch_model.safetensors'] as Buffer;
  const { size } = await stat(join(cacheOf(base), 'blobs', `${sha256(vae)}.incomplete`));
  expect(size).toBeGreaterThan(0);
  server.seen.length = 0;
  await pullSet();
  const again = server.seen.filter(({ path, server }) => server === 'storage' && path.includes('vae/'));
  expect(again.map(({ range }) => range)).toEqual([`bytes=${size}-`]);
  expect(await isPulled(store, set())).toBe(true);
});

it('two at the same model download each file once', async () => {
  server.fault = ({ server }) => (server === 'storage' ? { pace: 20_000_000 } : undefined);
  await Promise.all([pullSet(), pullSet()]);
  const paths = server.seen.filter(({ server }) => server === 'storage').map(({ path }) => path);
  expect(paths.length).toBe(new Set(paths).size);
  await openModelFolder(join(store.dir, 'toy-set'));
});

it('finds damage on request and mends it', async () => {
  await pullSet();
  const blob = await realpath(join(store.dir, 'toy-set', 'controlnext.safetensors'));
  const damaged = Buffer.from(controlnext);
  damaged[100] = (damaged[100] as number) ^ 1;
  await writeFile(blob, damaged);
  expect(await pullSet()).toMatchObject({ downloadedBytes: 0 });
  expect(await pullSet({ check: true })).toMatchObject({ downloadedBytes: controlnext.length });
  expect(sha256(await readFile(join(store.dir, 'toy-set', 'controlnext.safetensors')))).toBe(sha256(controlnext));
});

it('follows a branch only as a whole', async () => {
  await pullSet();
  // Its makers have replaced one file; the other one is gone from this machine.
  const newer = noise(5_000, 3);
  repositories[control] = { commit: commitOf('d'), files: { 'unet.safetensors': unet, 'control.safetensors': newer } };
  await rm(join(cacheOf(control), 'snapshots', commitOf('b'), 'unet.safetensors'));
  await pullSet();
  const pulled = await sourcesOf(store, set());
  expect(new Set(pulled?.slice(-2).map(({ commit }) => commit))).toEqual(new Set([commitOf('d')]));
  expect(sha256(await readFile(join(store.dir, 'toy-set', 'controlnext.safetensors')))).toBe(sha256(newer));
});

it('is pulled again when a newer catalog names other files', async () => {
  await pullSet();
  const { files: all, ...rest } = set();
  const [other] = all.filter(({ sha256 }) => sha256 !== undefined).map((file) => ({ ...file, sha256: 'a'.repeat(64) }));
  expect(await isPulled(store, { ...rest, files: [...all.filter(({ as }) => as !== other?.as), other!] })).toBe(false);
  const fewer = { ...rest, files: all.filter(({ as }) => as !== 'controlnext.safetensors') };
  const { path } = await pullSet({}, fewer);
  expect(await readdir(path)).not.toContain('controlnext.safetensors');
  expect((await openModelFolder(path)).controlnext).toBeUndefined();
});

it('gets a repository by name: what a model needs, and no more', async () => {
  const { path } = await pull('hf:toy/model', store, context);
  expect(path).toBe(join(cacheOf('toy/model'), 'snapshots', commitOf('c')));
  expect((await openModelFolder(path)).controlnext).toBeDefined();
  expect(await locate('hf:toy/model', store)).toBe(path);
  expect(await locate(`hf:toy/model@${commitOf('c')}`, store)).toBe(path);
  expect(await locate('hf:toy/model/controlnext.safetensors', store)).toBe(join(path, 'controlnext.safetensors'));
  await expect(locate('hf:toy/model@other', store)).rejects.toMatchObject({
    code: 'model.not-pulled',
    details: { hint: 'pantomime models pull hf:toy/model@other' },
  });
});

it('gets one file of a repository', async () => {
  const { path } = await pull(`hf:${control}@main/control.safetensors`, store, context);
  expect(sha256(await readFile(path))).toBe(sha256(controlnext));
  expect(await readdir(join(cacheOf(control), 'blobs'))).toEqual([sha256(controlnext)]);
});

it('asks about licences that it does not know', async () => {
  const asked: boolean[] = [];
  const accept: PullContext['accept'] = async (licences) => {
    asked.push(...licences.map(({ ask }) => ask));
    return false;
  };
  await expect(pull(`hf:${control}/control.safetensors`, store, { accept })).rejects.toMatchObject({
    code: 'model.licence',
  });
  await expect(pull('hf:toy/model', store, { accept })).rejects.toMatchObject({ code: 'model.licence' });
  expect(asked).toEqual([true, false]);
});

it('takes no file whose name leads elsewhere', async () => {
  const names = [
    '../../outside.json',
    '/etc/passwd',
    'unet/../../../b',
    'unet\\..\\..\\x',
    'unet//x',
    'C:x',
    '',
    'a\nb',
  ];
  const toy = repositories['toy/model'] as { files: Record<string, Buffer> };
  for (const name of names) toy.files[name] = noise(10);
  const { path } = await pull('hf:toy/model', store, context);
  await openModelFolder(path);
  for (const name of names) expect(server.seen.filter((one) => one.path.endsWith(name) && name !== '')).toEqual([]);
  // Not even the index of the model, where that is what is missing.
  delete toy.files['model_index.json'];
  toy.files['./model_index.json'] = noise(10);
  await expect(pull('hf:toy/model', store, context)).rejects.toMatchObject({ code: 'hub.no-model' });
});

it('refuses a repository that is no model, a list without end, and one that is none', async () => {
  repositories['toy/model'] = { commit: commitOf('c'), files: { 'README.md': noise(10) } };
  await expect(pull('hf:toy/model', store, context)).rejects.toMatchObject({
    code: 'hub.no-model',
    message: expect.stringContaining('unet/diffusion_pytorch_model.safetensors'),
  });
  store = { ...store, limits: { ...store.limits, listBytes: 50 } };
  await expect(pull('hf:toy/model', store, context)).rejects.toMatchObject({ code: 'hub.answer' });
  await expect(pull('hf:nobody/nothing', store, context)).rejects.toMatchObject({ code: 'hub.not-found' });
});

it.each(['hf:', 'hf:one', 'hf:a/b/../c', 'hf:a/b@', 'hf:../..', 'hf:a/b@x..y', 'hf:a--b/c', 'hf:a/b@main//x'])(
  'refuses the name %s',
  async (word) => {
    await expect(pull(word, store, context)).rejects.toMatchObject({ code: 'model.name', exitCode: 2 });
    expect(server.seen).toEqual([]);
  },
);

it('copies where links are not allowed', async () => {
  const refuse = (code: string) => async () => {
    throw Object.assign(new Error(code), { code });
  };
  const { copyFile, link } = await import('node:fs/promises');
  await mkdir(join(folder, 'blobs'));
  await writeFile(join(folder, 'blobs', 'x'), 'content');
  const [hard, copy] = [join(folder, 'a', 'hard'), join(folder, 'a', 'copy')];
  await linkFile(join(folder, 'blobs', 'x'), hard, { symlink: refuse('EPERM'), link, copyFile });
  await linkFile(join(folder, 'blobs', 'x'), copy, { symlink: refuse('EPERM'), link: refuse('EXDEV'), copyFile });
  expect((await lstat(hard)).isFile() && (await lstat(copy)).isFile()).toBe(true);
  expect((await stat(hard)).ino).toBe((await stat(join(folder, 'blobs', 'x'))).ino);
  expect((await stat(copy)).ino).not.toBe((await stat(hard)).ino);
  expect(await readFile(copy, 'utf8')).toBe('content');
  await expect(linkFile(hard, join(folder, 'b'), { symlink: refuse('ENOSPC'), link, copyFile })).rejects.toMatchObject({
    code: 'ENOSPC',
  });
});
