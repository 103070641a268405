import { PantomimeError } from '../models/errors.js';
import type { BuiltGraph } from '../models/onnx/built-graph.js';
import { emptyEngine, graphMemory, togetherMemory } from '../models/runtime/memory.js';
import type { MemoryBudget } from './memory-budget.js';
import {
  decodeSavings,
  describeSavings,
  firstChoice,
  largerCalls,
  type MemoryChoice,
  type MemoryRequest,
  smallerWindows,
  stepSavings,
} from './memory-choice.js';
import { formatBytes } from './progress/report-text.js';

/** Steps that do the same. */
export type PlannedSteps = {
  readonly steps: number;
  /** The denoiser with the controls that work in it, and how often it is run for each of its calls. */
  readonly graph: BuiltGraph;
  readonly runs: number;
  /** Control features of one batch of frames, of each module whose features are computed beside it at every step. */
  readonly beside: readonly BuiltGraph[];
  /** Of features that are kept for it. */
  readonly keptBytes: number;
};

/** Graphs of a run under a choice; each is built anew when it is asked for. */
export type GraphMaker = {
  readonly steps: (choice: MemoryChoice) => readonly PlannedSteps[];
  readonly decode: (choice: MemoryChoice) => BuiltGraph;
  /** Control features of one batch of frames, of each module whose features are computed once for all steps. */
  readonly features: (choice: MemoryChoice) => readonly BuiltGraph[];
  readonly once: (choice: MemoryChoice) => readonly BuiltGraph[];
};

export type PlannedGraphs = {
  readonly steps: readonly PlannedSteps[];
  /** Those that need most. */
  readonly largest: PlannedSteps;
  readonly decode: BuiltGraph;
  readonly features: readonly BuiltGraph[];
  readonly once: readonly BuiltGraph[];
};

export type MemoryPlan = {
  readonly choice: MemoryChoice;
  readonly graphs: PlannedGraphs;
  readonly budget: MemoryBudget | undefined;
  /** Estimated peak of the engine's own memory: the networks are never in it together. */
  readonly ownBytes: number;
  /** Pages of weight files that come on top where there is room. */
  readonly filePageBytes: number;
  /** What was done to fit, in words. */
  readonly savings: readonly string[];
};

/** Several windows a call must fit into so much of the budget: what a device needs is an estimate, and they are no necessity. */
const largerCallsShare = 0.5;

/**
 * Chooses how the networks are held and run so that the largest fits into the budget. What changes no picture is saved first:
 * weights read in place, attention in parts where it is not fused, the branches of guidance one after the other, feed-forward
 * layers in parts. Where there is far more room on a device, several windows go into one call. Then comes what shows: smaller windows where nobody chose their size, fewer frames decoded at once, and tiles.
 * Without a budget nothing is saved. Throws PantomimeError `memory.short` when a budget that was given is too small for all of it.
 */
export function planMemory(request: MemoryRequest, budget: MemoryBudget | undefined, make: GraphMaker): MemoryPlan {
  const allowed = budget?.bytes ?? Number.POSITIVE_INFINITY;
  /** A choice with the steps that it makes, which are dear to build. */
  const tried = (choice: MemoryChoice) => {
    const steps = make.steps(choice);
    return { choice, steps, needed: Math.max(...steps.map(stepNeed)) };
  };
  const first = firstChoice(request);
  let best = tried(first);
  const larger = budget && best.needed <= allowed ? largerCalls(request, first) : [];
  for (const change of larger) {
    const more = tried({ ...first, ...change });
    if (more.needed > allowed * largerCallsShare) continue;
    best = more;
    break;
  }
  for (const saving of stepSavings(request)) {
    if (best.needed <= allowed) break;
    const saved = tried({ ...best.choice, ...saving });
    if (saved.needed < best.needed) best = saved;
  }
  const saved = best.choice;
  const fitsWith = (saving: Partial<MemoryChoice>) => tried({ ...saved, ...saving }).needed <= allowed;
  const smaller = best.needed <= allowed ? undefined : firstThat(smallerWindows(request, saved), fitsWith);
  if (smaller) best = tried({ ...saved, ...smaller });
  const { steps } = best;
  let { choice } = best;
  let decode = make.decode(choice);
  for (const saving of decodeSavings(request, choice)) {
    if (needOf(decode) <= allowed) break;
    choice = { ...choice, ...saving };
    decode = make.decode(choice);
  }
  const largest = steps.reduce((a, b) => (stepNeed(b) > stepNeed(a) ? b : a));
  const graphs = { steps, largest, decode, features: make.features(choice), once: make.once(choice) };
  const others = [decode, ...graphs.features, ...graphs.once];
  const other = others.reduce((a, b) => (needOf(b) > needOf(a) ? b : a));
  const ownBytes = Math.max(stepNeed(largest), needOf(other));
  const worst = stepNeed(largest) >= needOf(other) ? largest.graph : other;
  const lacking = budget && ownBytes > budget.bytes;
  if (lacking && budget.from === 'option') {
    const whole = worst === decode && request.options.decodeTile === 'off';
    const hint =
      worst === largest.graph ? fittingChunk(request, choice, fitsWith) : whole ? '--decode-tile auto' : undefined;
    throw tooLittle(worst, ownBytes, budget, hint);
  }
  return {
    choice,
    graphs,
    budget,
    ownBytes,
    filePageBytes: Math.max(
      togetherMemory([largest.graph, ...largest.beside]).filePageBytes,
      ...others.map((graph) => graphMemory(graph).filePageBytes),
    ),
    savings: [
      ...describeSavings(first, choice),
      ...(lacking ? [`${formatBytes(ownBytes)} are needed and ${formatBytes(budget.bytes)} are free`] : []),
    ],
  };
}

/** Memory of the engine's own that one graph needs at most. */
function needOf(graph: BuiltGraph): number {
  return emptyEngine.ownBytes + graphMemory(graph).ownBytes;
}

/** The same for a step, with what lies in the engine beside it. */
function stepNeed({ graph, beside, keptBytes }: PlannedSteps): number {
  return emptyEngine.ownBytes + togetherMemory([graph, ...beside]).ownBytes + keptBytes;
}

/** The first of `items` that `does`, where all after one that does do too; undefined where none does. */
function firstThat<T>(items: readonly T[], does: (item: T) => boolean): T | undefined {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (does(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return items[low];
}

/** What to type for the largest windows that would fit. */
function fittingChunk(
  { frames }: MemoryRequest,
  choice: MemoryChoice,
  fitsWith: (saving: Partial<MemoryChoice>) => boolean,
): string | undefined {
  const most = Math.min(choice.chunk, frames) - 1;
  const chunks = Array.from({ length: most }, (_, i) => most - i);
  const chunk = firstThat(chunks, (fewer) => fitsWith({ chunk: fewer }));
  if (!chunk) return undefined;
  return choice.overlap < chunk ? `--chunk ${chunk}` : `--chunk ${chunk} --overlap ${Math.floor(chunk / 4)}`;
}

function tooLittle(graph: BuiltGraph, bytes: number, budget: MemoryBudget, saving: string | undefined): PantomimeError {
  return new PantomimeError({
    code: 'memory.short',
    kind: 'usage',
    what: 'this run does not fit into the memory it may use, with everything saved that can be',
    where: `--vram, ${graph.name}`,
    got: formatBytes(budget.bytes),
    expected: formatBytes(bytes),
    hint: saving ? `${saving}, or a smaller --width and --height` : 'a smaller --width and --height',
  });
}
