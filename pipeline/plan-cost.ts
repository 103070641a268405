import type { BuiltGraph, Residency } from '../models/onnx/built-graph.js';
import { decodeChunks } from '../stages/decode-latents.js';
import { tileStarts } from '../stages/decode-tiles.js';
import { costFactor } from '../stages/denoise/windows.js';
import { featureBatch } from './control-features.js';
import type { MemoryPlan } from './memory-plan.js';
import type { Plan } from './plan.js';

export type PlanCost = {
  /** Runs of the denoiser: windows x steps. */
  readonly forwards: number;
  /** Frames run through the denoiser for each frame sampled; 1 is the least. */
  readonly factor: number;
  /** Multiply-adds of all networks over the whole run. */
  readonly multiplyAdds: number;
  readonly weightBytes: number;
  /** Estimated peak of the engine's memory: weights as they are held, and activations. */
  readonly memoryBytes: number;
  /** Pages of weight files on top, which the system takes back where it needs room. */
  readonly filePageBytes: number;
  /** Rough need of disk space during the run. */
  readonly diskBytes: number;
};

type CostInputs = Pick<Plan, 'frames' | 'size' | 'windows' | 'schedule' | 'options'> & {
  readonly memory: MemoryPlan;
  /** Files of control pictures. */
  readonly files: number;
};

export function planCost({ frames, size, windows, schedule, options, memory, files }: CostInputs): PlanCost {
  const { steps, largest, decode, features, once } = memory.graphs;
  const { windowsTogether, decodeChunk, decodeTile, residency } = memory.choice;
  const calls = Math.ceil(windows.length / windowsTogether);
  const batches = Math.ceil(frames / featureBatch);
  const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0);
  const decodes = decodeChunks(frames, {
    chunk: decodeChunk,
    overlap: options.decodeOverlap,
    mode: options.decodeMode,
  }).length;
  const tilesOf = (side: number) => tileStarts(side, decodeTile ?? side).length;
  return {
    forwards: windows.length * schedule.timesteps.length,
    factor: costFactor(windows, frames),
    multiplyAdds:
      sum(steps.map(({ graph, runs }) => workOf(graph, calls * runs, residency))) +
      sum(steps.flatMap(({ beside, steps }) => beside.map((graph) => workOf(graph, batches * steps, residency)))) +
      workOf(decode, decodes * tilesOf(size.height) * tilesOf(size.width), residency) +
      sum(features.map((graph) => workOf(graph, batches, residency))) +
      sum(once.map((graph) => workOf(graph, 1, residency))),
    weightBytes: sum([largest.graph, ...largest.beside].map(({ weightBytes }) => weightBytes)),
    memoryBytes: memory.ownBytes,
    filePageBytes: memory.filePageBytes,
    diskBytes: frames * size.width * size.height * 3 * (0.3 + files) + 64 * 2 ** 20,
  };
}

/** Multiply-adds of so many runs of a graph; LoRAs are merged once where weights are prepared in memory. */
function workOf({ multiplyAdds }: BuiltGraph, runs: number, residency: Residency): number {
  const { convolution, linear, attention, merging } = multiplyAdds;
  return runs * (convolution + linear + attention) + (residency === 'fast' ? 1 : runs) * merging;
}
