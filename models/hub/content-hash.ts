import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/**
 * The hash that a file is known by: SHA-512 (128 digits), and on the Hub SHA-256 for large files (64 digits), git's hash of
 * its content for small ones (40 digits: SHA-1 of `blob SIZE`, a zero byte, and the content).
 * @param named a hash of the kind that is wanted. @param sizeBytes of the whole file.
 */
export function contentHash(named: string, sizeBytes: number): Hash {
  if (named.length === 128) return createHash('sha512');
  return named.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
}

/** Adds a file to a hash, as a stream. */
export async function hashInto(hash: Hash, file: string, signal?: AbortSignal): Promise<Hash> {
  for await (const block of createReadStream(file, { highWaterMark: 1 << 20, ...(signal && { signal }) }))
    hash.update(block as Buffer);
  return hash;
}
