import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

import { sizeOf } from '../tensor.js';
import type { StoredDType } from './checkpoint.js';
import { bytesPerStoredElement } from './checkpoint.js';
import { safetensorsDTypes } from './safetensors.js';

/** A tensor to write: its values at once, or piece by piece when they should not all be in memory. */
export type SafetensorsEntry = {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Raw little-endian values, `sizeOf(shape)` elements in all. */
  readonly data: ArrayBufferView | (() => Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>);
};

export type WriteSafetensorsOptions = {
  /** Free text pairs kept in the header. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/**
 * Writes a `.safetensors` file in the order of `entries`. The same entries give the same bytes. It is written beside
 * `path` and renamed when complete, so `path` holds either its old content or all of the new one.
 * Throws RangeError when the data of an entry does not fill its shape.
 */
export async function writeSafetensors(
  path: string,
  entries: readonly SafetensorsEntry[],
  { metadata, signal }: WriteSafetensorsOptions = {},
): Promise<void> {
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    const handle = await open(partial, 'wx');
    try {
      await handle.writeFile(headerOf(entries, metadata));
      for (const entry of entries) {
        let written = 0;
        for await (const piece of piecesOf(entry)) {
          signal?.throwIfAborted();
          await handle.writeFile(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
          written += piece.byteLength;
        }
        if (written !== byteLengthOf(entry)) {
          throw new RangeError(
            `${written} bytes do not fill ${entry.name}: ${entry.dtype} [${entry.shape.join(', ')}]`,
          );
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function headerOf(entries: readonly SafetensorsEntry[], metadata?: Readonly<Record<string, string>>): Uint8Array {
  const header = new Map<string, unknown>();
  if (metadata) header.set('__metadata__', metadata);
  let offset = 0;
  for (const entry of entries) {
    if (header.has(entry.name)) throw new RangeError(`Two tensors are named ${entry.name}`);
    const end = offset + byteLengthOf(entry);
    header.set(entry.name, { dtype: safetensorsDTypes[entry.dtype], shape: entry.shape, data_offsets: [offset, end] });
    offset = end;
  }
  // Built pair by pair, because an object would bring names that look like numbers to the front.
  const pairs = [...header].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const text = Buffer.from(`{${pairs.join(',')}}`);
  // Spaces up to a multiple of 8, so that the data can be mapped aligned.
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8), 0);
  text.copy(padded, 8);
  return padded;
}

function byteLengthOf({ dtype, shape }: SafetensorsEntry): number {
  return sizeOf(shape) * bytesPerStoredElement[dtype];
}

function piecesOf({ data }: SafetensorsEntry): Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView> {
  return typeof data === 'function' ? data() : [data];
}
