import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Provider } from '../models/runtime/engine.js';
import { freeMemory } from '../models/runtime/memory.js';
import type { AnimateOptions } from './options/schema.js';

/** Memory that the engine may use, and how that is known. */
export type MemoryBudget = { readonly bytes: number; readonly from: 'option' | 'machine' | 'device' };

/** Left of what is free for everything else on the machine or the device. */
const reserveShare = 0.1;

/** What `--vram` allows, else what is free on the machine or, where it can be asked, on the device. */
export async function memoryBudget(
  provider: Provider,
  { vram, deviceId }: Pick<AnimateOptions, 'vram' | 'deviceId'>,
  signal?: AbortSignal,
): Promise<MemoryBudget | undefined> {
  if (vram !== 'auto') return { bytes: vram, from: 'option' };
  if (provider === 'cpu') return { bytes: freeMemory() * (1 - reserveShare), from: 'machine' };
  const free = provider === 'cuda' ? await freeOnNvidia(deviceId, signal) : undefined;
  return free === undefined ? undefined : { bytes: free * (1 - reserveShare), from: 'device' };
}

/** Free bytes of an NVIDIA GPU, as its driver's program says; undefined where that is not there. */
async function freeOnNvidia(deviceId: number, signal: AbortSignal | undefined): Promise<number | undefined> {
  const query = [`--id=${deviceId}`, '--query-gpu=memory.free', '--format=csv,noheader,nounits'];
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 5000, maxBuffer: 65536, signal });
    return /^\d+$/.test(stdout.trim()) ? Number(stdout.trim()) * 2 ** 20 : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
