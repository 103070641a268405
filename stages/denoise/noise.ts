/** How the start noise of frames relates. */
export type NoiseLayout = 'independent' | 'shared' | 'freenoise';

/**
 * Which frame's noise each frame starts from. `independent`: its own. `shared`: the first one's, so that what does not move
 * is drawn alike in every frame. `freenoise` (Qiu et al. 2023): the frames after the first `chunk` repeat earlier ones,
 * `stride` at a time in shuffled order, so that windows far apart share their low frequencies and backgrounds agree.
 * @param random uniform numbers in [0, 1), the same sequence for the same seed
 * @returns source frame of each frame, length `count`
 */
export function noiseSources(
  layout: NoiseLayout,
  count: number,
  chunk: number,
  stride: number,
  random: () => number,
): number[] {
  const sources = Array.from({ length: count }, (_, frame) => frame);
  if (layout === 'independent') return sources;
  if (layout === 'shared') return sources.fill(0);
  for (let start = 0; start + chunk < count; start += stride) {
    const block = sources.slice(start, start + stride);
    for (let i = block.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [block[i], block[j]] = [block[j] as number, block[i] as number];
    }
    block.slice(0, count - start - chunk).forEach((source, i) => {
      sources[start + chunk + i] = source;
    });
  }
  return sources;
}
