import { freeMemory, usableCores } from '../models/runtime/memory.js';

/** What a worker needs, all networks loaded. */
const workerBytes = 0.4e9;
/** Workers may take this share of the memory that is free. */
const memoryShare = 0.5;
/** One process hands out the frames; it cannot keep more workers than this busy. */
const mostWorkers = 16;

/** Whether networks compute on the CPU at the same time. */
export type Beside = 'nothing' | 'cpu-engine';

/** How many pose workers: as many as asked for, else one a core that is left, as far as memory goes. */
export function poseWorkers(
  chosen: number | null,
  beside: Beside,
  machine: { readonly cores: number; readonly freeBytes: number } = { cores: usableCores(), freeBytes: freeMemory() },
): number {
  if (chosen !== null) return chosen;
  const cores = Math.floor(machine.cores / (beside === 'cpu-engine' ? 2 : 1));
  const room = Math.floor((machine.freeBytes * memoryShare) / workerBytes);
  return Math.max(1, Math.min(cores, room, mostWorkers));
}
