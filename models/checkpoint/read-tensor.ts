import { open } from 'node:fs/promises';

import { PantomimeError } from '../errors.js';
import { bfloatsToFloats, halvesToFloats } from '../half.js';
import type { DType, FloatTensor, Tensor, TensorData } from '../tensor.js';
import { floatTensor } from '../tensor.js';
import { bytesPerStoredElement, type TensorLocation } from './checkpoint.js';

/** Values of a stored tensor of floats (float64, float32, float16 or bfloat16) as float32. */
export async function readTensor(location: TensorLocation): Promise<FloatTensor> {
  const { dtype, shape } = location;
  switch (dtype) {
    case 'float32':
      return floatTensor(shape, new Float32Array(await readBytes(location)));
    case 'float16':
      return floatTensor(shape, halvesToFloats(new Uint16Array(await readBytes(location))));
    case 'bfloat16':
      return floatTensor(shape, bfloatsToFloats(new Uint16Array(await readBytes(location))));
    case 'float64':
      return floatTensor(shape, Float32Array.from(new Float64Array(await readBytes(location))));
    default:
      throw unsupported(location, 'floats');
  }
}

const views: Readonly<Record<DType, (bytes: ArrayBuffer) => TensorData>> = {
  float32: (bytes) => new Float32Array(bytes),
  float16: (bytes) => new Uint16Array(bytes),
  bfloat16: (bytes) => new Uint16Array(bytes),
  int64: (bytes) => new BigInt64Array(bytes),
  int32: (bytes) => new Int32Array(bytes),
  uint8: (bytes) => new Uint8Array(bytes),
  int8: (bytes) => new Int8Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
};

/** A stored tensor with its own element type. */
export async function readStoredTensor(location: TensorLocation): Promise<Tensor> {
  const { dtype, shape } = location;
  if (!Object.hasOwn(views, dtype)) throw unsupported(location, Object.keys(views).join(', '));
  return { dtype: dtype as DType, dims: shape, data: views[dtype as DType](await readBytes(location)) };
}

/** Node reads at most 2 GiB at a time. */
const maxReadBytes = 1024 ** 3;

async function readBytes(location: TensorLocation): Promise<ArrayBuffer> {
  const bytes = await readStoredBytes(location);
  return location.transposed ? transpose(bytes, location) : bytes;
}

/** The matrix [rows, columns] of a location whose file holds [columns, rows]. */
function transpose(stored: ArrayBuffer, { dtype, shape }: TensorLocation): ArrayBuffer {
  const [rows = 1, columns = 1] = shape;
  const width = bytesPerStoredElement[dtype];
  const from = new Uint8Array(stored);
  const to = new Uint8Array(stored.byteLength);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (column * rows + row) * width;
      to.set(from.subarray(at, at + width), (row * columns + column) * width);
    }
  }
  return to.buffer;
}

async function readStoredBytes({ file, offset, byteLength }: TensorLocation): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength);
  const handle = await open(file, 'r');
  try {
    for (let done = 0; done < byteLength; ) {
      const length = Math.min(maxReadBytes, byteLength - done);
      const { bytesRead } = await handle.read(bytes, done, length, offset + done);
      if (bytesRead === 0) {
        throw new PantomimeError({
          code: 'checkpoint.changed',
          kind: 'model',
          what: 'the file became shorter since it was opened',
          where: file,
          got: `no data at byte ${offset + done}`,
          expected: `a tensor up to byte ${offset + byteLength}`,
          hint: 'Do not change weight files while they are in use; get the file again.',
        });
      }
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes.buffer;
}

function unsupported({ file, dtype }: TensorLocation, expected: string): PantomimeError {
  return new PantomimeError({
    code: 'checkpoint.dtype',
    kind: 'model',
    what: 'the tensor has an unsuitable element type',
    where: file,
    got: dtype,
    expected,
  });
}
