import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hubLimits } from '#dist/models/hub/hub-limits.js';
import { providerPackage } from '#dist/models/runtime/cuda/provider-package.js';
import type { PullEvent } from '#dist/pipeline/model-store/types.js';
import { type SetupOptions, setupCuda } from '#dist/pipeline/setup/cuda.js';
import { type Fault, noise } from '../../support/hub-server.js';
import { type NugetServer, startNuget } from '../../support/nuget-server.js';
import { nuspec, type PackedFile, packZip } from '../../support/nupkg.js';

const [id, version] = ['Some.Runtime.Gpu', '1.30.0'];
const inside = 'runtimes/linux-x64/native';
const cuda = noise(300_000);
const shared = noise(5_000, 2);
const other = { name: 'LICENSE', content: Buffer.from('MIT\n') };
const provider = (change: Partial<PackedFile> = {}): PackedFile => ({
  ...{ name: `${inside}/libcuda.so`, content: cuda },
  ...change,
});
const packed = (...files: PackedFile[]) =>
  packZip([nuspec(id, version), ...files, { name: `${inside}/libshared.so`, content: shared, stored: true }, other]);
const whole = packed(provider());
const file = `${id}.${version}.nupkg`.toLowerCase();

let top: string;
let folder: string;
let server: NugetServer;
let events: PullEvent[];
let options: SetupOptions;
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'pantomime-setup-'));
  folder = join(top, 'bin');
  await mkdir(folder);
  process.env.PANTOMIME_CACHE = join(top, 'cache');
  server = await startNuget(id, version, whole);
  events = [];
  options = {
    folder,
    wanted: {
      ...{ id, version, feed: server.feed, cudaMajor: 12 },
      files: ['libcuda.so', 'libshared.so'].map((name) => ({ name, entry: `${inside}/${name}` })),
    },
    access: {
      offline: false,
      limits: { ...hubLimits, answerMs: 1_000, stallMs: 500, retryMs: 5, attempts: 3, faults: 8 },
    },
    freeBytes: async () => 1e12,
    accept: async () => true,
    onEvent: (event) => events.push(event),
  };
});
afterEach(async () => {
  delete process.env.PANTOMIME_CACHE;
  await server[Symbol.asyncDispose]();
  await rm(top, { recursive: true, force: true });
});

const gets = () => server.seen.filter((line) => line.includes('.nupkg'));
const faults = (...list: Fault[]) => {
  server.fault = (earlier) => list[earlier];
};
const downloads = () => readdir(join(top, 'cache', 'downloads'));
const installed = ['libcuda.so', 'libshared.so', 'pantomime-cuda.json'];
async function expectInstalled() {
  expect((await readdir(folder)).sort()).toEqual(installed);
  expect((await readFile(join(folder, 'libcuda.so'))).equals(cuda)).toBe(true);
  expect((await readFile(join(folder, 'libshared.so'))).equals(shared)).toBe(true);
}

it('says what, from where, how large, under which licence; downloads, checks, unpacks; the second time does nothing', async () => {
  let asked = 0;
  const accept = async () => {
    expect(gets()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
    asked++;
    return true;
  };
  expect(await setupCuda({ ...options, accept })).toEqual({
    ...{ folder, installed: true, downloadedBytes: whole.length },
  });
  await expectInstalled();
  const notice = events.find((event) => event.type === 'pull.licences')?.licences[0];
  expect(notice?.repository).toBe(`${id} ${version}`);
  const words = [notice?.title, ...(notice?.meaning ?? [])].join(' ');
  const sha512 = createHash('sha512').update(whole).digest('hex');
  for (const part of [`/${file}`, '1 MB', 'MIT', sha512.slice(0, 16), new URL(server.feed).host, folder, 'CUDA 12'])
    expect(words).toContain(part);
  const record = JSON.parse(await readFile(join(folder, 'pantomime-cuda.json'), 'utf8'));
  expect(record).toMatchObject({ package: `${id} ${version}`, sha512, promisedBy: expect.stringContaining('catalog') });
  expect(await downloads()).toEqual([]);

  server.seen.length = 0;
  expect(await setupCuda({ ...options, accept })).toMatchObject({ installed: false });
  expect([server.seen, asked]).toEqual([[], 1]);

  await writeFile(join(folder, 'libshared.so'), noise(shared.length, 3));
  expect(await setupCuda(options)).toMatchObject({ installed: true });
  await expectInstalled();
});

it('nothing is downloaded or written without a yes', async () => {
  const refused = setupCuda({ ...options, accept: async () => false });
  await expect(refused).rejects.toMatchObject({
    code: 'cuda.not-accepted',
    details: { hint: 'pantomime setup cuda --yes' },
  });
  expect([gets(), await readdir(folder)]).toEqual([[], []]);
});

it('goes on after dropped connections where they broke off', async () => {
  faults({ dropAfter: 100_000 }, { dropAfter: 50_000 });
  await setupCuda(options);
  await expectInstalled();
  expect(gets()).toHaveLength(3);
  expect(gets()[0]).not.toContain('bytes=');
  expect(gets()[2]).toMatch(/bytes=\d{5,}-$/);
});

it('refuses corrupt bytes, and leaves nothing of them', async () => {
  faults({ corrupt: true }, { corrupt: true });
  await expect(setupCuda(options)).rejects.toMatchObject({ code: 'nuget.damaged', kind: 'device' });
  expect([await readdir(folder), await downloads()]).toEqual([[], []]);
});

it.each([
  ['more than promised', { packageSize: whole.length - 10 }, 'nuget.answer'],
  ['less than promised', { packageSize: whole.length + 10 }, 'nuget.unreachable'],
  ['no hash', { packageHash: undefined }, 'nuget.answer'],
  ['a hash that is none', { packageHash: 'AAAA' }, 'nuget.answer'],
  ['a hash of another kind', { packageHashAlgorithm: 'SHA256' }, 'nuget.answer'],
  ['no size', { packageSize: -1 }, 'nuget.answer'],
])('refuses a feed that sends or publishes %s', async (_, change, code) => {
  server.publish = (entry) => ({ ...entry, ...change });
  const error = await setupCuda(options).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, details: { hint: expect.stringContaining('--from') } });
  expect(await readdir(folder)).toEqual([]);
});

it('what was killed half way goes on where it was', async () => {
  server.fault = () => ({ pace: 400_000 });
  const program = `
    import { setupCuda } from '#dist/pipeline/setup/cuda.js';
    const { options } = JSON.parse(process.argv[1]);
    const onEvent = (event) => event.type === 'pull.progress' && process.stdout.write(event.doneBytes + '\\n');
    await setupCuda({ ...options, onEvent, accept: async () => true, freeBytes: async () => 1e12 });`;
  const words = ['--input-type=module', '-e', program, JSON.stringify({ options })];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const text of child.stdout) if (Number(String(text).trim().split('\n').at(-1)) > 60_000) break;
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const { size } = await stat(join(top, 'cache', 'downloads', `${file}.incomplete`));
  expect(size).toBeGreaterThan(60_000);
  // As if it had been killed while it unpacked, too.
  await writeFile(join(folder, '.libcuda.so.part'), 'half');
  server.fault = () => undefined;
  server.seen.length = 0;
  const { downloadedBytes } = await setupCuda(options);
  expect(downloadedBytes).toBe(whole.length - size);
  expect(gets()).toEqual([`GET /flat/${id.toLowerCase()}/${version}/${file} bytes=${size}-`]);
  await expectInstalled();
});

it('a download that was whole is not repeated, unless it was damaged since', async () => {
  await mkdir(join(top, 'cache', 'downloads'), { recursive: true });
  await writeFile(join(top, 'cache', 'downloads', file), whole);
  expect(await setupCuda(options)).toMatchObject({ downloadedBytes: 0 });
  await rm(join(folder, 'libcuda.so'));
  await writeFile(join(top, 'cache', 'downloads', file), noise(whole.length));
  expect(await setupCuda(options)).toMatchObject({ downloadedBytes: whole.length });
  await expectInstalled();
});

it('is refused where there is no room, before a byte is sent', async () => {
  const tight = setupCuda({ ...options, freeBytes: async () => 1e6 });
  await expect(tight).rejects.toMatchObject({ code: 'cuda.no-space' });
  expect(gets()).toEqual([]);
});

describe('a package from a file', () => {
  const from =
    (content: Buffer, more: Partial<SetupOptions> = {}) =>
    async () => {
      const path = join(top, 'given.nupkg');
      await writeFile(path, content);
      return setupCuda({ ...options, access: { ...options.access, offline: true }, from: path, ...more });
    };

  it('needs no network, and is compared with the hash that was given', async () => {
    const hash = createHash('sha512').update(whole).digest();
    await expect(from(whole, { sha512: '00'.repeat(64) })()).rejects.toMatchObject({ code: 'cuda.package' });
    await expect(from(whole, { sha512: 'abc' })()).rejects.toMatchObject({ code: 'cuda.hash', kind: 'usage' });
    await from(whole, { sha512: hash.toString('base64') })();
    await expectInstalled();
    expect(server.seen).toEqual([]);
    expect(JSON.stringify(events)).toContain('--sha512 has it');
    expect(await readFile(join(top, 'given.nupkg'))).toEqual(whole);
  });

  it('says where nobody has named a hash', async () => {
    await from(whole)();
    expect(JSON.stringify(events)).toContain('Nobody has said which SHA-512 it must have');
    expect(JSON.parse(await readFile(join(folder, installed[2] as string), 'utf8'))).toMatchObject({
      promisedBy: null,
    });
  });

  it('without it, offline means offline', async () => {
    const offline = setupCuda({ ...options, access: { ...options.access, offline: true } });
    await expect(offline).rejects.toMatchObject({ code: 'nuget.offline' });
    expect(server.seen).toEqual([]);
  });

  const evil = Buffer.from('evil');
  it.each<[string, Buffer, string]>([
    ['a name that leads out', packed(provider(), { name: '../../evil', content: evil }), 'leads out of it'],
    ['an absolute name', packed(provider(), { name: '/etc/evil', content: evil }), 'leads out of it'],
    ['a name with a backslash', packed(provider(), { name: '..\\evil', content: evil }), 'leads out of it'],
    [
      'a link instead of a file',
      packed(provider({ mode: 0o120777, content: Buffer.from('/etc/passwd') })),
      'is a link',
    ],
    ['a file twice', packed(provider(), provider()), 'is there twice'],
    ['a wrong CRC', packed(provider({ listedCrc: 1 })), 'its CRC is another one'],
    ['more than it promises', packed(provider({ listedBytes: 1_000 })), 'it has more than its 1000 bytes'],
    ['less than it promises', packed(provider({ listedBytes: 400_000 })), 'it has less than its 400000 bytes'],
    ['what does not inflate', packed(provider({ packed: noise(5_000, 9) })), 'it cannot be inflated'],
    ['half of a deflated file', packed(provider({ packed: deflateRawSync(cuda).subarray(0, 9_000) })), 'damaged'],
    ['no such file', packed(), 'it does not hold runtimes/linux-x64/native/libcuda.so'],
    ['another package', packZip([nuspec('Another', version), provider()]), `it does not hold ${id}.nuspec`],
    ['another version', packZip([nuspec(id, '1.22.0'), provider()]), `it calls itself ${id} 1.22.0`],
    ['its end cut off', whole.subarray(0, -30), 'directory'],
    ['no ZIP', noise(10_000), 'does not end with the directory of a ZIP'],
    ['nothing', Buffer.of(), 'ends too early'],
  ])('is refused with %s, and nothing is installed', async (_, content, words) => {
    await symlink('/etc', join(top, 'etc'));
    await writeFile(join(folder, 'libcuda.so'), 'the one before');
    await expect(from(content)()).rejects.toMatchObject({
      code: 'cuda.package',
      message: expect.stringContaining(words),
    });
    expect(await readdir(folder)).toEqual(['libcuda.so']);
    expect(await readFile(join(folder, 'libcuda.so'), 'utf8')).toBe('the one before');
    expect((await readdir(top)).sort()).toEqual(['bin', 'cache', 'etc', 'given.nupkg']);
  });
});

it('knows by onnxruntime-node itself what belongs to it', () => {
  const { version: runtime } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  expect(providerPackage()).toMatchObject({
    ...{ id: 'Microsoft.ML.OnnxRuntime.Gpu.Linux', version: runtime, cudaMajor: 12 },
    feed: 'https://api.nuget.org/v3/index.json',
    files: [{ name: 'libonnxruntime_providers_shared.so' }, { name: 'libonnxruntime_providers_cuda.so' }],
  });
});
