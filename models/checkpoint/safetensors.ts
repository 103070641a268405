import type { FileHandle } from 'node:fs/promises';
import { open, realpath, stat } from 'node:fs/promises';

import { PantomimeError } from '../errors.js';
import { sizeOf } from '../tensor.js';
import type { Checkpoint, StoredDType, TensorLocation } from './checkpoint.js';
import { bytesPerStoredElement } from './checkpoint.js';
import { namesTwice } from './names-twice.js';

/**
 * What a header may hold. The format allows 100 MB; the largest header we know (a 1,428-tensor UNet) is 0.2 MB, and a
 * hostile file must not make us parse more than a moment's worth.
 */
export const safetensorsLimits = {
  headerBytes: 16 * 1024 * 1024,
  tensors: 100_000,
  nameLength: 512,
  rank: 8,
} as const;

const dtypes: Readonly<Record<string, StoredDType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

/** The format's name of each element type. */
export const safetensorsDTypes = Object.fromEntries(
  Object.entries(dtypes).map(([stored, dtype]) => [dtype, stored]),
) as Readonly<Record<StoredDType, string>>;

/**
 * Opens a `.safetensors` file: reads its header and nothing else.
 *
 * The file is not trusted: sizes are bounded by `safetensorsLimits`, every tensor must lie inside the file, and the
 * tensors must fill it without overlaps or holes. Anything else is a PantomimeError of kind `model` whose code starts
 * with `safetensors.`.
 */
export async function openSafetensors(path: string): Promise<Checkpoint> {
  const { file, handle } = await openForReading(path);
  try {
    const { size: fileBytes } = await handle.stat();
    const headerBytes = await readHeaderLength(handle, path, fileBytes);
    const text = await readHeaderText(handle, path, headerBytes);
    const dataStart = 8 + headerBytes;
    return { ...parseHeader(text, { file, path, dataStart, dataBytes: fileBytes - dataStart }), sources: [file] };
  } finally {
    await handle.close();
  }
}

async function openForReading(path: string): Promise<{ file: string; handle: FileHandle }> {
  try {
    const file = await realpath(path);
    // Asked before it is opened, since opening a pipe would wait for its writer.
    if (!(await stat(file)).isFile()) throw new Error('not a regular file');
    return { file, handle: await open(file, 'r') };
  } catch (cause) {
    throw new PantomimeError({
      code: 'safetensors.unreadable',
      kind: 'model',
      what: `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      where: path,
      hint: 'Check that the file exists and that you may read it.',
      cause,
    });
  }
}

const damaged = 'The file is damaged or was not downloaded completely; get it again.';

async function readHeaderLength(handle: FileHandle, path: string, fileBytes: number): Promise<number> {
  const head = Buffer.alloc(16);
  const { bytesRead } = await handle.read(head, 0, 16, 0);
  if (head.toString('latin1', 0, bytesRead).startsWith('version https://')) {
    throw new PantomimeError({
      code: 'safetensors.lfs-pointer',
      kind: 'model',
      what: 'is a Git LFS pointer, not the weights',
      where: path,
      hint: 'Fetch the file itself: run `git lfs pull` in that folder.',
    });
  }
  const length = bytesRead < 8 ? undefined : head.readBigUInt64LE(0);
  if (length === undefined || length > BigInt(Math.max(0, fileBytes - 8))) {
    throw new PantomimeError({
      code: 'safetensors.truncated',
      kind: 'model',
      what: 'ends before its header does',
      where: path,
      got: `${fileBytes} bytes`,
      expected: length === undefined ? 'at least 8 bytes' : `a header of ${length} bytes`,
      hint: `${damaged} (Or it is not a safetensors file.)`,
    });
  }
  if (length > BigInt(safetensorsLimits.headerBytes)) {
    throw new PantomimeError({
      code: 'safetensors.header-too-large',
      kind: 'model',
      what: 'has an oversized header',
      where: path,
      got: `${length} bytes`,
      expected: `at most ${safetensorsLimits.headerBytes} bytes`,
      hint: 'Is this really a safetensors file of model weights?',
    });
  }
  return Number(length);
}

async function readHeaderText(handle: FileHandle, path: string, headerBytes: number): Promise<string> {
  const bytes = Buffer.alloc(headerBytes);
  await handle.read(bytes, 0, headerBytes, 8);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed(path, 'the header is not UTF-8', cause);
  }
}

type Extent = { readonly file: string; readonly path: string; readonly dataStart: number; readonly dataBytes: number };

function parseHeader(text: string, extent: Extent): Pick<Checkpoint, 'tensors' | 'metadata'> {
  const { path } = extent;
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw malformed(path, 'the header is not JSON', cause);
  }
  if (!isRecord(header)) throw malformed(path, 'the header is not a JSON object');
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  if (names.length > safetensorsLimits.tensors)
    throw malformed(path, `${names.length} tensors are more than the limit of ${safetensorsLimits.tensors}`);
  if (namesTwice(text, header)) throw malformed(path, 'the header names something twice');

  // In the order of the file: an object brings names that look like numbers to the front.
  const tensors = names.map((name) => [name, parseEntry(name, header[name], extent)] as const);
  tensors.sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkLayout(tensors, extent);
  return { tensors: new Map(tensors), metadata: textsOf(header.__metadata__) };
}

/** Pairs of texts; anything else in their place is passed over. */
function textsOf(metadata: unknown): ReadonlyMap<string, string> {
  const pairs = Object.entries(isRecord(metadata) ? metadata : {});
  return new Map(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

function parseEntry(name: string, entry: unknown, { file, path, dataStart, dataBytes }: Extent): TensorLocation {
  if (name.length > safetensorsLimits.nameLength || hasControlCharacter(name))
    throw malformed(
      path,
      `a tensor name is too long or holds control characters: ${JSON.stringify(name.slice(0, 80))}`,
    );
  if (!isRecord(entry)) throw malformed(path, `the entry of ${name} is not an object`);
  const dtype = typeof entry.dtype === 'string' && Object.hasOwn(dtypes, entry.dtype) ? dtypes[entry.dtype] : undefined;
  if (!dtype) {
    throw new PantomimeError({
      code: 'safetensors.dtype',
      kind: 'model',
      what: `${name} has an element type that is not supported`,
      where: path,
      got: String(entry.dtype).slice(0, 40),
      expected: Object.keys(dtypes).join(', '),
      hint: 'Use the fp16, bf16 or fp32 file of this model.',
    });
  }
  const shape = entry.shape;
  if (!isListOfSizes(shape) || shape.length > safetensorsLimits.rank)
    throw malformed(path, `the shape of ${name} is not a list of at most ${safetensorsLimits.rank} sizes`);
  const offsets = entry.data_offsets;
  if (!isListOfSizes(offsets) || offsets.length !== 2) throw malformed(path, `${name} has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  const byteLength = sizeOf(shape) * bytesPerStoredElement[dtype];
  if (!Number.isSafeInteger(byteLength)) throw malformed(path, `the size of ${name} overflows`);
  if (end - begin !== byteLength) {
    throw malformed(path, `${name} of ${byteLength} bytes is stored in ${end - begin} (${begin} to ${end})`);
  }
  if (end > dataBytes) {
    throw new PantomimeError({
      code: 'safetensors.truncated',
      kind: 'model',
      what: `ends before ${name} does`,
      where: path,
      got: `${dataStart + dataBytes} bytes`,
      expected: `at least ${dataStart + end} bytes`,
      hint: damaged,
    });
  }
  return { file, offset: dataStart + begin, byteLength, dtype, shape };
}

/** The tensors must cover the data exactly: no byte belongs to two of them, none to nobody. */
function checkLayout(
  tensors: readonly (readonly [string, TensorLocation])[],
  { path, dataStart, dataBytes }: Extent,
): void {
  let end = dataStart;
  for (const [name, { offset, byteLength }] of tensors) {
    if (offset < end) throw malformed(path, `${name} overlaps the tensor before it`);
    if (offset > end) throw malformed(path, `${offset - end} bytes before ${name} belong to no tensor`);
    end = offset + byteLength;
  }
  if (end !== dataStart + dataBytes)
    throw malformed(path, `${dataStart + dataBytes - end} bytes follow the last tensor`);
}

function malformed(path: string, what: string, cause?: unknown): PantomimeError {
  return new PantomimeError({
    code: 'safetensors.malformed',
    kind: 'model',
    what: `is not a valid safetensors file: ${what}`,
    where: path,
    hint: damaged,
    cause,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function hasControlCharacter(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 32) return true;
  return false;
}
