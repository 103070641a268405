import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

import type { BuiltGraph, Residency } from '../onnx/built-graph.js';

/** How weights shall be held: `auto` decides by free memory. */
export type ResidencyChoice = Residency | 'auto';

/**
 * While a graph is prepared, folded float16 weights need up to this multiple of their size (a float32 copy, the packed
 * copy, and the file), measured for linear layers, which are most of the weights.
 */
const fastPeakFactor = 3;

/** An engine without a graph. */
export const engineBytes = 150 * 2 ** 20;

/**
 * The runtime's arena grows past what is alive together: 1.6 (VAE) to 2.4 (denoiser) times as much was measured on the
 * CPU, at 8 to 24 frames of up to 384x256.
 */
const arenaFactor = 2.4;

/** Estimated memory of what a graph computes while it runs, and keeps for its next run. */
export function activationBytes(graph: Pick<BuiltGraph, 'peakActivationBytes'>): number {
  return graph.peakActivationBytes * arenaFactor;
}

/** Estimated peak of the engine's memory for one graph, weights and activations. */
export function graphBytes(
  graph: Pick<BuiltGraph, 'weightBytes' | 'mergedBytes' | 'peakActivationBytes'>,
  residency: Residency,
): number {
  const weights = residency === 'fast' ? graph.weightBytes * fastPeakFactor + graph.mergedBytes : graph.weightBytes;
  return weights + activationBytes(graph);
}

/** Left for activations, frames and everything else on the machine. */
const reserveBytes = 2 * 1024 ** 3;

/**
 * Residency for weights of `weightBytes` on a CPU when `freeBytes` of memory are free. `auto` takes `fast` where its
 * peak fits with a reserve, otherwise `low-memory`.
 */
export function chooseResidency(choice: ResidencyChoice, weightBytes: number, freeBytes: number): Residency {
  if (choice !== 'auto') return choice;
  return weightBytes * fastPeakFactor + reserveBytes <= freeBytes ? 'fast' : 'low-memory';
}

/**
 * Bytes a new process may use: free memory and reclaimable file cache of the machine, or what the control groups of
 * this process (containers, services) leave, whichever is less.
 */
export function freeMemory(): number {
  const meminfo = readText('/proc/meminfo');
  const available = meminfo && /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  const machine = available ? Number(available) * 1024 : freemem();
  return Math.min(machine, ...controlGroups().map(roomInControlGroup));
}

/** Bytes of memory that the machine has, or that the control groups of this process allow, whichever is less. */
export function totalMemory(): number {
  const limits = controlGroups().map(limitOfControlGroup);
  return Math.min(totalmem(), ...limits.filter((limit) => limit !== undefined));
}

/**
 * Cores that this process may use at a time: those it may run on, or what the control groups (version 2) allow, whichever
 * is less; e.g. 1.5.
 */
export function usableCores(): number {
  const quotas = controlGroups().map((folder) => /^(\d+) (\d+)$/m.exec(readText(join(folder, 'cpu.max')) ?? ''));
  return Math.min(
    availableParallelism(),
    ...quotas.filter(Boolean).map((quota) => Number(quota?.[1]) / Number(quota?.[2])),
  );
}

/**
 * How many processes the system has ended so far for want of memory, on this machine or in the control groups of this
 * process; 0 where that cannot be told.
 */
export function oomKills(): number {
  const machine = /^oom_kill (\d+)$/m.exec(readText('/proc/vmstat') ?? '')?.[1];
  const groups = controlGroups().map(
    (folder) => /^oom_kill (\d+)$/m.exec(readText(join(folder, 'memory.events')) ?? '')?.[1],
  );
  return Math.max(0, ...[machine, ...groups].map((count) => Number(count ?? 0)));
}

/** Folders of the control groups of this process, innermost first (version 2, then version 1 memory groups). */
function controlGroups(): string[] {
  const folders: string[] = [];
  for (const line of (readText('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined || (controllers !== '' && controllers !== 'memory')) continue;
    const mount = controllers === 'memory' ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
    for (let group = path; ; group = dirname(group)) {
      folders.push(join(mount, group));
      if (group === '/') break;
    }
  }
  return folders;
}

/** Limit minus use of one group; file cache that can be dropped does not count as used. No limit: Infinity. */
function roomInControlGroup(folder: string): number {
  const limit = limitOfControlGroup(folder);
  const used = readCount(join(folder, 'memory.current')) ?? readCount(join(folder, 'memory.usage_in_bytes'));
  if (limit === undefined || used === undefined) return Number.POSITIVE_INFINITY;
  const stat = readText(join(folder, 'memory.stat')) ?? '';
  const cache = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  return Math.max(0, limit - Math.max(0, used - cache));
}

function limitOfControlGroup(folder: string): number | undefined {
  return readCount(join(folder, 'memory.max')) ?? readCount(join(folder, 'memory.limit_in_bytes'));
}

function readCount(path: string): number | undefined {
  const text = readText(path)?.trim();
  return text && /^\d+$/.test(text) ? Number(text) : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
