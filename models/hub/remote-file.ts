import { isCommit, isContentHash } from './cache-layout.js';
import { ask, badAnswer, type HubAccess, patiently } from './request.js';

/** What is known of a file before it is sent. */
export type RemoteContent = {
  /** Where it is to be had, on the server itself. */
  readonly url: string;
  /** SHA-256 (64 hex digits), SHA-512 (128), or git's hash (40) for small files of a hub. */
  readonly hash: string;
  readonly sizeBytes: number;
};

/** A file of a hub. */
export type RemoteFile = RemoteContent & {
  /** What the revision that was asked for is. */
  readonly commit: string;
};

/** Asks for hash and size of one file. @param id `owner/name`, @param path and revision: all checked before. */
export async function remoteFile(id: string, revision: string, path: string, hub: HubAccess): Promise<RemoteFile> {
  const url = fileUrl(hub.endpoint, id, revision, path);
  const { headers, status } = await patiently(url, hub, () => ask(url, { method: 'HEAD' }, hub));
  const commit = headers.get('x-repo-commit') ?? (isCommit(revision) ? revision : '');
  if (!isCommit(commit)) throw badAnswer(url, 'it names no commit');
  const hash = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
  if (!isContentHash(hash))
    throw badAnswer(url, 'it names no hash of the file', `etag ${JSON.stringify(hash.slice(0, 80))}`);
  // The length of an answer that redirects is not that of the file.
  const size = headers.get('x-linked-size') ?? (status < 300 ? headers.get('content-length') : null) ?? '';
  const sizeBytes = /^\d{1,15}$/.test(size) ? Number(size) : Number.NaN;
  if (!(sizeBytes <= hub.limits.fileBytes))
    throw badAnswer(url, 'it names no size, or too large a one', size.slice(0, 40));
  return { url: fileUrl(hub.endpoint, id, commit, path), commit, hash, sizeBytes };
}

function fileUrl(endpoint: string, id: string, revision: string, path: string): string {
  return `${endpoint}/${id}/resolve/${revision}/${path.split('/').map(encodeURIComponent).join('/')}`;
}
