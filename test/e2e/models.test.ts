import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ModelState } from '#dist/pipeline/model-store/model-states.js';
import { commitOf, type HubServer, noise, sha256, startHub } from '../support/hub-server.js';
import { eventsOf, makeFolder, removeFolder, sample, start } from './program.js';

const fixture = 'test/fixtures/model';
const name = 'hf:toy/model';

let folder: string;
let server: HubServer;
let env: NodeJS.ProcessEnv;
let large: Buffer;
beforeEach(async () => {
  folder = await makeFolder();
  const files: Record<string, Buffer> = {};
  for (const path of await readdir(fixture, { recursive: true }))
    if ((await stat(join(fixture, path))).isFile()) files[path] = await readFile(join(fixture, path));
  large = noise(2_000_000);
  server = await startHub({
    'toy/model': { commit: commitOf('c'), files, licence: 'research-only', gated: true },
    'toy/file': { commit: commitOf('e'), files: { 'large.bin': large }, licence: 'apache-2.0' },
  });
  env = {
    ...{ HF_ENDPOINT: server.url, HF_TOKEN: 'hf_secret', HF_HOME: join(folder, 'hf'), HF_HUB_CACHE: '' },
    ...{ HF_HUB_OFFLINE: '', PANTOMIME_CACHE: join(folder, 'cache') },
  };
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await removeFolder(folder);
});

const models = (...words: string[]) => start(['models', ...words], env).ended;
const plan = (...words: string[]) => start(['plan', sample.image, sample.video, '--json', ...words], env).ended;
const modelOf = (stdout: string) => (eventsOf(stdout)[0] as unknown as { model: Record<string, unknown> }).model;

it('a model is pulled once its licence is accepted, and then runs by its name without any network', async () => {
  const refused = await models('pull', name);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('toy/model: research-only');
  expect(refused.stderr).toContain(`pantomime models pull ${name} --accept-licence`);
  expect((await plan('--model', name)).stderr).toContain(`hint pantomime models pull ${name}`);

  const pulled = await models('pull', name, '--accept-licence');
  expect(pulled.code).toBe(0);
  const path = pulled.stdout.trim();
  expect((await models('path', name)).stdout.trim()).toBe(path);
  expect(pulled.stdout + pulled.stderr).not.toContain('secret');

  const before = server.seen.length;
  const planned = await plan('--model', name);
  expect(modelOf(planned.stdout)).toMatchObject({ dir: path, controlnext: true });
  const apart = await plan('--model', fixture, '--controlnext', `${name}/controlnext.safetensors`);
  expect(modelOf(apart.stdout)).toMatchObject({ controlnext: true });
  await writeFile(join(folder, 'my.yaml'), `model: ${name}\n`);
  expect(modelOf((await plan('--config', join(folder, 'my.yaml'))).stdout)).toMatchObject({ dir: path });
  expect(server.seen.length).toBe(before);
});

it('a pull that was killed goes on where it was', async () => {
  server.fault = ({ server }) => (server === 'storage' ? { pace: 500_000 } : undefined);
  const word = 'hf:toy/file/large.bin';
  const running = start(['models', 'pull', word, '--json'], env);
  await running.until(({ type, doneBytes }) => type === 'pull.progress' && Number(doneBytes) > 200_000);
  process.kill(running.pid, 'SIGKILL');
  await running.ended;
  const blobs = join(folder, 'hf', 'hub', 'models--toy--file', 'blobs');
  const { size } = await stat(join(blobs, `${sha256(large)}.incomplete`));
  expect(size).toBeGreaterThan(200_000);
  server.fault = () => undefined;
  server.seen.length = 0;
  const again = await models('pull', word);
  expect(again.code).toBe(0);
  expect(server.seen.filter(({ server }) => server === 'storage').map(({ range }) => range)).toEqual([
    `bytes=${size}-`,
  ]);
  expect(sha256(await readFile(again.stdout.trim()))).toBe(sha256(large));
  expect(await readdir(blobs)).toEqual([sha256(large)]);
});

it('Ctrl-C ends a pull in order', async () => {
  server.fault = ({ server }) => (server === 'storage' ? { pace: 200_000 } : undefined);
  const running = start(['models', 'pull', 'hf:toy/file/large.bin', '--json'], env);
  await running.until(({ type }) => type === 'pull.progress');
  process.kill(running.pid, 'SIGINT');
  const { code, stdout } = await running.ended;
  expect(code).toBe(130);
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'run.error', code: 'run.interrupted' });
  expect(await readdir(join(folder, 'hf', 'hub', '.locks', 'models--toy--file'))).toEqual([]);
});

it('two processes at the same file download it once', async () => {
  server.fault = ({ server }) => (server === 'storage' ? { pace: 1_000_000 } : undefined);
  const ended = await Promise.all([1, 2].map(() => models('pull', 'hf:toy/file/large.bin', '--json')));
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  expect(server.seen.filter(({ server }) => server === 'storage')).toHaveLength(1);
  const events = ended.flatMap(({ stdout }) => eventsOf(stdout));
  expect(events.filter(({ type, state }) => type === 'pull.file' && state === 'waiting')).toHaveLength(1);
});

it('damage is found, said, and mended', async () => {
  const { stdout } = await models('pull', 'hf:toy/file/large.bin');
  expect((await models('verify', 'hf:toy/file/large.bin')).stdout).toBe('1 files are right\n');
  await writeFile(stdout.trim(), noise(large.length, 2));
  const damaged = await models('verify', 'hf:toy/file/large.bin', '--json');
  expect(damaged.code).toBe(4);
  expect(eventsOf(damaged.stdout).map(({ type, state, code }) => state ?? code ?? type)).toEqual([
    'damaged',
    'model.damaged',
  ]);
  expect((await models('pull', 'hf:toy/file/large.bin', '--check')).code).toBe(0);
  expect((await models('verify', 'hf:toy/file/large.bin')).code).toBe(0);
});

it('models of the catalog and of your own are listed; your own run by name, from files too', async () => {
  const mine = join(folder, 'mine');
  await mkdir(mine);
  await copyFile(join(fixture, 'controlnext.safetensors'), join(mine, 'pose.safetensors'));
  expect((await models('add', 'my-model', fixture, '--licence', 'mine')).code).toBe(0);
  expect((await models('add', 'my-pose', join(mine, 'pose.safetensors'))).code).toBe(0);
  const [list] = eventsOf((await models('list', '--json')).stdout) as unknown as [{ models: ModelState[] }];
  const listed = list.models.map(({ name, state }) => [name, state]);
  expect(listed).toContainEqual(['svd-xt-1.1-controlnext-v2', 'not here']);
  expect(listed).toContainEqual(['my-model', 'here']);
  const table = (await models()).stdout;
  expect(table).toMatch(/svd-xt-1\.1-controlnext-v2 +not here +about 4\.5 GB +--model/);

  await writeFile(join(mine, 'my.yaml'), 'model: my-model\ncontrolnext: my-pose\n');
  const planned = await plan('--config', join(mine, 'my.yaml'));
  expect(modelOf(planned.stdout)).toMatchObject({ dir: join(process.cwd(), fixture), controlnext: true });
  const wrong = await plan('--model', 'controlnext-svd-v2');
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('controlnext-svd-v2 is for --controlnext') });
  await rm(mine, { recursive: true });
  expect(await plan('--controlnext', 'my-pose')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('models add my-pose'),
  });
  expect(server.seen).toEqual([]);
});

it('licences are said in plain words, without any network', async () => {
  const { stdout } = await models('licence', 'svd-xt-1.1-controlnext-v2');
  expect(stdout).toContain('Not for commercial use.');
  expect(stdout).toContain('https://huggingface.co/stabilityai/stable-video-diffusion-img2vid-xt-1-1');
  const [event] = eventsOf((await models('license', 'dwpose', '--json')).stdout);
  expect(event).toMatchObject({ type: 'models.licence', licences: [{ repository: 'yzd-v/DWPose', ask: false }] });
  env = { ...env, HF_HUB_OFFLINE: '1' };
  expect(await models('licence', name)).toMatchObject({ code: 2, stderr: expect.stringContaining('HF_HUB_OFFLINE') });
  expect(server.seen).toEqual([]);
});
