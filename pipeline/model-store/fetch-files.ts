import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { PantomimeError } from '../../models/errors.js';
import { cachedRepository, isCommit } from '../../models/hub/cache-layout.js';
import { download } from '../../models/hub/download.js';
import { type RemoteFile, remoteFile } from '../../models/hub/remote-file.js';
import type { HubAccess } from '../../models/hub/request.js';
import { etaEstimator } from '../events.js';
import { linkFile } from './link-file.js';
import { lockWhenFree } from './lock-when-free.js';
import type { ModelStore, PullEvent, WantedFile } from './types.js';

/** Files that are downloaded at a time. */
const filesAtATime = 4;
const progressMs = 250;
/** Left free on the disk. */
const spareBytes = 100 * 2 ** 20;

export type Fetched = {
  /** Bytes that came over the network. */
  readonly bytes: number;
  /** Which commit each file is of, in the order in which they were asked for. */
  readonly commits: readonly string[];
};

type Emit = (event: PullEvent) => void;

/**
 * Downloads files into the cache of the Hub, several at a time. Hashes, sizes and the room on the disk are looked at before the
 * first byte. The first failure ends the others; what has come is kept for the next attempt. Throws PantomimeError.
 */
export async function fetchFiles(
  files: readonly WantedFile[],
  store: ModelStore,
  access: HubAccess,
  emit: Emit,
): Promise<Fetched> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(access.signal ? [access.signal] : [])]);
  const hub = { ...access, signal };
  const queue = new PQueue({ concurrency: filesAtATime });
  try {
    const asker = remoteFiles(hub);
    const remotes = await queue.addAll(files.map((file) => () => asker(file)));
    const begun = await Promise.all(files.map((file, i) => bytesThere(store, file, remotes[i] as RemoteFile)));
    const tally = progressTally(begun, remotes, emit);
    await requireSpace(store, tally.missingBytes);
    emit({ type: 'pull.start', files: files.length, missingBytes: tally.missingBytes });
    await queue.addAll(
      files.map(
        (file, i) => () =>
          fetchOne(file, remotes[i] as RemoteFile, store, hub, emit, (bytes) => tally.advance(i, bytes)),
      ),
    );
    return { bytes: tally.missingBytes, commits: remotes.map(({ commit }) => commit) };
  } catch (error) {
    failed.abort(error);
    await queue.onIdle();
    throw error;
  }
}

/** Asks for one file after the other; all files of a repository are taken from one commit, whatever its branch does meanwhile. */
function remoteFiles(hub: HubAccess): (file: WantedFile) => Promise<RemoteFile> {
  const commits = new Map<string, Promise<string>>();
  return async (file) => {
    const { repository, revision, path } = file;
    if (isCommit(revision)) return asCatalogued(file, await remoteFile(repository, revision, path, hub));
    const known = commits.get(repository);
    const first = known ? undefined : remoteFile(repository, revision, path, hub);
    if (first)
      commits.set(
        repository,
        first.then(({ commit }) => commit),
      );
    return asCatalogued(file, await (first ?? remoteFile(repository, await (known as Promise<string>), path, hub)));
  };
}

/** Refuses anything else than the catalog names. */
function asCatalogued({ sizeBytes, sha256 }: WantedFile, remote: RemoteFile): RemoteFile {
  const sameSize = sizeBytes === undefined || sizeBytes === remote.sizeBytes;
  if (sameSize && (sha256 === undefined || sha256 === remote.hash)) return remote;
  throw new PantomimeError({
    code: 'hub.other-file',
    kind: 'model',
    what: 'the hub has another file than the catalog of pantomime names; nothing was downloaded',
    where: remote.url,
    got: `${remote.sizeBytes} bytes, hash ${remote.hash}`,
    expected: [sizeBytes && `${sizeBytes} bytes`, sha256 && `SHA-256 ${sha256}`].filter(Boolean).join(', '),
    hint: 'is HF_ENDPOINT right? If its makers have replaced the file, a newer pantomime may know it',
  });
}

/** How much of a file is there: all of it, brought by another model, or what an earlier attempt has left. */
async function bytesThere(store: ModelStore, file: WantedFile, { hash, sizeBytes }: RemoteFile): Promise<number> {
  const { blob, incomplete } = cachedRepository(store.hub.cacheDir, file.repository);
  if ((await sizeOf(blob(hash))) === sizeBytes) return sizeBytes;
  return Math.min((await sizeOf(incomplete(hash))) ?? 0, sizeBytes);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

/** Adds up what is there of all files, and tells it now and then. */
function progressTally(begun: readonly number[], remotes: readonly RemoteFile[], emit: Emit) {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  const totalBytes = sum(remotes.map(({ sizeBytes }) => sizeBytes));
  const there = [...begun];
  const missingBytes = totalBytes - sum(begun);
  const eta = etaEstimator();
  let toldMs = 0;
  return {
    missingBytes,
    advance: (file: number, bytes: number) => {
      there[file] = bytes;
      const doneBytes = sum(there);
      if (performance.now() - toldMs < progressMs && doneBytes < totalBytes) return;
      toldMs = performance.now();
      const etaSec = eta(doneBytes - (totalBytes - missingBytes), missingBytes);
      emit({ type: 'pull.progress', doneBytes, totalBytes, etaSec });
    },
  };
}

async function requireSpace(store: ModelStore, missingBytes: number): Promise<void> {
  const free = await store.freeBytes(store.hub.cacheDir);
  if (missingBytes === 0 || free >= missingBytes + spareBytes) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new PantomimeError({
    code: 'hub.no-space',
    kind: 'input',
    what: 'there is not enough free disk space for the model; nothing was downloaded',
    where: store.hub.cacheDir,
    got: `${megabytes(free)} free`,
    expected: megabytes(missingBytes + spareBytes),
    hint: 'free some space, or HF_HOME=/ANOTHER/DISK and the same command',
  });
}

/** One file, by one process at a time. */
async function fetchOne(
  { repository, path }: WantedFile,
  remote: RemoteFile,
  store: ModelStore,
  hub: HubAccess,
  emit: Emit,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { hash, sizeBytes, commit } = remote;
  const cache = cachedRepository(store.hub.cacheDir, repository);
  const tell = (state: 'begun' | 'waiting' | 'done') => emit({ type: 'pull.file', path, sizeBytes, state });
  await using lock = await lockWhenFree(cache.lock(hash), hub.signal, () => tell('waiting'));
  if ((await sizeOf(cache.blob(hash))) !== sizeBytes) {
    tell('begun');
    const signal = AbortSignal.any([lock.lost, ...(hub.signal ? [hub.signal] : [])]);
    await download(remote, { file: cache.blob(hash), incomplete: cache.incomplete(hash) }, { ...hub, signal }, onBytes);
  }
  onBytes(sizeBytes);
  await linkFile(cache.blob(hash), join(cache.snapshot(commit), path));
  tell('done');
}
