import { open } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Archive, type ZipEntry, ZipProblem } from './read-zip.js';

/** Of the mode: what kind of file it is. */
const kindMask = 0o170000;
const regularFile = 0o100000;

/**
 * Writes the content of an entry to `file`, checked against its length and CRC and synced. Throws ZipProblem; what was written
 * is then left to the caller, as when it is interrupted.
 */
export async function extractEntry(archive: Archive, entry: ZipEntry, file: string, signal?: AbortSignal): Promise<void> {
  requireFile(entry);
  const out = await open(file, 'w', 0o644);
  try {
    const check = checked(entry);
    const parts = [contentOf(archive, entry), ...inflater(entry), check, out.createWriteStream({ autoClose: false })];
    await pipeline(parts, { ...(signal && { signal }) }).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code?.startsWith('Z_') ? damaged(entry, 'it cannot be inflated') : cause;
    });
    await out.sync();
  } finally {
    await out.close();
  }
}

/** The content of a small entry. Throws ZipProblem, also when it has more than `limit` bytes. */
export async function readEntry({ handle }: Archive, entry: ZipEntry, limit: number): Promise<Buffer> {
  requireFile(entry);
  if (Math.max(entry.byteLength, entry.storedBytes) > limit)
    throw new ZipProblem('limit', `${entry.name} has ${entry.byteLength} bytes, more than the limit of ${limit}`);
  const stored = Buffer.alloc(entry.storedBytes);
  await handle.read(stored, 0, stored.length, entry.offset);
  const content = entry.method === 0 ? stored : inflate(stored, entry);
  if (content.length !== entry.byteLength || crc32(content) !== entry.crc) throw damaged(entry, 'its CRC is another one');
  return content;
}

function inflate(stored: Buffer, entry: ZipEntry): Buffer {
  try {
    return inflateRawSync(stored, { maxOutputLength: Math.max(1, entry.byteLength) });
  } catch {
    throw damaged(entry, 'it cannot be inflated');
  }
}

function contentOf({ handle }: Archive, { offset, storedBytes }: ZipEntry): Readable {
  if (storedBytes === 0) return Readable.from([]);
  return handle.createReadStream({ start: offset, end: offset + storedBytes - 1, autoClose: false });
}

function inflater({ method }: ZipEntry): Transform[] {
  return method === 0 ? [] : [createInflateRaw({ chunkSize: 1 << 18 })];
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
