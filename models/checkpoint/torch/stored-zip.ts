import type { FileHandle } from 'node:fs/promises';
import { torchError } from './torch-error.js';

/** What an archive may hold. SVD in one file has about 2,500 tensors, one entry each. */
export const zipLimits = {
  entries: 100_000,
  directoryBytes: 32 * 1024 * 1024,
  nameBytes: 1024,
} as const;

/** Where the content of an entry lies in the archive. */
export type ZipEntry = { readonly offset: number; readonly byteLength: number };

/** An entry as the directory at the end of the archive has it. */
type DirectoryEntry = {
  readonly name: string;
  readonly flags: number;
  readonly crc: number;
  readonly byteLength: number;
  readonly headerOffset: number;
};

type Archive = { readonly handle: FileHandle; readonly path: string; readonly fileBytes: number };

const signature = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
} as const;
const endBytes = 22;
const locatorBytes = 20;
const end64Bytes = 56;
/** The sizes follow the content instead of standing in the local header. */
const sizesFollow = 0x0008;
const encrypted = 0x2041;
const full16 = 0xffff;
const full32 = 0xffffffff;

/**
 * Entries of a ZIP whose contents are stored as they are, the form `torch.save` writes (APPNOTE 6.3.10; ZIP64 too).
 *
 * The file is not trusted. There is one reading of it or none: the directory ends the file, has no comment, agrees
 * with the header before each entry, names nothing twice, and no two entries share a byte. Anything else is a
 * PantomimeError `torch.malformed`, `torch.compressed` or `torch.limit`.
 */
export async function readStoredZip(archive: Archive): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await findDirectory(archive);
  const { path } = archive;
  if (directory.entries > zipLimits.entries)
    throw torchError('limit', path, `${directory.entries} entries are more than the limit of ${zipLimits.entries}`);
  if (directory.byteLength > zipLimits.directoryBytes)
    throw torchError('limit', path, `its directory has ${directory.byteLength} bytes, more than the limit`);
  const listed = readDirectory(await readAt(archive, directory.offset, directory.byteLength), directory.entries, path);

  const found = new Map<string, ZipEntry>();
  let end = 0;
  for (const entry of listed.toSorted((a, b) => a.headerOffset - b.headerOffset)) {
    if (entry.headerOffset < end) throw malformed(path, `${show(entry.name)} overlaps the entry before it`);
    const offset = await contentOffset(archive, entry);
    end = offset + entry.byteLength;
    if (end > directory.offset) throw malformed(path, `${show(entry.name)} reaches into the directory`);
    if (found.has(entry.name)) throw malformed(path, `${show(entry.name)} is there twice`);
    found.set(entry.name, { offset, byteLength: entry.byteLength });
  }
  return found;
}

type DirectoryPlace = { readonly entries: number; readonly offset: number; readonly byteLength: number };

async function findDirectory(archive: Archive): Promise<DirectoryPlace> {
  const { path, fileBytes } = archive;
  const endOffset = fileBytes - endBytes;
  const end = await readAt(archive, endOffset, endBytes);
  if (end.readUInt32LE(0) !== signature.end || end.readUInt16LE(20) !== 0)
    throw malformed(path, 'it does not end with the directory of a ZIP');
  if (end.readUInt16LE(4) !== 0 || end.readUInt16LE(6) !== 0) throw malformed(path, 'it is one of several volumes');
  const short = { entries: end.readUInt16LE(10), byteLength: end.readUInt32LE(12), offset: end.readUInt32LE(16) };
  if (end.readUInt16LE(8) !== short.entries) throw malformed(path, 'its numbers of entries disagree');
  const long = await findLongDirectory(archive, endOffset);
  const place = long ?? short;
  if (long) {
    // The old record either says the same or that the number does not fit into it.
    const agrees =
      (short.entries === long.entries || short.entries === full16) &&
      (short.byteLength === long.byteLength || short.byteLength === full32) &&
      (short.offset === long.offset || short.offset === full32);
    if (!agrees) throw malformed(path, 'its two directory records disagree');
  }
  const recordOffset = long ? endOffset - locatorBytes - end64Bytes : endOffset;
  if (place.offset + place.byteLength !== recordOffset)
    throw malformed(path, `its directory is not where it is said to be (${place.offset})`);
  return place;
}

/** The ZIP64 record, which stands directly before its locator, which stands directly before the end; undefined without. */
async function findLongDirectory(archive: Archive, endOffset: number): Promise<DirectoryPlace | undefined> {
  const { path } = archive;
  const recordOffset = endOffset - locatorBytes - end64Bytes;
  if (recordOffset < 0) return undefined;
  const bytes = await readAt(archive, recordOffset, end64Bytes + locatorBytes);
  const locator = bytes.subarray(end64Bytes);
  if (locator.readUInt32LE(0) !== signature.locator64) return undefined;
  if (
    bytes.readUInt32LE(0) !== signature.end64 ||
    readSize(locator, 8, path) !== recordOffset ||
    readSize(bytes, 4, path) !== end64Bytes - 12
  )
    throw malformed(path, 'its ZIP64 record is not where it is said to be');
  const entries = readSize(bytes, 32, path);
  if (bytes.readUInt32LE(16) !== 0 || bytes.readUInt32LE(20) !== 0 || readSize(bytes, 24, path) !== entries)
    throw malformed(path, 'it is one of several volumes');
  return { entries, byteLength: readSize(bytes, 40, path), offset: readSize(bytes, 48, path) };
}

function readDirectory(bytes: Buffer, entries: number, path: string): DirectoryEntry[] {
  const listed: DirectoryEntry[] = [];
  let at = 0;
  for (let i = 0; i < entries; i++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== signature.central)
      throw malformed(path, `its directory ends after ${i} of ${entries} entries`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const nameEnd = at + 46 + (nameBytes ?? 0);
    const extraEnd = nameEnd + (extraBytes ?? 0);
    const next = extraEnd + (commentBytes ?? 0);
    if (next > bytes.length) throw malformed(path, `its directory ends within entry ${i}`);
    listed.push(readEntry(bytes.subarray(at, nameEnd), bytes.subarray(nameEnd, extraEnd), path));
    at = next;
  }
  if (at !== bytes.length) throw malformed(path, 'its directory is longer than its entries');
  return listed;
}

function readEntry(header: Buffer, extra: Buffer, path: string): DirectoryEntry {
  if (header.length - 46 > zipLimits.nameBytes) throw torchError('limit', path, 'the name of an entry is too long');
  const name = header.toString('utf8', 46);
  const flags = header.readUInt16LE(8);
  const method = header.readUInt16LE(10);
  if ((flags & encrypted) !== 0) throw torchError('compressed', path, `${show(name)} is encrypted`);
  if (method !== 0) throw torchError('compressed', path, `${show(name)} is compressed (method ${method})`);
  if (header.readUInt16LE(34) !== 0) throw malformed(path, `${show(name)} is in another volume`);
  const [stored, size, headerOffset] = longFields(
    extra,
    [header.readUInt32LE(20), header.readUInt32LE(24), header.readUInt32LE(42)],
    // The order in the extra field: uncompressed size, compressed size, offset.
    [1, 0, 2],
    path,
  ) as [number, number, number];
  if (stored !== size) throw malformed(path, `${show(name)} of ${size} bytes is stored in ${stored}`);
  return { name, flags, crc: header.readUInt32LE(16), byteLength: size, headerOffset };
}

/** Checks the header before an entry against the directory; gives the offset of the content behind it. */
async function contentOffset(archive: Archive, entry: DirectoryEntry): Promise<number> {
  const { path, fileBytes } = archive;
  const { name, flags, crc, byteLength, headerOffset } = entry;
  const wanted = Buffer.from(name);
  if (headerOffset + 30 + wanted.length > fileBytes) throw malformed(path, `${show(name)} lies behind the end`);
  const header = await readAt(archive, headerOffset, 30 + wanted.length);
  const nameBytes = header.readUInt16LE(26);
  const extraBytes = header.readUInt16LE(28);
  const same =
    header.readUInt32LE(0) === signature.local &&
    header.readUInt16LE(6) === flags &&
    header.readUInt16LE(8) === 0 &&
    nameBytes === wanted.length &&
    header.subarray(30).equals(wanted);
  if (!same) throw malformed(path, `the header before ${show(name)} disagrees with the directory`);
  const offset = headerOffset + 30 + nameBytes + extraBytes;
  if (offset > fileBytes) throw malformed(path, `${show(name)} lies behind the end`);
  const sizes = [header.readUInt32LE(18), header.readUInt32LE(22)];
  const unsaid = (flags & sizesFollow) !== 0 && header.readUInt32LE(14) === 0 && sizes.every((size) => size === 0);
  if (unsaid) return offset;
  const extra = await readAt(archive, headerOffset + 30 + nameBytes, extraBytes);
  const [stored, size] = longFields(extra, sizes, [1, 0], path);
  if (header.readUInt32LE(14) !== crc || stored !== byteLength || size !== byteLength)
    throw malformed(path, `the header before ${show(name)} disagrees with the directory`);
  return offset;
}

/** Replaces those of `fields` that are full by their ZIP64 values, which follow each other in `order`. */
function longFields(extra: Buffer, fields: readonly number[], order: readonly number[], path: string): number[] {
  if (!fields.includes(full32)) return [...fields];
  const values = [...fields];
  for (let at = 0; at + 4 <= extra.length; ) {
    const bytes = extra.readUInt16LE(at + 2);
    const body = extra.subarray(at + 4, at + 4 + bytes);
    if (extra.readUInt16LE(at) === 1 && body.length === bytes) {
      let next = 0;
      for (const field of order) {
        if (values[field] !== full32) continue;
        if (next + 8 > body.length) throw malformed(path, 'a ZIP64 field is too short');
        values[field] = readSize(body, next, path);
        next += 8;
      }
      return values;
    }
    at += 4 + bytes;
  }
  throw malformed(path, 'a ZIP64 field is missing');
}

async function readAt({ handle, path, fileBytes }: Archive, offset: number, byteLength: number): Promise<Buffer> {
  const bytes = Buffer.alloc(byteLength);
  if (offset < 0 || offset + byteLength > fileBytes) throw malformed(path, 'it ends too early');
  const { bytesRead } = await handle.read(bytes, 0, byteLength, offset);
  if (bytesRead !== byteLength) throw malformed(path, 'it ends too early');
  return bytes;
}

function readSize(bytes: Buffer, at: number, path: string): number {
  const size = bytes.readBigUInt64LE(at);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(path, `a size of ${size} bytes`);
  return Number(size);
}

const show = (name: string): string => JSON.stringify(name.slice(0, 80));

function malformed(path: string, what: string) {
  return torchError('malformed', path, `is not a valid PyTorch archive: ${what}`);
}
