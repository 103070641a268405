import type { BatchResult, ClipOutcome } from './types.js';

/** How a clip stands, with what was finished before this call told apart. */
export type ShownState = 'done' | 'done earlier' | 'failed' | 'interrupted';

/** What the first clip spent on starting, against the mean of the clips after it, in seconds. */
export type StartUps = { readonly firstSec: number; readonly othersSec: number; readonly others: number };

export type BatchTotals = {
  readonly counts: Readonly<Record<ShownState | 'skipped', number>>;
  /** Clips done by this call a minute of it; undefined where there are none. */
  readonly clipsPerMinute: number | undefined;
  readonly startUps: StartUps | undefined;
  /** Frames of all results. */
  readonly frames: number;
};

export function shownState({ state, earlier }: ClipOutcome): ShownState {
  return state === 'done' && earlier ? 'done earlier' : state;
}

/** Sums up a batch. Clips are taken to have run in the order in which they are listed. */
export function batchTotals({ clips, skipped, seconds }: Omit<BatchResult, 'dir' | 'summary'>): BatchTotals {
  const counts = { done: 0, 'done earlier': 0, failed: 0, interrupted: 0, skipped: skipped.length };
  let frames = 0;
  for (const clip of clips) {
    counts[shownState(clip)]++;
    frames += clip.frames ?? 0;
  }
  const clipsPerMinute = counts.done > 0 && seconds > 0 ? (counts.done / seconds) * 60 : undefined;
  return { counts, clipsPerMinute, startUps: startUpsOf(clips), frames };
}

function startUpsOf(clips: readonly ClipOutcome[]): StartUps | undefined {
  const [first, ...others] = clips.flatMap(({ state, earlier, startUpSec }) =>
    state === 'done' && !earlier && startUpSec !== undefined ? [startUpSec] : [],
  );
  if (first === undefined || others.length === 0) return undefined;
  return {
    firstSec: first,
    othersSec: others.reduce((sum, one) => sum + one, 0) / others.length,
    others: others.length,
  };
}

/** `12 done, 3 done earlier, 1 failed`: only what there is. */
export function countsText(counts: BatchTotals['counts']): string {
  const present = Object.entries(counts).filter(([, count]) => count > 0);
  return present.length > 0 ? present.map(([state, count]) => `${count} ${state}`).join(', ') : 'no clips';
}

/** `start-up 4.1 s for the first clip, 0.2 s for the others`. */
export function startUpsText({ firstSec, othersSec, others }: StartUps): string {
  return `start-up ${firstSec.toFixed(1)} s for the first clip, ${othersSec.toFixed(1)} s for the other${others > 1 ? 's' : ''}`;
}
