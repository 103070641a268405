import { readStoredTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import type { FloatTensor, Tensor } from '#dist/models/tensor.js';

/** The tensors of a fixture file: `floats('name')` and `bytes('name')`. */
export async function openFixture(path: string) {
  const { tensors } = await openSafetensors(path);
  const read = async (name: string): Promise<Tensor> => {
    const location = tensors.get(name);
    if (!location) throw new Error(`${path} has no ${name}`);
    return readStoredTensor(location);
  };
  return {
    names: [...tensors.keys()],
    floats: async (name: string) => (await read(name)) as FloatTensor,
    bytes: async (name: string) => (await read(name)) as Tensor<Uint8Array>,
  };
}

/** Reproducible values in -1..1 (a linear congruence), for tests that need any numbers at all. */
export function someFloats(length: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
