import { join } from 'node:path';

/** Longest path of a file in a repository. */
const maxPathLength = 400;

/** Whether a text is a commit: 40 hexadecimal digits. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Whether a text is what files are named by in the cache: a SHA-256, or for small files git's own hash. */
export function isContentHash(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** Whether a text is `owner/name` as the Hub allows it. */
export function isRepositoryId(text: string): boolean {
  const part = /^(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,95}$/;
  const parts = text.split('/');
  return parts.length === 2 && parts.every((name) => part.test(name) && !/[.-]$/.test(name));
}

/** Whether a text is a branch, tag or commit. Branches with a slash are left out: they would be paths. */
export function isRevision(text: string): boolean {
  return /^[A-Za-z0-9_][\w.-]{0,99}$/.test(text) && !text.includes('..');
}

/** Whether the path of a file in a repository stays inside whatever folder it is put into, on every system. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.length > maxPathLength) return false;
  return path.split('/').every((part) => /^[^\\:*?"<>|\p{Cc}]{1,200}$/u.test(part) && part !== '.' && part !== '..');
}

/** The places of one repository in the cache, as all programs around the Hub lay them out. */
export type CachedRepository = {
  readonly dir: string;
  /** Content, by its hash. */
  readonly blob: (hash: string) => string;
  /** Content that is on its way. */
  readonly incomplete: (hash: string) => string;
  /** Who is writing it; other programs have names of their own there. */
  readonly lock: (hash: string) => string;
  /** The repository as it was at a commit: links to blobs. */
  readonly snapshot: (commit: string) => string;
  /** Says which commit a branch or tag was. */
  readonly ref: (revision: string) => string;
};

/** @param id `owner/name`, checked. */
export function cachedRepository(cacheDir: string, id: string): CachedRepository {
  const folder = `models--${id.replace('/', '--')}`;
  const dir = join(cacheDir, folder);
  return {
    dir,
    blob: (hash) => join(dir, 'blobs', hash),
    incomplete: (hash) => join(dir, 'blobs', `${hash}.incomplete`),
    lock: (hash) => join(cacheDir, '.locks', folder, `${hash}.pantomime`),
    snapshot: (commit) => join(dir, 'snapshots', commit),
    ref: (revision) => join(dir, 'refs', revision),
  };
}
