import type { RgbImage } from '../types.js';
import type { Mask } from './mask.js';

/** PSNR of equal pictures is infinite; averages need a number, and nobody sees a difference from here on. */
export const mostDecibels = 100;

/**
 * Peak signal-to-noise ratio of two RGB pictures in dB, 10 log10(255^2 / MSE), computed in double precision (published
 * scripts have squared bytes in 8 bits, which overflows and gives 29-31 dB for anything). At most {@link mostDecibels}.
 * @param mask pixels that count; all when left out. NaN when none does. Throws RangeError when sizes differ.
 */
export function psnr(one: RgbImage, other: RgbImage, mask?: Mask): number {
  const mse = meanSquaredError(one, other, mask);
  return Math.min(mostDecibels, 10 * Math.log10(255 ** 2 / mse));
}

/** Mean of squared differences over channels and counting pixels, in squared levels of 0..255. */
export function meanSquaredError(one: RgbImage, other: RgbImage, mask?: Mask): number {
  requireSameSize(one, other);
  if (mask) requireSameSize(one, mask);
  let [sum, pixels] = [0, 0];
  for (let i = 0; i < one.width * one.height; i++) {
    if (mask && !mask.data[i]) continue;
    pixels++;
    for (let at = i * 3; at < i * 3 + 3; at++) sum += ((one.data[at] as number) - (other.data[at] as number)) ** 2;
  }
  return sum / (pixels * 3);
}

type Sized = { readonly width: number; readonly height: number };

/** Throws RangeError when two pictures or masks are of different sizes. */
export function requireSameSize(one: Sized, other: Sized): void {
  if (one.width === other.width && one.height === other.height) return;
  throw new RangeError(`sizes differ: ${one.width}x${one.height} and ${other.width}x${other.height}`);
}
