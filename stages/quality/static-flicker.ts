import type { RgbImage } from '../types.js';
import { luma } from './luma.js';
import type { Mask } from './mask.js';
import { median } from './median.js';
import { requireSameSize } from './psnr.js';

export type StaticFlicker = {
  /** Median over the frames, levels of 0..255; undefined when no frame has a value. */
  readonly level: number | undefined;
  /** One a frame; undefined for the first, the last and those without pixels to look at. */
  readonly frames: readonly (number | undefined)[];
  /** Mean over the pixels of the luma's standard deviation over the clip, levels of 0..255; undefined without such pixels. */
  readonly deviation: number | undefined;
};

export type StaticFlickerMeter = {
  /** The next frame, and the pixels where the figure may be. Throws RangeError when sizes differ. */
  add(frame: RgbImage, figure: Mask): void;
  result(): StaticFlicker;
};

type Shot = { readonly frame: RgbImage; readonly figure: Mask };

/** Share of the picture that must be free of the figure, so that a few pixels do not speak for all. */
const leastShare = 0.01;

/** Makes the distance to the median of three the standard deviation, for normal noise: its mean is sqrt(1/pi) deviations. */
const perDeviation = Math.sqrt(Math.PI);

/**
 * Flicker of what should stand still, in levels of 0..255, 0 for a still picture, over the pixels that no figure comes near.
 *
 * `frames` and `level`: f(t) = sqrt(pi) mean |I_t - median(I_(t-1), I_t, I_(t+1))| over the channels. For normal noise that is
 * new in each frame it is the temporal standard deviation; but colours that drift and jumps that stay are 0 in it, and the
 * median over the frames passes over what happens to a few. It sees what comes and goes from frame to frame; slow
 * shimmering it does not, nor pairs of equal frames (see `periodicity` for those).
 *
 * `deviation`: the usual formula, the mean temporal standard deviation of the luma over the pixels that are free in all frames.
 * Drift, jumps, flicker and shimmering are all in it.
 *
 * Keeps three frames and three numbers a pixel.
 */
export function staticFlicker(): StaticFlickerMeter {
  let last: readonly Shot[] = [];
  let history: { readonly first: Float64Array; readonly sum: Float64Array; readonly squares: Float64Array } | undefined;
  let free = new Uint8Array(0);
  const frames: (number | undefined)[] = [];
  return {
    add(frame, figure) {
      requireSameSize(frame, figure);
      last = [...last.slice(-2), { frame, figure }];
      const [before, middle, after] = last;
      if (before && middle && after) frames[frames.length - 1] = between(before, middle, after);
      frames.push(undefined);

      const { data } = luma(frame);
      history ??= { first: data, sum: new Float64Array(data.length), squares: new Float64Array(data.length) };
      if (free.length === 0) free = new Uint8Array(data.length).fill(1);
      for (let i = 0; i < data.length; i++) {
        if (figure.data[i]) free[i] = 0;
        // Less the first frame, so that squares of small changes are not lost in those of the levels.
        const away = (data[i] as number) - (history.first[i] as number);
        history.sum[i] = (history.sum[i] as number) + away;
        history.squares[i] = (history.squares[i] as number) + away ** 2;
      }
    },
    result() {
      const count = frames.length;
      let [sum, pixels] = [0, 0];
      if (history)
        for (let i = 0; i < free.length; i++) {
          if (!free[i]) continue;
          const mean = (history.sum[i] as number) / count;
          sum += Math.sqrt(Math.max(0, (history.squares[i] as number) / count - mean ** 2));
          pixels++;
        }
      return {
        level: median(frames.filter((value) => value !== undefined)),
        frames: [...frames],
        deviation: count < 2 || pixels < leastShare * free.length ? undefined : sum / pixels,
      };
    },
  };
}

function between(before: Shot, middle: Shot, after: Shot): number | undefined {
  requireSameSize(before.frame, middle.frame);
  requireSameSize(after.frame, middle.frame);
  let [sum, pixels] = [0, 0];
  const area = middle.figure.data.length;
  for (let i = 0; i < area; i++) {
    if (before.figure.data[i] || middle.figure.data[i] || after.figure.data[i]) continue;
    pixels++;
    for (let at = i * 3; at < i * 3 + 3; at++) {
      const [a, b, c] = [
        before.frame.data[at] as number,
        middle.frame.data[at] as number,
        after.frame.data[at] as number,
      ];
      // The distance of the middle one from the nearer of its neighbours when it lies outside of them.
      sum += Math.max(0, b - Math.max(a, c), Math.min(a, c) - b);
    }
  }
  return pixels < leastShare * area ? undefined : (perDeviation * sum) / (pixels * 3);
}
