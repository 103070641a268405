import { writeSafetensors } from '../../models/checkpoint/write-safetensors.js';
import { floatToHalf } from '../../models/half.js';
import { sizeOf } from '../../models/tensor.js';
import { crc32 } from './crc32.js';

/*
 * Weights as a function of tensor name and element index, so that a full-size checkpoint can be written anywhere and
 * compared with what the published code computed from the same weights. Formula of the recordings' description.
 */

/** Elements made at once. */
const block = 2 ** 20;

/** Element `index` of a tensor whose name hashes to `seed`, in -1..1 (a 32-bit mixing of the index). */
export function unitAt(index: number, seed: number): number {
  let v = (Math.imul(index, 2654435761) + seed) >>> 0;
  v ^= v >>> 16;
  v = Math.imul(v, 0x85ebca6b);
  v ^= v >>> 13;
  v = Math.imul(v, 0xc2b2ae35);
  v ^= v >>> 16;
  return (v >>> 0) / 2 ** 31 - 1;
}

/** Value of an element before it is rounded to a half float. */
export function weightAt(name: string, shape: readonly number[], index: number, seed: number): number {
  const unit = unitAt(index, seed);
  if (name.endsWith('mix_factor')) return unit;
  if (shape.length === 1) return name.endsWith('weight') ? 1 + 0.25 * unit : 0.1 * unit;
  return unit * Math.sqrt(3 / sizeOf(shape.slice(1)));
}

/** Writes all `shapes` as float16 to `path`, a block at a time. `onBytes` is told how much there is. */
export async function writeFormulaWeights(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  salt: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  let bytes = 0;
  const entries = [...shapes].map(([name, shape]) => ({
    name,
    shape,
    dtype: 'float16' as const,
    *data() {
      const size = sizeOf(shape);
      const seed = crc32(salt + name);
      for (let start = 0; start < size; start += block) {
        const halves = Uint16Array.from({ length: Math.min(block, size - start) }, (_, i) =>
          floatToHalf(weightAt(name, shape, start + i, seed)),
        );
        bytes += halves.byteLength;
        onBytes(bytes);
        yield halves;
      }
    },
  }));
  await writeSafetensors(path, entries);
}
