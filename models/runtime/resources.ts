import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import type { DType, Tensor, TensorData } from '../tensor.js';
import { bytesPerElement, sizeOf } from '../tensor.js';
import type { FileTensor, KeptRows, Reference, RunInput, Source } from './protocol.js';

/** The named tensors of an engine process. Files are read row by row when used; nothing of them is kept. */
export type Resources = {
  define(name: string, source: Source): void;
  /** With `rows`: those of a `RowStore` alone. */
  forget(name: string, rows?: readonly number[]): void;
  /** Copies the rows of a tensor into a `RowStore`. */
  keep(as: KeptRows, tensor: Tensor): void;
  /** The values of an input: itself, a named tensor, or rows gathered from one. */
  resolve(input: RunInput): Tensor;
};

type OpenSource = { readonly dtype: DType; readonly dims: readonly number[] } & (
  | { readonly data: TensorData }
  | { readonly kept: Map<number, TensorData> }
  | { readonly fd: number; readonly path: string; readonly offset: number }
);

export function createResources(): Resources {
  const sources = new Map<string, OpenSource>();

  const forget = (name: string, rows?: readonly number[]) => {
    const source = sources.get(name);
    if (rows) {
      for (const row of rows) if (source && 'kept' in source) source.kept.delete(row);
      return;
    }
    if (source && 'fd' in source) closeSync(source.fd);
    sources.delete(name);
  };

  return {
    define(name, source) {
      const opened = 'file' in source ? openFile(source) : 'rows' in source ? { ...source, kept: new Map() } : source;
      forget(name);
      sources.set(name, opened);
    },
    forget,
    keep({ ref, rows }, { dims, data }) {
      const source = sources.get(ref);
      if (!source || !('kept' in source)) throw new Error(`${ref} keeps no rows`);
      const size = sizeOf(dims.slice(1));
      rows.forEach((row, at) => {
        source.kept.set(row, data.slice(at * size, (at + 1) * size));
      });
    },
    resolve(input) {
      if (!('ref' in input)) return input;
      const source = sources.get(input.ref);
      if (!source) throw new Error(`no tensor is defined as ${input.ref}`);
      return gather(source, input);
    },
  };
}

function openFile({ file, dtype, dims, offset = 0 }: FileTensor): OpenSource {
  const fd = openSync(file, 'r');
  const stats = fstatSync(fd);
  const end = offset + sizeOf(dims) * bytesPerElement[dtype];
  if (stats.isFile() && stats.size >= end) return { dtype, dims, fd, path: file, offset };
  closeSync(fd);
  throw new Error(`${file} holds ${stats.size} bytes; ${dtype} [${dims.join(', ')}] from byte ${offset} needs ${end}`);
}

function gather(source: OpenSource, { ref, rows }: Reference): Tensor {
  const { dtype, dims } = source;
  const [available = 0, ...rowDims] = dims;
  if (!rows && 'data' in source) return { dtype, dims, data: source.data };
  const rowSize = sizeOf(rowDims);
  const picked = rows ?? Array.from({ length: available }, (_, row) => row);
  const data = allocate(dtype, picked.length * rowSize);
  picked.forEach((row, at) => {
    if (!Number.isInteger(row) || row < 0 || row >= available) throw new Error(`${ref} has no row ${row}`);
    if ('data' in source) copyRow(source.data, row, data, at, rowSize);
    else if ('kept' in source) copyRow(keptRow(source.kept, ref, row), 0, data, at, rowSize);
    else readRow(source, row, data, at, rowSize * bytesPerElement[dtype]);
  });
  return { dtype, dims: rows ? [rows.length, ...rowDims] : dims, data };
}

function keptRow(kept: ReadonlyMap<number, TensorData>, ref: string, row: number): TensorData {
  const values = kept.get(row);
  if (!values) throw new Error(`row ${row} of ${ref} is not kept`);
  return values;
}

function copyRow(from: TensorData, row: number, to: TensorData, at: number, rowSize: number): void {
  const values = from.subarray(row * rowSize, (row + 1) * rowSize);
  // Both are of the element type of one tensor.
  (to as Uint8Array).set(values as Uint8Array, at * rowSize);
}

function readRow(
  source: { readonly fd: number; readonly path: string; readonly offset: number },
  row: number,
  to: TensorData,
  at: number,
  rowBytes: number,
): void {
  const target = new Uint8Array(to.buffer, to.byteOffset + at * rowBytes, rowBytes);
  for (let done = 0; done < rowBytes; ) {
    const length = Math.min(rowBytes - done, 1024 ** 3);
    const read = readSync(source.fd, target, done, length, source.offset + row * rowBytes + done);
    if (read === 0) throw new Error(`${source.path} became shorter while it was in use`);
    done += read;
  }
}

function allocate(dtype: DType, size: number): TensorData {
  switch (dtype) {
    case 'float32':
      return new Float32Array(size);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(size);
    case 'int64':
      return new BigInt64Array(size);
    case 'int32':
      return new Int32Array(size);
    default:
      return new Uint8Array(size);
  }
}
