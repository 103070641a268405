import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

import type { BuiltGraph, Residency } from '../onnx/built-graph.js';

/** How weights shall be held: `auto` decides by free memory. */
export type ResidencyChoice = Residency | 'auto';

/** What a graph needs in the engine at its worst moment. */
export type GraphMemory = {
  /** Memory of the engine's own, which the system cannot take back. */
  readonly ownBytes: number;
  /** Pages of weight files in memory; they count as cache and are read again when they are needed. */
  readonly filePageBytes: number;
};

/** An engine without a graph: its own memory, and libraries mapped from files. */
export const emptyEngine: GraphMemory = { ownBytes: 30 * 2 ** 20, filePageBytes: 65 * 2 ** 20 };

/**
 * While a graph is prepared, folded weights need up to this multiple of their size as float32: the float32 and the packed
 * copy. 1.35 (linear layers) to 2.5 (convolutions) was measured for single layers, 1.6 for SVD's UNet.
 */
const foldingFactor = 1.65;

/**
 * Where weights are packed, convolutions work on blocked copies of what they are given: 1.15 to 1.24 times the memory of plain
 * tensors was measured.
 */
const blockingFactor = 1.2;

/** The runtime's own description of a graph, as a multiple of the model's bytes. */
const descriptionFactor = 24;

/** What a device's context, libraries and their work space take; an estimate, not measured. */
const deviceBytes = 768 * 2 ** 20;

/**
 * Estimated need of one graph, in the engine on a CPU, else on the device, where weights lie once, converted. Checked on the
 * CPU against measurements (docs/memory.md).
 */
export function graphMemory(
  graph: Pick<
    BuiltGraph,
    'residency' | 'target' | 'weightBytes' | 'convertedWeightBytes' | 'mergedBytes' | 'peakActivationBytes'
  > & {
    readonly model: Pick<Uint8Array, 'length'>;
  },
): GraphMemory {
  if (graph.target !== 'cpu')
    return { ownBytes: deviceBytes + graph.convertedWeightBytes + graph.peakActivationBytes, filePageBytes: 0 };
  const description = graph.model.length * descriptionFactor;
  if (graph.residency === 'low-memory')
    return { ownBytes: description + graph.peakActivationBytes, filePageBytes: graph.weightBytes };
  const running = graph.convertedWeightBytes + graph.peakActivationBytes * blockingFactor;
  const preparing = graph.convertedWeightBytes * foldingFactor + graph.mergedBytes;
  return { ownBytes: description + Math.max(preparing, running), filePageBytes: 0 };
}

/** The same for several graphs that lie in the engine together, of which one runs at a time. */
export function togetherMemory(graphs: readonly Parameters<typeof graphMemory>[0][]): GraphMemory {
  const each = graphs.map((graph) => ({ ...graphMemory(graph), idleBytes: idleBytes(graph) }));
  const idle = each.reduce((sum, { idleBytes }) => sum + idleBytes, 0);
  return {
    ownBytes: Math.max(...each.map(({ ownBytes, idleBytes }) => idle - idleBytes + ownBytes)),
    filePageBytes: each.reduce((sum, { filePageBytes }) => sum + filePageBytes, 0),
  };
}

/** Of a graph that is loaded and does not run, without what graphs of a device share. */
function idleBytes({ target, residency, model, convertedWeightBytes }: Parameters<typeof graphMemory>[0]): number {
  if (target !== 'cpu') return convertedWeightBytes;
  return model.length * descriptionFactor + (residency === 'low-memory' ? 0 : convertedWeightBytes);
}

/** `graphMemory` as one number. */
export function graphBytes(graph: Parameters<typeof graphMemory>[0]): number {
  const { ownBytes, filePageBytes } = graphMemory(graph);
  return ownBytes + filePageBytes;
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
