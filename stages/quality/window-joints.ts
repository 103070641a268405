/** What of a window matters here; a `ContextWindow` is one. */
export type WeightedFrames = { readonly frames: readonly number[]; readonly weights: readonly number[] };

export type WindowJoints = {
  /** Frames whose contributing windows are others than those of the frame before, ascending. */
  readonly joints: readonly number[];
  /** Frames to which more than one window contributes, ascending. */
  readonly shared: readonly number[];
};

/**
 * Where windows meet. A slot of weight 0 contributes nothing.
 * @param skip leading frames that are not in the video (the reference picture's own frame: 1); the result counts from there
 */
export function windowJoints(windows: readonly WeightedFrames[], count: number, skip = 0): WindowJoints {
  const sets = Array.from({ length: count }, (): number[] => []);
  for (const [k, { frames, weights }] of windows.entries())
    frames.forEach((frame, slot) => {
      if ((weights[slot] as number) > 0) sets[frame]?.push(k);
    });
  const keys = sets.map((set) => set.join()).slice(skip);
  const frames = keys.map((_, frame) => frame);
  return {
    joints: frames.filter((frame) => frame > 0 && keys[frame] !== keys[frame - 1]),
    shared: frames.filter((frame) => (sets[frame + skip] as number[]).length > 1),
  };
}
