import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { lockFolder } from '#dist/pipeline/folder-lock.js';
import { oneAtATime } from '#dist/pipeline/one-at-a-time.js';
import { openRunStore } from '#dist/pipeline/run-store.js';

const folders: string[] = [];
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-lock-'));
  folders.push(folder);
  file = join(folder, 'lock');
});
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))));

/** The number of a process that has just ended. */
const gonePid = () => spawnSync(process.execPath, ['-e', '']).pid;
const owner = (changes: object) =>
  JSON.stringify({ token: 'other', pid: process.pid, host: hostname(), since: 'before', ...changes });

it('is held by one, and free afterwards', async () => {
  {
    await using lock = await lockFolder(file);
    expect(lock.lost.aborted).toBe(false);
    await expect(lockFolder(file)).rejects.toMatchObject({
      code: 'output.locked',
      details: { where: folder, got: expect.stringContaining(`process ${process.pid} on ${hostname()}`) },
    });
  }
  expect(await readdir(folder)).toEqual([]);
  await using again = await lockFolder(file);
  expect(again.lost.aborted).toBe(false);
});

it('of twenty that want it at once, one gets it', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(file)));
  const got = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(got).toHaveLength(1);
  await got[0]?.[Symbol.asyncDispose]();
});

it.each([
  ['a process that is gone', () => owner({ pid: gonePid() })],
  ['a process whose number another one has now', () => owner({ born: '1' })],
  ['nothing that can be read', () => '{"pid'],
])('is taken over from %s', async (_, content) => {
  await writeFile(file, content());
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(file)));
  const got = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(got).toHaveLength(1);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid });
  await got[0]?.[Symbol.asyncDispose]();
});

it('of another machine is left alone while it is renewed, and taken over a minute later', async () => {
  await writeFile(file, owner({ host: 'elsewhere', pid: 1 }));
  await expect(lockFolder(file)).rejects.toMatchObject({ details: { got: expect.stringContaining('on elsewhere') } });
  const before = new Date(Date.now() - 61_000);
  await utimes(file, before, before);
  await using lock = await lockFolder(file);
  expect(lock.lost.aborted).toBe(false);
});

it('that was taken over meanwhile is not removed', async () => {
  {
    await using _ = await lockFolder(file);
    await writeFile(file, owner({}));
  }
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ token: 'other' });
});

it('protects every run folder, and leaves nothing of it behind', async () => {
  const dir = join(folder, 'run');
  {
    await using store = await openRunStore(dir, { seed: 1 });
    await expect(openRunStore(dir)).rejects.toMatchObject({ code: 'output.locked', exitCode: 2 });
    expect(store.lost.aborted).toBe(false);
  }
  expect(await readdir(folder)).toEqual([]);
});

it('within one process, work of one key waits for the one before, also where that fails', async () => {
  const order: string[] = [];
  const work = (name: string, ms: number, fails = false) =>
    oneAtATime('key', async () => {
      order.push(`${name} begins`);
      await new Promise((done) => setTimeout(done, ms));
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work('a', 20, true), work('b', 10), work('c', 0)]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});
