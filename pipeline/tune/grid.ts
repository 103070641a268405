import {
  type Anchor,
  type ContextWindow,
  contextWindows,
  costFactor,
  type Fusion,
} from '../../stages/denoise/windows.js';
import { windowJoints } from '../../stages/quality/window-joints.js';
import type { Cell, CellSettings } from './types.js';

/** What is varied. */
export type GridLists = {
  readonly chunks: readonly number[];
  readonly overlaps: readonly number[];
  readonly fusions: readonly Fusion[];
  readonly steps: readonly number[];
};

/** The clip that all cells make, and what of the windows is not varied. */
export type GridClip = {
  /** Of the video; one more is sampled, the reference picture's own. */
  readonly frames: number;
  readonly anchor: Anchor;
  readonly phaseRotation: boolean;
  readonly noise: string;
};

/** A cell before it is run. */
export type PlannedCell = {
  readonly id: string;
  readonly settings: CellSettings;
  /** Of the first step, over 1 + frames; empty for an impossible cell. */
  readonly windows: readonly ContextWindow[];
  /** See `costFactor`. */
  readonly factor: number;
  /** Predicted cost: frames run through the network, over all steps. */
  readonly forwardFrames: number;
  /** Why it is not run; undefined for a cell that is. */
  readonly why: string | undefined;
};

/**
 * All cells in the order in which they are run: by chunk, so that an engine serves one chunk after the other, then from the
 * cheapest on. A cell that cannot be run, or would repeat another one, is there with the reason.
 */
export function planGrid(lists: GridLists, clip: GridClip): readonly PlannedCell[] {
  const seen = new Map<string, string>();
  return cellsOf(lists).map((settings): PlannedCell => {
    const id = cellId(settings);
    const impossible = whyImpossible(settings, clip.frames);
    if (impossible) return { id, settings, windows: [], factor: 0, forwardFrames: 0, why: impossible };
    const count = clip.frames + 1;
    const windows = contextWindows(count, { ...settings, anchor: clip.anchor });
    const factor = costFactor(windows, count);
    const signature = signatureOf(settings, windows, clip);
    const same = seen.get(signature);
    if (!same) seen.set(signature, id);
    const why = same && `its windows do the same as those of ${same}`;
    return { id, settings, windows, factor, forwardFrames: factor * count * settings.steps, why };
  });
}

export function cellId({ chunk, overlap, fusion, steps }: CellSettings): string {
  return `c${chunk}-o${overlap}-${fusion}-s${steps}`;
}

/** Frames of the video that make three windows of the largest chunk with the smallest overlap it can have. */
export function excerptFrames({ chunks, overlaps }: GridLists): number {
  const chunk = Math.max(...chunks.filter((one) => overlaps.some((overlap) => overlap < one)));
  const overlap = Math.min(...overlaps);
  return 3 * chunk - 2 * overlap - 1;
}

export type ShownWindows = Pick<Cell, 'windows' | 'joints'> & {
  /** Frames of the video to which more than one window contributes. */
  readonly shared: readonly number[];
  /** Frames from one window to the next; undefined for too few windows. */
  readonly period: number | undefined;
};

/**
 * Windows and joints as a result tells them: in frames of the video. Windows that move at every step have no joints that stay.
 * @param skip sampled frames before the video's first: the reference picture's own (-1 in the result), unless it was kept
 */
export function shownWindows(
  { windows }: Pick<PlannedCell, 'windows'>,
  { frames, phaseRotation }: Pick<GridClip, 'frames' | 'phaseRotation'>,
  skip = 1,
): ShownWindows {
  const shown = windows.map(({ frames: of, weights }) => ({ frames: of.map((frame) => frame - skip), weights }));
  const { joints, shared } = phaseRotation ? { joints: [], shared: [] } : windowJoints(windows, frames + skip, skip);
  const [first, second] = windows;
  const period = first && second && windows.length > 2 && !phaseRotation ? lastOf(second) - lastOf(first) : undefined;
  return { windows: shown, joints, shared, period };
}

function cellsOf({ chunks, overlaps, fusions, steps }: GridLists): CellSettings[] {
  const ascending = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);
  const cells: CellSettings[] = [];
  for (const chunk of ascending(chunks))
    for (const count of ascending(steps))
      for (const fusion of new Set(fusions))
        for (const overlap of ascending(overlaps)) cells.push({ chunk, overlap, fusion, steps: count });
  return cells;
}

function whyImpossible({ chunk, overlap }: CellSettings, frames: number): string | undefined {
  if (overlap >= chunk) return `the overlap ${overlap} is not less than the chunk ${chunk}`;
  if (chunk > frames + 1)
    return `the chunk ${chunk} is longer than the excerpt: ${frames} frames and the reference picture`;
  return undefined;
}

/** What a cell's runs depend on: the same for cells that would give the same video. */
function signatureOf(
  { chunk, overlap, steps }: CellSettings,
  windows: readonly ContextWindow[],
  clip: GridClip,
): string {
  const total = Array.from({ length: clip.frames + 1 }, () => 0);
  for (const { frames, weights } of windows)
    frames.forEach((frame, slot) => {
      total[frame] = (total[frame] as number) + (weights[slot] as number);
    });
  const shares = windows.map(({ frames, poses, weights }) => [
    poses,
    frames.map((frame, slot) => [frame, Math.round(((weights[slot] as number) / (total[frame] as number)) * 1e9)]),
  ]);
  // These lay the noise, or the windows of later steps, by chunk and overlap themselves.
  const more = clip.noise === 'freenoise' || (clip.phaseRotation && windows.length > 1) ? [chunk, overlap] : [];
  return JSON.stringify([steps, shares, more]);
}

function lastOf({ frames }: ContextWindow): number {
  return frames.at(-1) as number;
}
