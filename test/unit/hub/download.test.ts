import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { download } from '#dist/models/hub/download.js';
import { hubLimits } from '#dist/models/hub/hub-limits.js';
import { remoteFile } from '#dist/models/hub/remote-file.js';
import type { HubAccess } from '#dist/models/hub/request.js';
import { commitOf, type Fault, type HubServer, noise, sha256, startHub } from '../../support/hub-server.js';

const id = 'somebody/model';
const commit = commitOf('a');
const large = noise(300_000);
const small = Buffer.from('{"small": true}\n');

let folder: string;
let server: HubServer;
let hub: HubAccess;
let retries: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-hub-'));
  server = await startHub({ [id]: { commit, files: { 'large.bin': large, 'a folder/small.json': small } } });
  retries = [];
  hub = {
    ...{ endpoint: server.url, token: 'hf_secret', offline: false, cacheDir: folder },
    limits: { ...hubLimits, answerMs: 400, stallMs: 150, retryMs: 5, attempts: 3, faults: 8, maxWaitMs: 2_000 },
    onRetry: ({ what }) => retries.push(what),
  };
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const target = () => ({ file: join(folder, 'whole'), incomplete: join(folder, 'whole.incomplete') });
const get = async (path = 'large.bin') => download(await remoteFile(id, 'main', path, hub), target(), hub);
const whole = async () => sha256(await readFile(join(folder, 'whole')));
/** Faults of the storage, one for each request in turn; none afterwards. */
const storageFaults = (...faults: Fault[]) => {
  server.fault = (request, earlier) =>
    request.server === 'storage' && request.method === 'GET' ? faults[earlier] : undefined;
};
const ranges = () => server.seen.filter((one) => one.server === 'storage').map((one) => one.range);

it('gets a large file from the storage and a small one from the hub, each with the hash that it is named by', async () => {
  await get();
  expect(await whole()).toBe(sha256(large));
  await get('a folder/small.json');
  expect(await whole()).toBe(sha256(small));
  expect(await readdir(folder)).toEqual(['whole']);
});

it('shows its token to the hub only', async () => {
  await get();
  expect(server.seen.map(({ server, method, authorization }) => [server, method, authorization])).toEqual([
    ['hub', 'HEAD', 'Bearer hf_secret'],
    ['hub', 'GET', 'Bearer hf_secret'],
    ['storage', 'GET', undefined],
  ]);
});

it('does not show its token when another server points back to the hub', async () => {
  const back = `${server.url}/${id}/resolve/${commit}/large.bin`;
  server.fault = ({ server, method }, earlier) =>
    server === 'storage' && earlier === 0 && method === 'GET'
      ? { status: 302, headers: { location: back } }
      : undefined;
  await get();
  const gets = server.seen.filter(({ method }) => method === 'GET');
  expect(gets.map(({ server, authorization }) => [server, authorization])).toEqual([
    ['hub', 'Bearer hf_secret'],
    ['storage', undefined],
    ['hub', undefined],
    ['storage', undefined],
  ]);
});

it('goes on after dropped connections where they broke off', async () => {
  storageFaults({ dropAfter: 100_000 }, { dropAfter: 50_000 }, { dropAfter: 50_000 }, { dropAfter: 50_000 });
  await get();
  expect(await whole()).toBe(sha256(large));
  const froms = ranges().map((range) => Number(/\d+/.exec(range ?? '0')?.[0]));
  expect(froms).toHaveLength(5);
  expect(froms[0]).toBe(0);
  for (let i = 1; i < 5; i++) expect(froms[i]).toBeGreaterThan(froms[i - 1] as number);
});

it('goes on with what an earlier process left, and sees when that was damaged', async () => {
  await writeFile(target().incomplete, large.subarray(0, 123_456));
  await get();
  expect(ranges()).toEqual(['bytes=123456-']);
  expect(await whole()).toBe(sha256(large));

  await rm(target().file);
  await writeFile(target().incomplete, noise(1_000, 7));
  await get();
  expect(await whole()).toBe(sha256(large));
  expect(retries).toEqual(['what was sent is not the file that was promised']);
});

it('begins anew where a server knows no ranges, and where more was left than there is', async () => {
  storageFaults({ dropAfter: 100_000 }, { ignoreRange: true });
  await get();
  expect(await whole()).toBe(sha256(large));
  await writeFile(target().incomplete, Buffer.alloc(large.length + 1));
  await get();
  expect(await whole()).toBe(sha256(large));
});

it('needs no byte more where all were left', async () => {
  await writeFile(target().incomplete, large);
  await get();
  expect(ranges()).toEqual([]);
  expect(await whole()).toBe(sha256(large));
});

it('refuses bytes that are not those of the file, and leaves nothing of them', async () => {
  storageFaults({ corrupt: true }, { corrupt: true });
  await expect(get()).rejects.toMatchObject({
    code: 'hub.damaged',
    details: { expected: expect.stringMatching(/^\w{64}$/) },
  });
  expect(await readdir(folder)).toEqual([]);
  expect(ranges()).toEqual([undefined, undefined]);
});

it('refuses more bytes than were promised', async () => {
  storageFaults({ extra: 10 });
  await expect(get()).rejects.toMatchObject({ code: 'hub.answer' });
  expect(await readdir(folder)).not.toContain('whole');
});

it('takes a length that is too small for a dropped connection, and gives up in the end', async () => {
  const short = { headers: { 'content-length': '1000' } };
  server.fault = ({ server, range }) => (server === 'storage' && range === undefined ? short : { dropAfter: 0 });
  await expect(get()).rejects.toMatchObject({ code: 'hub.unreachable' });
  expect(await readdir(folder)).toEqual(['whole.incomplete']);
});

it('refuses another part than the one it asked for', async () => {
  await writeFile(target().incomplete, large.subarray(0, 1_000));
  storageFaults({ headers: { 'content-range': 'bytes 0-99/300000' } });
  await expect(get()).rejects.toMatchObject({ code: 'hub.answer', details: { got: 'bytes 0-99/300000' } });
});

it('ends a server that gives nothing, a little at a time, or never all', async () => {
  server.fault = ({ server }) => (server === 'storage' ? { stallAfter: 1_000 } : undefined);
  await expect(get()).rejects.toMatchObject({ code: 'hub.unreachable' });
  // Each attempt brings a little, so patience lasts; but not for ever.
  expect(ranges()).toHaveLength(8);
});

it('waits as long as a busy server asks, not longer than is sensible', async () => {
  const busy = { status: 429, headers: { 'retry-after': '1' } };
  storageFaults(busy);
  const before = performance.now();
  await get();
  expect(performance.now() - before).toBeGreaterThan(950);
  server.fault = () => ({ status: 429, headers: { 'retry-after': '86400' } });
  await expect(get()).rejects.toMatchObject({ code: 'hub.busy', details: { got: 'wait 86400 s' } });
});

it('tries again what fails with 5xx, and says so when it never ends', async () => {
  storageFaults({ status: 500 }, { status: 503 });
  await get();
  expect(retries).toEqual(['the hub answers 500', 'the hub answers 503']);
  server.fault = () => ({ status: 502 });
  await expect(get()).rejects.toMatchObject({ code: 'hub.unreachable', message: expect.stringContaining('3 times') });
});

it('asks the hub for a new address when the storage refuses the old one', async () => {
  storageFaults({ status: 403 });
  await get();
  expect(await whole()).toBe(sha256(large));
});

it.each([
  [401, 'hub.token-refused', 'settings/tokens'],
  [403, 'hub.not-accepted', 'accept the licence on'],
  [404, 'hub.not-found', 'look at'],
  [451, 'hub.refused', 'look at'],
])('says what to do about status %i', async (status, code, hint) => {
  server.fault = () => ({ status });
  const error = await get().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, details: { hint: expect.stringContaining(hint) } });
  expect(JSON.stringify((error as { details: object }).details)).not.toContain('hf_secret');
  expect((error as { details: { hint: string } }).details.hint).toContain(`${server.url}/`);
  expect(server.seen).toHaveLength(1);
});

it('says where a token comes from when none was given', async () => {
  hub = { ...hub, token: undefined };
  server.fault = () => ({ status: 401, headers: { 'x-error-code': 'GatedRepo' } });
  await expect(get()).rejects.toMatchObject({
    code: 'hub.token-needed',
    details: { got: 'status 401, GatedRepo', hint: expect.stringContaining(`${server.url}/${id}`) },
  });
});

it.each([
  ['an etag that leads elsewhere', { 'x-linked-etag': '"../../../etc/passwd"' }],
  ['no hash', { 'x-linked-etag': '""' }],
  ['a size that is none', { 'x-linked-size': '-5' }],
  ['a size beyond all reason', { 'x-linked-size': '999999999999999' }],
  ['a commit that is none', { 'x-repo-commit': '../..' }],
])('refuses %s', async (_, headers) => {
  server.fault = ({ method }) => (method === 'HEAD' ? { headers } : undefined);
  await expect(get()).rejects.toMatchObject({ code: 'hub.answer' });
  expect(await readdir(folder)).toEqual([]);
});

it.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', 'http://'])('follows no redirect to %s', async (location) => {
  server.fault = ({ method }) => (method === 'GET' ? { headers: { location } } : undefined);
  await expect(get()).rejects.toMatchObject({ code: 'hub.answer' });
});

it('follows only so many redirects', async () => {
  server.fault = ({ path }) => ({ status: 302, headers: { location: path } });
  await expect(get()).rejects.toMatchObject({ code: 'hub.answer' });
  expect(server.seen).toHaveLength(6);
});

it('ends at once when it is told to, and keeps what it has', async () => {
  storageFaults({ pace: 100_000 });
  const abort = new AbortController();
  const reason = new Error('enough');
  const remote = await remoteFile(id, 'main', 'large.bin', hub);
  const ended = download(remote, target(), { ...hub, signal: abort.signal }, (bytes) => {
    if (bytes > 20_000) abort.abort(reason);
  });
  await expect(ended).rejects.toBe(reason);
  const kept = await readFile(target().incomplete);
  expect(kept.length).toBeGreaterThan(20_000);
  expect(sha256(kept)).toBe(sha256(large.subarray(0, kept.length)));
});
