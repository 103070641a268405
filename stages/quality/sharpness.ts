import type { Plane } from './luma.js';
import { median } from './median.js';

/**
 * How sharp a picture is: variance of its Laplacian (4 I - left - right - above - below) over all inner pixels, in squared
 * levels of 0..255; 0 for a flat picture. Says something only in comparison with like pictures (Pech-Pacheco et al., "Diatom
 * autofocusing in brightfield microscopy", 2000). NaN for a picture without inner pixels.
 */
export function sharpness({ width, height, data }: Plane): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const at = (offset: number) => data[i + offset] as number;
      const value = 4 * at(0) - at(-1) - at(1) - at(-width) - at(width);
      sum += value;
      squares += value ** 2;
      count++;
    }
  }
  return squares / count - (sum / count) ** 2;
}

export type SharpnessContinuity = {
  /** Each frame's sharpness over the median of the frames about it; 1 is as sharp as its neighbours. */
  readonly relative: readonly number[];
  /** Mean over the frames of |log2| of that: 0 is even, 1 would be a halving or doubling everywhere. */
  readonly unevenness: number;
  /** Median over frames of several windows over median over those of one: under 1 when averaging blurs. */
  readonly sharedRatio: number | undefined;
  /** At each joint, the two frames beside it compared, the sharper over the duller; 1 is none. Undefined outside of the clip. */
  readonly joints: readonly (number | undefined)[];
};

/** Frames on either side that a frame is compared with. */
const reach = 8;

/**
 * Whether some frames are sharper than others, as they are where the predictions of windows were averaged.
 * @param curve sharpness of each frame
 * @param joints see `seamRatio`
 * @param shared frames to which more than one window contributes
 */
export function sharpnessContinuity(
  curve: readonly number[],
  joints: readonly number[],
  shared: readonly number[],
): SharpnessContinuity {
  const over = (a: number, b: number): number => (a === b ? 1 : a / b);
  const relative = curve.map((value, i) =>
    over(value, median(curve.slice(Math.max(0, i - reach), i + reach + 1)) as number),
  );
  const many = new Set(shared);
  const inShared = median(relative.filter((_, i) => many.has(i)));
  const alone = median(relative.filter((_, i) => !many.has(i)));
  const size = (ratio: number) => Math.min(10, Math.abs(Math.log2(ratio)));
  return {
    relative,
    unevenness: relative.reduce((sum, ratio) => sum + size(ratio), 0) / relative.length,
    sharedRatio: inShared === undefined || alone === undefined ? undefined : over(inShared, alone),
    joints: joints.map((joint) => {
      const [before, after] = [curve[joint - 1], curve[joint]];
      if (before === undefined || after === undefined) return undefined;
      return over(Math.max(before, after), Math.min(before, after));
    }),
  };
}
