import type { PoseSequence } from '../types.js';

/** Frames `first` to `last`, counted from 0, both included. */
export type FrameRange = { readonly first: number; readonly last: number };

/** The runs of frames in which nobody was found, in order. */
export function framesWithoutPeople({ frames }: Pick<PoseSequence, 'frames'>): readonly FrameRange[] {
  const ranges: FrameRange[] = [];
  frames.forEach(({ people }, frame) => {
    if (people.length > 0) return;
    const open = ranges.at(-1);
    if (open?.last === frame - 1) ranges[ranges.length - 1] = { first: open.first, last: frame };
    else ranges.push({ first: frame, last: frame });
  });
  return ranges;
}
