import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { openLedger, readLedgers } from '#dist/pipeline/batch/ledger.js';

const folders: string[] = [];
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-ledger-'));
  folders.push(folder);
  path = join(folder, 'manifest.jsonl');
});
afterAll(() => Promise.all(folders.map((dir) => rm(dir, { recursive: true, force: true }))));

const lines = async () => (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');

it('keeps every line and knows the last of each clip', async () => {
  const ledger = await openLedger(path);
  await Promise.all([
    ledger.add({ clip: 'a', state: 'started', attempt: 1 }),
    ledger.add({ clip: 'b', state: 'started', attempt: 1 }),
    ledger.add({ clip: 'a', state: 'done', attempt: 1, key: 'k' }),
  ]);
  expect(await lines()).toHaveLength(3);
  const { last } = await openLedger(path);
  expect(last.get('a')).toMatchObject({ state: 'done', key: 'k' });
  expect(last.get('b')).toMatchObject({ state: 'started' });
});

it('a line that a killed writer has left unfinished takes no other with it', async () => {
  await (await openLedger(path)).add({ clip: 'a', state: 'done', attempt: 1 });
  await appendFile(path, '{"v":1,"clip":"b","state":"do');
  const ledger = await openLedger(path);
  expect([...ledger.last.keys()]).toEqual(['a']);
  await ledger.add({ clip: 'c', state: 'failed', attempt: 3 });
  expect([...(await openLedger(path)).last.keys()]).toEqual(['a', 'c']);
});

it.each(['removed', 'emptied'])('one that is %s while it is open is written anew with all it knew', async (how) => {
  const ledger = await openLedger(path);
  await ledger.add({ clip: 'a', state: 'done', attempt: 1 });
  if (how === 'removed') await rm(folder, { recursive: true });
  else await truncate(path);
  await ledger.add({ clip: 'b', state: 'done', attempt: 1 });
  await ledger.add({ clip: 'c', state: 'done', attempt: 1 });
  expect([...(await openLedger(path)).last.keys()]).toEqual(['a', 'b', 'c']);
  expect(await lines()).toHaveLength(3);
});

it('passes over what is no line of a ledger', async () => {
  const foreign = [
    'null',
    '7',
    '{"v":2,"clip":"a","state":"done","attempt":1}',
    '{"v":1,"clip":7}',
    '}',
    'x'.repeat(300_000),
  ];
  await writeFile(path, foreign.join('\n'));
  expect((await openLedger(path)).last.size).toBe(0);
});

it('those of all machines are read together', async () => {
  await (await openLedger(path)).add({ clip: 'a', state: 'done', attempt: 1 });
  await (await openLedger(join(folder, 'manifest-2-of-3.jsonl'))).add({ clip: 'b', state: 'failed', attempt: 1 });
  expect([...(await readLedgers(folder)).keys()].sort()).toEqual(['a', 'b']);
  expect((await readLedgers(join(folder, 'none'))).size).toBe(0);
});
