import type { Residency } from '../models/onnx/built-graph.js';
import { fusesAttention } from '../models/onnx/ops.js';
import type { Provider } from '../models/runtime/engine.js';
import type { AnimateOptions } from './options/schema.js';
import type { Size } from './size.js';

/** How a run holds what it computes with. What is decoded at once shows a little, what is denoised at once shows. */
export type MemoryChoice = {
  readonly residency: Residency;
  /** The branches of guidance run one after the other. */
  readonly splitGuidance: boolean;
  /** Of the denoiser's attention, where it is not fused. */
  readonly attentionParts: number;
  readonly feedForwardParts: number;
  /** Windows of one call. */
  readonly windowsTogether: number;
  readonly decodeChunk: number;
  /** Side in pixels of the tiles in which frames are decoded; null: whole frames. */
  readonly decodeTile: number | null;
  /** Frames of a window, and how many of them neighbours share. */
  readonly chunk: number;
  readonly overlap: number;
};

export type MemoryRequest = {
  readonly options: Pick<
    AnimateOptions,
    | ('residency' | 'splitGuidance' | 'attentionParts' | 'feedForwardParts')
    | ('windowsTogether' | 'quantize' | 'decodeChunk' | 'decodeTile' | 'chunk' | 'overlap' | 'named')
  >;
  readonly provider: Provider;
  readonly guided: boolean;
  /** Running the branches of guidance one after the other computes no more, and saves a change of graphs. */
  readonly splitIsFree: boolean;
  readonly size: Size;
  /** Frames sampled. */
  readonly frames: number;
  /** Windows of the first step. */
  readonly windowCount: number;
  /** As an unfinished run has chosen; it goes on with that. */
  readonly begun: MemoryChoice | undefined;
};

type Change = Partial<MemoryChoice>;

const attentionPartsTried = [4, 16, 64] as const;
const feedForwardPartsTried = [4, 16] as const;

/** Sides in pixels; smaller tiles know too little of the picture around them. */
const tilesTried = [768, 512, 384, 256, 192, 128] as const;

/** Frames of the smallest window that is chosen here: fewer do not move together. */
const fewestFrames = 4;

/** What is done where there is room: as the options say, or as the unfinished run has begun. */
export function firstChoice({
  options,
  provider,
  guided,
  splitIsFree,
  size,
  windowCount,
  begun,
}: MemoryRequest): MemoryChoice {
  const { splitGuidance, attentionParts, feedForwardParts, windowsTogether, decodeTile } = options;
  const residency = residencyOf(options);
  const tile = decodeTile === 'auto' ? (begun?.decodeTile ?? null) : decodeTile === 'off' ? null : decodeTile;
  return {
    residency: provider !== 'cpu' ? 'fast' : residency === 'auto' ? (begun?.residency ?? 'fast') : residency,
    splitGuidance:
      guided && (splitGuidance === 'auto' ? (begun?.splitGuidance ?? splitIsFree) : splitGuidance === 'on'),
    attentionParts: attentionParts ?? begun?.attentionParts ?? 1,
    feedForwardParts: feedForwardParts ?? begun?.feedForwardParts ?? 1,
    windowsTogether:
      windowsTogether === 'auto' ? (begun?.windowsTogether ?? 1) : Math.min(windowsTogether, windowCount),
    decodeChunk: Math.min(options.decodeChunk, begun?.decodeChunk ?? options.decodeChunk),
    decodeTile: tile !== null && tile < Math.max(size.width, size.height) ? tile : null,
    // A later attempt of a batch may ask for less than was begun with.
    ...(begun && !options.named.chunk && begun.chunk <= options.chunk
      ? { chunk: begun.chunk, overlap: begun.overlap }
      : { chunk: options.chunk, overlap: options.overlap }),
  };
}

/** Quantized weights are made while they are prepared in memory. */
function residencyOf({ residency, quantize }: MemoryRequest['options']) {
  return quantize === 'linear' ? 'fast' : residency;
}

/** What may be saved for the denoiser without another picture: one change after another, the dearest last. */
export function stepSavings({ options, provider, guided, splitIsFree, begun }: MemoryRequest): readonly Change[] {
  if (begun) return [];
  const { splitGuidance, attentionParts, feedForwardParts } = options;
  const residency = residencyOf(options);
  return [
    ...(provider === 'cpu' && residency === 'auto' ? [{ residency: 'low-memory' as const }] : []),
    ...(attentionParts === null && !fusesAttention(provider)
      ? attentionPartsTried.map((parts) => ({ attentionParts: parts }))
      : []),
    ...(guided && !splitIsFree && splitGuidance === 'auto' ? [{ splitGuidance: true }] : []),
    ...(feedForwardParts === null ? feedForwardPartsTried.map((parts) => ({ feedForwardParts: parts })) : []),
  ];
}

/** More windows in a call than in `choice`, most first, on a device and where nobody has said how many. */
export function largerCalls(
  { options, provider, windowCount, begun }: MemoryRequest,
  { windowsTogether }: MemoryChoice,
) {
  if (begun || provider === 'cpu' || options.windowsTogether !== 'auto') return [];
  const most = Math.min(mostTogether, windowCount);
  const changes: Change[] = [];
  for (let together = most; together > windowsTogether; together--) {
    // As many calls as with one window less: that one is less work.
    if (Math.ceil(windowCount / together) === Math.ceil(windowCount / (together - 1))) continue;
    changes.push({ windowsTogether: together });
  }
  return changes;
}

const mostTogether = 4;

/** Windows smaller than those of `choice` that may be taken for it, the largest first; none where somebody chose the chunk. */
export function smallerWindows(
  { options: { named }, frames, begun }: MemoryRequest,
  { chunk, overlap }: MemoryChoice,
): readonly Change[] {
  if (begun || named.chunk) return [];
  const fewest = named.overlap ? Math.max(fewestFrames, overlap + 1) : fewestFrames;
  const most = Math.min(chunk, frames) - 1;
  return Array.from({ length: Math.max(0, most - fewest + 1) }, (_, i) => ({
    chunk: most - i,
    overlap: named.overlap ? overlap : Math.min(overlap, Math.floor((most - i) / 4)),
  }));
}

/** What may be saved for the decoder on top of `choice`: fewer frames at once, and at last tiles, which show. */
export function decodeSavings({ options, size }: MemoryRequest, choice: MemoryChoice): readonly Change[] {
  const changes: Change[] = [];
  for (let chunk = choice.decodeChunk; chunk > 1; ) {
    chunk = Math.ceil(chunk / 2);
    changes.push({ decodeChunk: chunk });
  }
  const side = choice.decodeTile ?? Math.max(size.width, size.height);
  if (options.decodeTile === 'auto') for (const tile of tilesTried) if (tile < side) changes.push({ decodeTile: tile });
  return changes;
}

/** What was saved between two choices, in words. */
export function describeSavings(first: MemoryChoice, last: MemoryChoice): string[] {
  const savings: string[] = [];
  const say = (name: keyof MemoryChoice, text: string) => {
    if (first[name] !== last[name]) savings.push(text);
  };
  say('residency', 'weights are read in place (--residency low-memory)');
  say('attentionParts', `attention computes in ${last.attentionParts} parts (--attention-parts)`);
  say('splitGuidance', 'the branches of guidance run one after the other (--split-guidance on)');
  say('feedForwardParts', `feed-forward layers compute in ${last.feedForwardParts} parts (--feed-forward-parts)`);
  say(
    'chunk',
    `windows have ${last.chunk} instead of ${first.chunk} frames and share ${last.overlap}, which shows; --chunk keeps a number`,
  );
  say(
    'decodeChunk',
    `${last.decodeChunk} instead of ${first.decodeChunk} frames are decoded at once, which shows a little (--decode-chunk)`,
  );
  say(
    'decodeTile',
    `frames are decoded in tiles of ${last.decodeTile} pixels, which shows a little (--decode-tile off for whole frames)`,
  );
  return savings;
}
