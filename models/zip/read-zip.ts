import type { FileHandle } from 'node:fs/promises';

/** What an archive may hold. SVD in one file has about 2,500 tensors, one entry each. */
export const zipLimits = {
  entries: 100_000,
  directoryBytes: 32 * 1024 * 1024,
  nameBytes: 1024,
} as const;

/** An entry, and where its content lies in the archive. */
export type ZipEntry = {
  readonly name: string;
  /** 0: stored as it is, 8: deflated. */
  readonly method: number;
  readonly crc: number;
  /** Its length in the archive. */
  readonly storedBytes: number;
  /** Its length. */
  readonly byteLength: number;
  /** File type and rights as Unix has them; 0 where another system made the archive. */
  readonly mode: number;
  readonly offset: number;
};

/** An entry as the directory at the end of the archive has it. */
type DirectoryEntry = Omit<ZipEntry, 'offset'> & { readonly flags: number; readonly headerOffset: number };

export type Archive = { readonly handle: FileHandle; readonly fileBytes: number };

/** Why an archive was not opened. Callers say which file it is and what to do. */
export class ZipProblem extends Error {
  readonly fault: 'malformed' | 'compressed' | 'limit';

  constructor(fault: ZipProblem['fault'], message: string) {
    super(message);
    this.name = 'ZipProblem';
    this.fault = fault;
  }
}

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
const methods = { stored: 0, deflated: 8 } as const;
/** Of the byte that says which system wrote the entry. */
const madeOnUnix = 3;
const full16 = 0xffff;
const full32 = 0xffffffff;

/**
 * Entries of a ZIP whose contents are stored or deflated (APPNOTE 6.3.10; ZIP64 too), by name.
 *
 * The file is not trusted. There is one reading of it or none: the directory ends the file, has no comment, agrees
 * with the header before each entry, names nothing twice, and no two entries share a byte. Anything else is a
 * ZipProblem. Names are as they are written: never use one as a path.
 */
export async function readZip(archive: Archive): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await findDirectory(archive);
  if (directory.entries > zipLimits.entries)
    throw new ZipProblem('limit', `${directory.entries} entries are more than the limit of ${zipLimits.entries}`);
  if (directory.byteLength > zipLimits.directoryBytes)
    throw new ZipProblem('limit', `its directory has ${directory.byteLength} bytes, more than the limit`);
  const listed = readDirectory(await readAt(archive, directory.offset, directory.byteLength), directory.entries);

  const found = new Map<string, ZipEntry>();
  let end = 0;
  for (const entry of listed.toSorted((a, b) => a.headerOffset - b.headerOffset)) {
    if (entry.headerOffset < end) throw malformed(`${show(entry.name)} overlaps the entry before it`);
    const offset = await contentOffset(archive, entry);
    end = offset + entry.storedBytes;
    if (end > directory.offset) throw malformed(`${show(entry.name)} reaches into the directory`);
    if (found.has(entry.name)) throw malformed(`${show(entry.name)} is there twice`);
    const { name, method, crc, storedBytes, byteLength, mode } = entry;
    found.set(name, { name, method, crc, storedBytes, byteLength, mode, offset });
  }
  return found;
}

type DirectoryPlace = { readonly entries: number; readonly offset: number; readonly byteLength: number };

async function findDirectory(archive: Archive): Promise<DirectoryPlace> {
  const { fileBytes } = archive;
  const endOffset = fileBytes - endBytes;
  const end = await readAt(archive, endOffset, endBytes);
  if (end.readUInt32LE(0) !== signature.end || end.readUInt16LE(20) !== 0)
    throw malformed('it does not end with the directory of a ZIP');
  if (end.readUInt16LE(4) !== 0 || end.readUInt16LE(6) !== 0) throw malformed('it is one of several volumes');
  const short = { entries: end.readUInt16LE(10), byteLength: end.readUInt32LE(12), offset: end.readUInt32LE(16) };
  if (end.readUInt16LE(8) !== short.entries) throw malformed('its numbers of entries disagree');
  const long = await findLongDirectory(archive, endOffset);
  const place = long ?? short;
  if (long) {
    // The old record either says the same or that the number does not fit into it.
    const agrees =
      (short.entries === long.entries || short.entries === full16) &&
      (short.byteLength === long.byteLength || short.byteLength === full32) &&
      (short.offset === long.offset || short.offset === full32);
    if (!agrees) throw malformed('its two directory records disagree');
  }
  const recordOffset = long ? endOffset - locatorBytes - end64Bytes : endOffset;
  if (place.offset + place.byteLength !== recordOffset)
    throw malformed(`its directory is not where it is said to be (${place.offset})`);
  return place;
}

/** The ZIP64 record, which stands directly before its locator, which stands directly before the end; undefined without. */
async function findLongDirectory(archive: Archive, endOffset: number): Promise<DirectoryPlace | undefined> {
  const recordOffset = endOffset - locatorBytes - end64Bytes;
  if (recordOffset < 0) return undefined;
  const bytes = await readAt(archive, recordOffset, end64Bytes + locatorBytes);
  const locator = bytes.subarray(end64Bytes);
  if (locator.readUInt32LE(0) !== signature.locator64) return undefined;
  if (
    bytes.readUInt32LE(0) !== signature.end64 ||
    readSize(locator, 8) !== recordOffset ||
    readSize(bytes, 4) !== end64Bytes - 12
  )
    throw malformed('its ZIP64 record is not where it is said to be');
  const entries = readSize(bytes, 32);
  if (bytes.readUInt32LE(16) !== 0 || bytes.readUInt32LE(20) !== 0 || readSize(bytes, 24) !== entries)
    throw malformed('it is one of several volumes');
  return { entries, byteLength: readSize(bytes, 40), offset: readSize(bytes, 48) };
}

function readDirectory(bytes: Buffer, entries: number): DirectoryEntry[] {
  const listed: DirectoryEntry[] = [];
  let at = 0;
  for (let i = 0; i < entries; i++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== signature.central)
      throw malformed(`its directory ends after ${i} of ${entries} entries`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const nameEnd = at + 46 + (nameBytes ?? 0);
    const extraEnd = nameEnd + (extraBytes ?? 0);
    const next = extraEnd + (commentBytes ?? 0);
    if (next > bytes.length) throw malformed(`its directory ends within entry ${i}`);
    listed.push(readEntry(bytes.subarray(at, nameEnd), bytes.subarray(nameEnd, extraEnd)));
    at = next;
  }
  if (at !== bytes.length) throw malformed('its directory is longer than its entries');
  return listed;
}

function readEntry(header: Buffer, extra: Buffer): DirectoryEntry {
  if (header.length - 46 > zipLimits.nameBytes) throw new ZipProblem('limit', 'the name of an entry is too long');
  const name = header.toString('utf8', 46);
  const flags = header.readUInt16LE(8);
  const method = header.readUInt16LE(10);
  if ((flags & encrypted) !== 0) throw new ZipProblem('compressed', `${show(name)} is encrypted`);
  if (method !== methods.stored && method !== methods.deflated)
    throw new ZipProblem('compressed', `${show(name)} is compressed in a way that is not known (method ${method})`);
  if (header.readUInt16LE(34) !== 0) throw malformed(`${show(name)} is in another volume`);
  const [storedBytes, byteLength, headerOffset] = longFields(
    extra,
    [header.readUInt32LE(20), header.readUInt32LE(24), header.readUInt32LE(42)],
    // The order in the extra field: uncompressed size, compressed size, offset.
    [1, 0, 2],
  ) as [number, number, number];
  if (method === methods.stored && storedBytes !== byteLength)
    throw malformed(`${show(name)} of ${byteLength} bytes is stored in ${storedBytes}`);
  const mode = header.readUInt8(5) === madeOnUnix ? header.readUInt32LE(38) >>> 16 : 0;
  return { name, flags, method, crc: header.readUInt32LE(16), storedBytes, byteLength, mode, headerOffset };
}

/** Checks the header before an entry against the directory; gives the offset of the content behind it. */
async function contentOffset(archive: Archive, entry: DirectoryEntry): Promise<number> {
  const { fileBytes } = archive;
  const { name, flags, method, crc, storedBytes, byteLength, headerOffset } = entry;
  const wanted = Buffer.from(name);
  if (headerOffset + 30 + wanted.length > fileBytes) throw malformed(`${show(name)} lies behind the end`);
  const header = await readAt(archive, headerOffset, 30 + wanted.length);
  const nameBytes = header.readUInt16LE(26);
  const extraBytes = header.readUInt16LE(28);
  const same =
    header.readUInt32LE(0) === signature.local &&
    header.readUInt16LE(6) === flags &&
    header.readUInt16LE(8) === method &&
    nameBytes === wanted.length &&
    header.subarray(30).equals(wanted);
  if (!same) throw malformed(`the header before ${show(name)} disagrees with the directory`);
  const offset = headerOffset + 30 + nameBytes + extraBytes;
  if (offset > fileBytes) throw malformed(`${show(name)} lies behind the end`);
  const sizes = [header.readUInt32LE(18), header.readUInt32LE(22)];
  const unsaid = (flags & sizesFollow) !== 0 && header.readUInt32LE(14) === 0 && sizes.every((size) => size === 0);
  if (unsaid) return offset;
  const extra = await readAt(archive, headerOffset + 30 + nameBytes, extraBytes);
  const [stored, size] = longFields(extra, sizes, [1, 0]);
  if (header.readUInt32LE(14) !== crc || stored !== storedBytes || size !== byteLength)
    throw malformed(`the header before ${show(name)} disagrees with the directory`);
  return offset;
}

/** Replaces those of `fields` that are full by their ZIP64 values, which follow each other in `order`. */
function longFields(extra: Buffer, fields: readonly number[], order: readonly number[]): number[] {
  if (!fields.includes(full32)) return [...fields];
  const values = [...fields];
  for (let at = 0; at + 4 <= extra.length; ) {
    const bytes = extra.readUInt16LE(at + 2);
    const body = extra.subarray(at + 4, at + 4 + bytes);
    if (extra.readUInt16LE(at) === 1 && body.length === bytes) {
      let next = 0;
      for (const field of order) {
        if (values[field] !== full32) continue;
        if (next + 8 > body.length) throw malformed('a ZIP64 field is too short');
        values[field] = readSize(body, next);
        next += 8;
      }
      return values;
    }
    at += 4 + bytes;
  }
  throw malformed('a ZIP64 field is missing');
}

async function readAt({ handle, fileBytes }: Archive, offset: number, byteLength: number): Promise<Buffer> {
  const bytes = Buffer.alloc(byteLength);
  if (offset < 0 || offset + byteLength > fileBytes) throw malformed('it ends too early');
  const { bytesRead } = await handle.read(bytes, 0, byteLength, offset);
  if (bytesRead !== byteLength) throw malformed('it ends too early');
  return bytes;
}

function readSize(bytes: Buffer, at: number): number {
  const size = bytes.readBigUInt64LE(at);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a size of ${size} bytes`);
  return Number(size);
}

const show = (name: string): string => JSON.stringify(name.slice(0, 80));

function malformed(what: string): ZipProblem {
  return new ZipProblem('malformed', what);
}
