import { PantomimeError } from '../models/errors.js';
import type { BuiltGraph, Residency } from '../models/onnx/built-graph.js';
import type { Provider } from '../models/runtime/engine.js';
import { emptyEngine, graphMemory } from '../models/runtime/memory.js';
import type { MemoryBudget } from './memory-budget.js';
import type { AnimateOptions } from './options/schema.js';
import { formatBytes } from './progress/report-text.js';

/** How a run holds what it computes with; changes no picture but through the decode chunk. */
export type MemoryChoice = {
  readonly residency: Residency;
  /** The branches of guidance run one after the other. */
  readonly splitGuidance: boolean;
  readonly feedForwardParts: number;
  readonly decodeChunk: number;
};

/** The denoiser with the controls that work in it, and how often it runs for each window. */
export type PlannedSteps = { readonly graph: BuiltGraph; readonly runs: number };

/** Graphs of a run under a choice; each is built anew when it is asked for. */
export type GraphMaker = {
  /** Frames of a window. */
  readonly chunk: number;
  /** @param chunk other windows than those planned */
  readonly steps: (choice: MemoryChoice, chunk?: number) => readonly PlannedSteps[];
  readonly decode: (choice: MemoryChoice) => BuiltGraph;
  /** Control features of one batch of frames, of each module whose features are computed once for all steps. */
  readonly features: (choice: MemoryChoice) => readonly BuiltGraph[];
  readonly once: (choice: MemoryChoice) => readonly BuiltGraph[];
};

export type PlannedGraphs = {
  readonly steps: readonly PlannedSteps[];
  /** The step that needs most. */
  readonly largest: BuiltGraph;
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

export type MemoryRequest = {
  readonly options: Pick<AnimateOptions, 'residency' | 'splitGuidance' | 'feedForwardParts' | 'decodeChunk'>;
  readonly provider: Provider;
  readonly guided: boolean;
  /** Running the branches of guidance one after the other computes no more, and saves a change of graphs. */
  readonly splitIsFree: boolean;
  /** As an unfinished run has chosen; it goes on with that. */
  readonly begun: MemoryChoice | undefined;
  readonly budget: MemoryBudget | undefined;
};

const partsTried = [1, 4, 16] as const;

/**
 * Chooses how the networks are held and run so that the largest fits into the budget, the dearest saving last: weights read
 * in place, the branches of guidance one after the other, feed-forward layers in parts, fewer frames decoded at once. Without a
 * budget nothing is saved. Throws PantomimeError `memory.short` when a budget that was given is too small for all of it.
 */
export function planMemory(request: MemoryRequest, make: GraphMaker): MemoryPlan {
  const { budget } = request;
  const fits = (graph: BuiltGraph) => budget === undefined || needOf(graph) <= budget.bytes;
  const choices = stepChoices(request);
  let choice = choices[0] as MemoryChoice;
  let steps = make.steps(choice);
  for (const next of choices.slice(1)) {
    if (steps.every(({ graph }) => fits(graph))) break;
    choice = next;
    steps = make.steps(choice);
  }
  const largest = neediest(steps.map(({ graph }) => graph));
  let decode = make.decode(choice);
  while (!fits(decode) && choice.decodeChunk > 1) {
    choice = { ...choice, decodeChunk: Math.ceil(choice.decodeChunk / 2) };
    decode = make.decode(choice);
  }
  const fittingChunk = (stepIsWorst: boolean) => {
    if (!stepIsWorst) return undefined;
    for (let chunk = Math.floor(make.chunk / 2); chunk >= 1; chunk = Math.floor(chunk / 2))
      if (make.steps(choice, chunk).every(({ graph }) => fits(graph)))
        return `--chunk ${chunk}, or a smaller --width and --height`;
    return undefined;
  };
  const graphs = { steps, largest, decode, features: make.features(choice), once: make.once(choice) };
  const all = [largest, decode, ...graphs.features, ...graphs.once];
  const worst = neediest(all);
  const short = budget && needOf(worst) > budget.bytes;
  if (short && budget.from === 'option') throw tooLittle(worst, budget, fittingChunk(worst === largest));
  return {
    choice,
    graphs,
    budget,
    ownBytes: needOf(worst),
    filePageBytes: Math.max(...all.map((graph) => graphMemory(graph).filePageBytes)),
    savings: [
      ...savingsOf(choices[0] as MemoryChoice, choice),
      ...(short ? [`${formatBytes(needOf(worst))} are needed and ${formatBytes(budget.bytes)} are free`] : []),
    ],
  };
}

/** Memory of the engine's own that one graph needs at most. */
function needOf(graph: BuiltGraph): number {
  return emptyEngine.ownBytes + graphMemory(graph).ownBytes;
}

function neediest(graphs: readonly BuiltGraph[]): BuiltGraph {
  return graphs.reduce((a, b) => (needOf(b) > needOf(a) ? b : a));
}

/** What may be tried for the denoiser, each needing less than the one before. */
function stepChoices({ options, provider, guided, splitIsFree, begun }: MemoryRequest): MemoryChoice[] {
  const { residency, splitGuidance, feedForwardParts, decodeChunk } = options;
  if (begun) {
    return [
      {
        residency: residency === 'auto' ? begun.residency : residency,
        splitGuidance: splitGuidance === 'auto' ? begun.splitGuidance : splitGuidance === 'on',
        feedForwardParts: feedForwardParts ?? begun.feedForwardParts,
        decodeChunk: Math.min(decodeChunk, begun.decodeChunk),
      },
    ];
  }
  const residencies: readonly Residency[] =
    provider !== 'cpu' ? ['fast'] : residency === 'auto' ? ['fast', 'low-memory'] : [residency];
  const splits = !guided
    ? [false]
    : splitGuidance !== 'auto'
      ? [splitGuidance === 'on']
      : splitIsFree
        ? [true]
        : [false, true];
  const parts = feedForwardParts === null ? partsTried : [feedForwardParts];
  let choice = {
    ...{ residency: residencies[0] as Residency, splitGuidance: splits[0] as boolean },
    ...{ feedForwardParts: parts[0] as number, decodeChunk },
  };
  const choices = [choice];
  const then = (change: Partial<MemoryChoice>) => {
    choice = { ...choice, ...change };
    choices.push(choice);
  };
  for (const next of residencies.slice(1)) then({ residency: next });
  for (const next of splits.slice(1)) then({ splitGuidance: next });
  for (const next of parts.slice(1)) then({ feedForwardParts: next });
  return choices;
}

function savingsOf(first: MemoryChoice, last: MemoryChoice): string[] {
  return [
    ...(first.residency !== last.residency ? ['weights are read in place (--residency low-memory)'] : []),
    ...(first.splitGuidance !== last.splitGuidance
      ? ['the branches of guidance run one after the other (--split-guidance on)']
      : []),
    ...(first.feedForwardParts !== last.feedForwardParts
      ? [`feed-forward layers compute in ${last.feedForwardParts} parts (--feed-forward-parts)`]
      : []),
    ...(first.decodeChunk !== last.decodeChunk
      ? [
          `${last.decodeChunk} instead of ${first.decodeChunk} frames are decoded at once, which shows a little (--decode-chunk)`,
        ]
      : []),
  ];
}

function tooLittle(graph: BuiltGraph, budget: MemoryBudget, fitting: string | undefined): PantomimeError {
  return new PantomimeError({
    code: 'memory.short',
    kind: 'usage',
    what: 'this run does not fit into the memory it may use, with everything saved that can be',
    where: `--vram, ${graph.name}`,
    got: formatBytes(budget.bytes),
    expected: formatBytes(needOf(graph)),
    hint: fitting ?? 'a smaller --width and --height',
  });
}
