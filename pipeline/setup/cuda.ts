import { access, constants, mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { downloadPackage, type FeedAccess, nugetPackage } from '../../models/nuget/nuget-package.js';
import { type ProviderPackage, providerPackage } from '../../models/runtime/cuda/provider-package.js';
import { bindingFolder } from '../../models/runtime/providers.js';
import { cacheFolder } from '../cache-folder.js';
import { etaEstimator } from '../events.js';
import { lockWhenFree } from '../model-store/lock-when-free.js';
import type { LicenceNotice, PullEvent } from '../model-store/types.js';
import { formatBytes } from '../progress/report-text.js';
import { readCudaRecord, sha512Of, writeCudaRecord } from './cuda-record.js';
import { notThePackage, unpackProvider } from './unpack-provider.js';

export type SetupOptions = {
  readonly access: FeedAccess;
  readonly freeBytes: (folder: string) => Promise<number>;
  /** Asked before anything is downloaded or written, after `pull.licences` has said what it is. */
  readonly accept: () => Promise<boolean>;
  readonly onEvent?: (event: PullEvent) => void;
  readonly signal?: AbortSignal | undefined;
  /** A package that is on this machine already: no network is used. */
  readonly from?: string | undefined;
  /** SHA-512 that the package must have, hex or base64. */
  readonly sha512?: string | undefined;
  /** Service index of another NuGet feed, e.g. a mirror. */
  readonly feed?: string | undefined;
  /** Where onnxruntime looks. */
  readonly folder?: string | undefined;
  /** What to install; what the installed onnxruntime-node names when left out. */
  readonly wanted?: ProviderPackage | undefined;
};

export type SetupResult = { readonly folder: string; readonly installed: boolean; readonly downloadedBytes: number };

/** A package, and what says that it is the right one. */
type Source = {
  readonly where: string;
  readonly sizeBytes: number;
  readonly sha512: string;
  readonly promisedBy: string | null;
};

const spareBytes = 100 * 2 ** 20;
const progressMs = 250;

/**
 * Installs the files that onnxruntime needs for CUDA. The package is downloaded into the cache (from where an earlier attempt
 * stopped), compared with the SHA-512 that its feed publishes, unpacked and removed. Where the files are there already, nothing
 * is done. Throws PantomimeError `cuda.*` and `nuget.*`.
 */
export async function setupCuda(options: SetupOptions): Promise<SetupResult> {
  const { signal, onEvent = () => {}, folder = bindingFolder(), wanted = providerPackage() } = options;
  const name = `${wanted.id} ${wanted.version}`;
  await requireWritable(folder);
  const downloads = join(cacheFolder(), 'downloads');
  await mkdir(downloads, { recursive: true });
  await using _ = await lockWhenFree(join(downloads, 'lock'), signal, () =>
    onEvent({ type: 'note', level: 'info', message: 'another process installs it; waiting' }),
  );
  const there = await readCudaRecord(folder, { thorough: true, signal });
  if (there?.package === name) return { folder, installed: false, downloadedBytes: 0 };

  const kept = join(downloads, `${wanted.id}.${wanted.version}.nupkg`.toLowerCase());
  const { source, fetch } = options.from
    ? await localPackage(options, wanted)
    : await remotePackage(options, wanted, kept);
  onEvent({ type: 'pull.licences', licences: [noticeOf(wanted, source, folder)] });
  if (!(await options.accept())) throw notAccepted();
  const { file, downloadedBytes } = await fetch();
  const files = await unpackProvider(file, wanted, folder, {
    signal,
    onSize: (bytes) => requireSpace(folder, bytes, options),
  });
  const { where, sha512, promisedBy } = source;
  await writeCudaRecord(folder, {
    ...{ package: name, source: where, sha512, promisedBy },
    ...{ installedAt: new Date().toISOString(), files },
  });
  await rm(kept, { force: true });
  return { folder, installed: true, downloadedBytes };
}

type Found = {
  readonly source: Source;
  readonly fetch: () => Promise<{ readonly file: string; readonly downloadedBytes: number }>;
};

/** A file that is there; its hash is compared with one only where `sha512` was given. */
async function localPackage({ from, sha512: given, signal }: SetupOptions, wanted: ProviderPackage): Promise<Found> {
  const where = resolve(from as string);
  const there = await stat(where).catch(() => undefined);
  if (!there?.isFile()) throw notThePackage(where, 'there is no such file', undefined, wanted);
  const sha512 = await sha512Of(where, signal);
  const promised = given === undefined ? undefined : hexOf(given);
  if (promised !== undefined && promised !== sha512)
    throw notThePackage(where, 'its SHA-512 is not the one of --sha512', sha512, wanted);
  const source = { where, sizeBytes: there.size, sha512, promisedBy: promised ? '--sha512' : null };
  return { source, fetch: async () => ({ file: where, downloadedBytes: 0 }) };
}

async function remotePackage(options: SetupOptions, wanted: ProviderPackage, kept: string): Promise<Found> {
  const { signal, onEvent = () => {}, feed = wanted.feed, sha512 } = options;
  const access: FeedAccess = {
    ...{ ...options.access, signal },
    onRetry: ({ what, attempt, waitMs }) =>
      onEvent({ type: 'note', level: 'info', message: `${what}; attempt ${attempt} in ${Math.ceil(waitMs / 1000)} s` }),
  };
  const remote = await nugetPackage(wanted.id, wanted.version, feed, access);
  if (sha512 !== undefined && hexOf(sha512) !== remote.hash)
    throw notThePackage(remote.url, 'the feed has one with another SHA-512 than --sha512', remote.hash, wanted);
  const source = {
    ...{ where: remote.url, sizeBytes: remote.sizeBytes, sha512: remote.hash },
    promisedBy: sha512 === undefined ? `the catalog of ${new URL(feed).host}` : '--sha512',
  };
  const incomplete = `${kept}.incomplete`;
  return {
    source,
    async fetch() {
      if ((await sizeOf(kept)) === remote.sizeBytes && (await sha512Of(kept, signal)) === remote.hash)
        return { file: kept, downloadedBytes: 0 };
      const begun = (await sizeOf(incomplete)) ?? 0;
      const missingBytes = Math.max(0, remote.sizeBytes - begun);
      await requireSpace(cacheFolder(), missingBytes, options);
      onEvent({ type: 'pull.start', files: 1, missingBytes });
      const tell = progressOf(begun, remote.sizeBytes, onEvent);
      await downloadPackage(remote, { file: kept, incomplete }, feed, access, tell);
      return { file: kept, downloadedBytes: missingBytes };
    },
  };
}

function progressOf(
  begun: number,
  totalBytes: number,
  onEvent: (event: PullEvent) => void,
): (doneBytes: number) => void {
  const eta = etaEstimator();
  let toldMs = 0;
  return (doneBytes) => {
    if (performance.now() - toldMs < progressMs && doneBytes < totalBytes) return;
    toldMs = performance.now();
    onEvent({ type: 'pull.progress', doneBytes, totalBytes, etaSec: eta(doneBytes - begun, totalBytes - begun) });
  };
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}

/** What is about to be done, in words. */
function noticeOf({ id, version, files, cudaMajor }: ProviderPackage, source: Source, folder: string): LicenceNotice {
  const { where, sizeBytes, sha512, promisedBy } = source;
  return {
    repository: `${id} ${version}`,
    title: 'ONNX Runtime for CUDA, by Microsoft: MIT licence',
    url: 'https://github.com/microsoft/onnxruntime/blob/main/LICENSE',
    meaning: [
      `From ${where}, ${formatBytes(sizeBytes)}.`,
      promisedBy
        ? `Checked against SHA-512 ${sha512.slice(0, 16)}..., as ${promisedBy} has it.`
        : `Nobody has said which SHA-512 it must have (it has ${sha512.slice(0, 16)}...); --sha512 does.`,
      `Into ${folder}: ${files.map(({ name }) => name).join(', ')}.`,
      `They use an NVIDIA driver, CUDA ${cudaMajor} and cuDNN 9, which are not installed by this and have NVIDIA's own licences.`,
    ],
    ...{ ask: true, gated: false },
  };
}

/** Base64, as NuGet writes it, or hex. */
function hexOf(text: string): string {
  const hex = /^[0-9a-f]{128}$/i.test(text) ? text.toLowerCase() : Buffer.from(text, 'base64').toString('hex');
  if (hex.length === 128) return hex;
  throw new PantomimeError({
    code: 'cuda.hash',
    kind: 'usage',
    what: 'this is no SHA-512',
    where: '--sha512',
    got: text.slice(0, 140),
    expected: '128 hexadecimal digits, or 88 letters of base64',
  });
}

async function requireWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new PantomimeError({
      code: 'cuda.not-writable',
      kind: 'device',
      what: 'the folder of onnxruntime cannot be written',
      where: folder,
      hint: 'the same command by the owner of that folder, e.g. sudo pantomime setup cuda',
      cause,
    });
  });
}

async function requireSpace(folder: string, bytes: number, { freeBytes }: SetupOptions): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= bytes + spareBytes) return;
  throw new PantomimeError({
    code: 'cuda.no-space',
    kind: 'input',
    what: 'there is not enough free disk space',
    where: folder,
    got: `${formatBytes(free)} free`,
    expected: formatBytes(bytes + spareBytes),
    hint: 'free some space (PANTOMIME_CACHE=/ANOTHER/DISK is where downloads go), then the same command',
  });
}

function notAccepted(): PantomimeError {
  return new PantomimeError({
    code: 'cuda.not-accepted',
    kind: 'usage',
    what: 'nothing was downloaded or installed: nobody has said yes',
    hint: 'pantomime setup cuda --yes',
  });
}
