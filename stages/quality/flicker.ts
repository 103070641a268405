import type { RgbImage } from '../types.js';
import { areaOf, dilate, intersection, type Mask, maskWhere } from './mask.js';
import { requireSameSize } from './psnr.js';

/**
 * Pixels that are background in all frames of a clip, and at least `margin` pixels from anything that is not: where a
 * picture ought to stand still while the figure moves.
 * @param figures one mask a frame, of everything that is not background
 */
export function staticBackground(figures: readonly Mask[], margin = 4): Mask {
  const away = figures.map((figure) => maskWhere(dilate(figure, margin), (inside) => inside === 0));
  return intersection(away);
}

/**
 * Mean absolute difference of neighbouring frames over the pixels of a region, in levels of 0..255. Undefined for fewer
 * than two frames or an empty region. A number of its own; a ratio to another clip's needs {@link flickerRatio}.
 */
export function flicker(frames: readonly RgbImage[], region: Mask): number | undefined {
  const area = areaOf(region);
  if (frames.length < 2 || area === 0) return undefined;
  let sum = 0;
  for (const [k, frame] of frames.entries()) {
    requireSameSize(frame, region);
    const before = frames[k - 1];
    if (!before) continue;
    region.data.forEach((counts, i) => {
      if (!counts) return;
      for (let at = i * 3; at < i * 3 + 3; at++)
        sum += Math.abs((frame.data[at] as number) - (before.data[at] as number));
    });
  }
  return sum / (area * 3 * (frames.length - 1));
}

/** Changes below this are what rounding to 8 bits does to a picture that stands still: a level in every tenth value. */
const rounding = 0.1;

/**
 * Flicker of an output over that of the truth, both first raised to 0.1 levels, what rounding alone may do, so that two
 * clips without visible flicker have the ratio 1 and a truth that stands perfectly still does not make it infinite.
 */
export function flickerRatio(output: number, truth: number): number {
  return Math.max(output, rounding) / Math.max(truth, rounding);
}
