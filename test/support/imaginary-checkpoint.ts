import type { Checkpoint, TensorLocation } from '#dist/models/checkpoint/checkpoint.js';
import { sizeOf } from '#dist/models/tensor.js';
import { fixture } from './fixtures.js';
import { publishedShapes } from './sparse-model.js';

/** A published network whose weights are nowhere: graphs are built without reading any. */
export async function imaginary(network: Parameters<typeof publishedShapes>[0]): Promise<Checkpoint> {
  const file = fixture(`full-size/${network}.safetensors`);
  let offset = 0;
  const locate = (shape: readonly number[]): TensorLocation => {
    const byteLength = sizeOf(shape) * 2;
    offset += byteLength;
    return { file, offset: offset - byteLength, byteLength, dtype: 'float16', shape };
  };
  const shapes = Object.entries(await publishedShapes(network));
  return { tensors: new Map(shapes.map(([name, shape]) => [name, locate(shape)])), sources: [file] };
}
