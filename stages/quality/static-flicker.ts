import type { RgbImage } from '../types.js';
import type { Mask } from './mask.js';
import { median } from './median.js';
import { requireSameSize } from './psnr.js';

export type StaticFlicker = {
  /** Median over the frames, levels of 0..255; undefined when no frame has a value. */
  readonly level: number | undefined;
  /** One a frame; undefined for the first, the last and those without pixels to look at. */
  readonly frames: readonly (number | undefined)[];
};

export type StaticFlickerMeter = {
  /** The next frame, and the pixels where the figure may be. Throws RangeError when sizes differ. */
  add(frame: RgbImage, figure: Mask): void;
  result(): StaticFlicker;
};

/** Share of the picture that must be free of the figure, so that a few pixels do not speak for all. */
const leastShare = 0.01;

/**
 * Flicker of what should stand still: f(t) = mean |I_t - (I_(t-1) + I_(t+1)) / 2| over the channels of the pixels that no
 * figure comes near in the three frames; levels of 0..255, 0 for a still picture. For noise that is new in each frame this is
 * 0.98 of its temporal standard deviation, the usual formula, but unlike that and unlike |I_t - I_(t-1)| it is 0 for a colour
 * that drifts evenly, and the median over the frames passes over the jumps at a few joints. Keeps three frames.
 */
export function staticFlicker(): StaticFlickerMeter {
  let last: readonly { readonly frame: RgbImage; readonly figure: Mask }[] = [];
  const frames: (number | undefined)[] = [];
  return {
    add(frame, figure) {
      requireSameSize(frame, figure);
      last = [...last.slice(-2), { frame, figure }];
      const [before, middle, after] = last;
      if (before && middle && after) frames[frames.length - 1] = between(before, middle, after);
      frames.push(undefined);
    },
    result: () => ({ level: median(frames.filter((value) => value !== undefined)), frames: [...frames] }),
  };
}

type Shot = { readonly frame: RgbImage; readonly figure: Mask };

function between(before: Shot, middle: Shot, after: Shot): number | undefined {
  requireSameSize(before.frame, middle.frame);
  requireSameSize(after.frame, middle.frame);
  let [sum, pixels] = [0, 0];
  const area = middle.figure.data.length;
  for (let i = 0; i < area; i++) {
    if (before.figure.data[i] || middle.figure.data[i] || after.figure.data[i]) continue;
    pixels++;
    for (let at = i * 3; at < i * 3 + 3; at++)
      sum += Math.abs(
        (middle.frame.data[at] as number) - ((before.frame.data[at] as number) + (after.frame.data[at] as number)) / 2,
      );
  }
  return pixels < leastShare * area ? undefined : sum / (pixels * 3);
}
