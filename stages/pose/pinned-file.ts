import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { PantomimeError } from '../../models/errors.js';

/** A file, or the bytes from `start` up to `end` of one, and what they must hash to. */
export type PinnedFile = {
  readonly path: string;
  readonly range?: readonly [start: number, end: number] | undefined;
  readonly sha256: string;
};

/**
 * Reads bytes that are known by their hash. A flipped bit in a network's weights loads silently and gives wrong poses, hence
 * the check before every use. Throws a `model` error when the file cannot be read or holds something else.
 */
export async function readPinned({ path, range, sha256 }: PinnedFile, hint: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    await using file = await open(path);
    const [start, end] = range ?? [0, (await file.stat()).size];
    bytes = new Uint8Array(end - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    bytes = bytes.subarray(0, bytesRead);
  } catch (cause) {
    const what = 'a file of the pose models cannot be read';
    throw new PantomimeError({ code: 'pose.asset-missing', kind: 'model', what, where: path, hint, cause });
  }
  const got = createHash('sha256').update(bytes).digest('hex');
  if (got === sha256) return bytes;
  throw new PantomimeError({
    code: 'pose.asset-changed',
    kind: 'model',
    what: `${range ? `bytes ${range[0]} to ${range[1]}` : 'the file'} are not the pinned ones`,
    where: path,
    got: `sha256 ${got}`,
    expected: sha256,
    hint,
  });
}
