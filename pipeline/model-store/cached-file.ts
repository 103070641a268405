import { lstat, readlink, realpath, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cachedRepository, isCommit, isContentHash } from '../../models/hub/cache-layout.js';
import { contentHash, hashInto } from '../../models/hub/content-hash.js';
import { readText } from '../files.js';
import type { WantedFile } from './types.js';

type Cache = { readonly hub: { readonly cacheDir: string } };

/** A file of the Hub that lies in the cache. */
export type CachedFile = { readonly path: string; readonly commit: string; readonly sizeBytes: number };

/** Which commit of a repository a revision is, as far as the cache knows. */
export async function cachedCommit(store: Cache, repository: string, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const text = (await readText(cachedRepository(store.hub.cacheDir, repository).ref(revision)))?.trim() ?? '';
  return isCommit(text) ? text : undefined;
}

/** Looks a file up in the cache; undefined when it is not there, or has another size or name than it should. */
export async function cachedFile(store: Cache, wanted: WantedFile): Promise<CachedFile | undefined> {
  const commit = await cachedCommit(store, wanted.repository, wanted.revision);
  if (commit === undefined) return undefined;
  const path = join(cachedRepository(store.hub.cacheDir, wanted.repository).snapshot(commit), wanted.path);
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile() || (wanted.sizeBytes !== undefined && wanted.sizeBytes !== info.size)) return undefined;
  const hash = wanted.sha256 && (await hashByName(path));
  if (hash?.length === 64 && hash !== wanted.sha256) return undefined;
  return { path, commit, sizeBytes: info.size };
}

/** The hash that a file of the cache is named by; undefined where it is a copy, not a link to a blob. */
export async function hashByName(path: string): Promise<string | undefined> {
  const name = basename(await realpath(path));
  return isContentHash(name) ? name : undefined;
}

export type Checked = {
  readonly state: 'right' | 'damaged' | 'unknown';
  readonly expected?: string;
  readonly got?: string;
};

/** Reads a file and compares it with the hashes that are known of it. */
export async function checkFile(
  path: string,
  expected: readonly (string | undefined)[],
  signal?: AbortSignal,
): Promise<Checked> {
  const known = [...new Set(expected.filter((hash) => hash !== undefined))];
  const { size } = await stat(path);
  for (const hash of known) {
    const got = (await hashInto(contentHash(hash, size), path, signal)).digest('hex');
    if (got !== hash) return { state: 'damaged', expected: hash, got };
  }
  return known.length === 0 ? { state: 'unknown' } : { state: 'right', expected: known[0] as string };
}

/** Removes a file of the cache and the content that it is a link to. */
export async function removeCached(path: string): Promise<void> {
  const isLink = (await lstat(path)).isSymbolicLink();
  const target = isLink && isContentHash(basename(await readlink(path))) ? await realpath(path) : undefined;
  await rm(path, { force: true });
  if (target) await rm(target, { force: true });
}
