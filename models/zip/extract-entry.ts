import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Archive, type ZipEntry, ZipProblem } from './read-zip.js';

/** Of the mode: what kind of file it is. */
const kindMask = 0o170000;
const regularFile = 0o100000;
const blockBytes = 1 << 18;

/**
 * Writes the content of an entry to `file`, checked against its length and CRC and synced. Throws ZipProblem; what was written
 * is then left to the caller, as when it is interrupted.
 */
export async function extractEntry(
  archive: Archive,
  entry: ZipEntry,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  requireFile(entry);
  const out = createWriteStream(file, { mode: 0o644, flush: true });
  const parts = [Readable.from(contentOf(archive, entry)), ...inflater(entry), checked(entry), out];
  await pipeline(parts, { ...(signal && { signal }) }).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code?.startsWith('Z_') ? damaged(entry, 'it cannot be inflated') : cause;
  });
}

/** The content of a small entry. Throws ZipProblem, also when it has more than `limit` bytes. */
export async function readEntry({ handle }: Archive, entry: ZipEntry, limit: number): Promise<Buffer> {
  requireFile(entry);
  if (Math.max(entry.byteLength, entry.storedBytes) > limit)
    throw new ZipProblem('limit', `${entry.name} has ${entry.byteLength} bytes, more than the limit of ${limit}`);
  const stored = Buffer.alloc(entry.storedBytes);
  await handle.read(stored, 0, stored.length, entry.offset);
  const content = entry.method === 0 ? stored : inflate(stored, entry);
  if (content.length !== entry.byteLength || crc32(content) !== entry.crc)
    throw damaged(entry, 'its CRC is another one');
  return content;
}

function inflate(stored: Buffer, entry: ZipEntry): Buffer {
  try {
    return inflateRawSync(stored, { maxOutputLength: Math.max(1, entry.byteLength) });
  } catch {
    throw damaged(entry, 'it cannot be inflated');
  }
}

/** The bytes as they lie in the archive. A stream of the handle would close it, or keep it from being closed. */
async function* contentOf({ handle }: Archive, entry: ZipEntry): AsyncGenerator<Buffer> {
  const end = entry.offset + entry.storedBytes;
  for (let at = entry.offset; at < end; ) {
    const block = Buffer.alloc(Math.min(blockBytes, end - at));
    const { bytesRead } = await handle.read(block, 0, block.length, at);
    if (bytesRead === 0) throw damaged(entry, 'the archive became shorter while it was read');
    yield block.subarray(0, bytesRead);
    at += bytesRead;
  }
}

function inflater({ method }: ZipEntry): Transform[] {
  return method === 0 ? [] : [createInflateRaw({ chunkSize: blockBytes })];
}

/** Lets through exactly what the entry promises. */
function checked(entry: ZipEntry): Transform {
  let [length, crc] = [0, 0];
  return new Transform({
    transform(part: Buffer, _, done) {
      length += part.length;
      if (length > entry.byteLength) return done(damaged(entry, `it has more than its ${entry.byteLength} bytes`));
      crc = crc32(part, crc);
      done(null, part);
    },
    flush(done) {
      if (length < entry.byteLength) return done(damaged(entry, `it has less than its ${entry.byteLength} bytes`));
      done(crc === entry.crc ? null : damaged(entry, 'its CRC is another one'));
    },
  });
}

function requireFile({ name, mode }: ZipEntry): void {
  const kind = mode & kindMask;
  if (name.endsWith('/') || (kind !== 0 && kind !== regularFile))
    throw new ZipProblem('malformed', `${JSON.stringify(name.slice(0, 80))} is a link or a folder and no file`);
}

function damaged({ name }: ZipEntry, what: string): ZipProblem {
  return new ZipProblem('malformed', `${JSON.stringify(name.slice(0, 80))} is damaged: ${what}`);
}
