import { readTensor } from '../models/checkpoint/read-tensor.js';
import { openSafetensors } from '../models/checkpoint/safetensors.js';
import { writeSafetensors } from '../models/checkpoint/write-safetensors.js';
import type { FloatTensor } from '../models/tensor.js';

/** Tensors of a run, whole or not at all. The same values give the same bytes. */
export function writeTensors(path: string, tensors: Readonly<Record<string, FloatTensor>>): Promise<void> {
  const entries = Object.entries(tensors).map(([name, { dims, data }]) => {
    return { name, dtype: 'float32' as const, shape: dims, data };
  });
  return writeSafetensors(path, entries);
}

/** Tensors written earlier. Throws PantomimeError when the file is no such file. */
export async function readTensors(path: string): Promise<Record<string, FloatTensor>> {
  const { tensors } = await openSafetensors(path);
  const read = [...tensors].map(async ([name, location]) => [name, await readTensor(location)] as const);
  return Object.fromEntries(await Promise.all(read));
}
