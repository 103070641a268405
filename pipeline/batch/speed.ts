import { availableParallelism } from 'node:os';
import type { Plan } from '../plan.js';
import { readLedgers } from './ledger.js';

/** How fast clips are made, everything included, and how that is known. */
export type Speed = { readonly multiplyAddsPerSec: number; readonly basis: 'clips of this batch' | 'a usual CPU' };

/**
 * What a CPU core does in a whole run of the embedded model, decoding, poses and encoding included: measured on a server core of
 * 2023 at 128x192. Others differ by a factor of two or three.
 */
const usualPerCore = 8e9;

/** The speed of clips that are done already; else a guess for CPUs, and nothing for GPUs, which differ too much. */
export async function speedOf({ provider, options }: Plan, dir: string): Promise<Speed | undefined> {
  const rates = [...(await readLedgers(dir)).values()].flatMap(({ outcome }) => {
    const { multiplyAdds, seconds } = outcome ?? {};
    return multiplyAdds && seconds ? [multiplyAdds / seconds] : [];
  });
  rates.sort((a, b) => a - b);
  const median = rates[Math.floor(rates.length / 2)];
  if (median !== undefined) return { multiplyAddsPerSec: median, basis: 'clips of this batch' };
  if (provider !== 'cpu') return undefined;
  const threads = options.threads ?? availableParallelism();
  return { multiplyAddsPerSec: usualPerCore * threads, basis: 'a usual CPU' };
}
