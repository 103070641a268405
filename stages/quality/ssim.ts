import type { RgbImage } from '../types.js';
import { luma } from './luma.js';
import { requireSameSize } from './psnr.js';

const radius = 5;
/** Gaussian of deviation 1.5 over 11 pixels, sum 1. */
const kernel = gaussian(1.5);

/**
 * Structural similarity of the luma (BT.601) of two pictures, mean over all whole 11x11 windows, with the constants of
 * Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004. 1 for equal pictures.
 * Throws RangeError when sizes differ or a side is under 11.
 */
export function ssim(one: RgbImage, other: RgbImage): number {
  requireSameSize(one, other);
  const { width, height } = one;
  if (width <= 2 * radius || height <= 2 * radius) throw new RangeError(`${width}x${height} is smaller than a window`);
  const [x, y] = [luma(one).data, luma(other).data];
  const blur = (values: Float64Array) => blurred(values, width, height);
  const product = (a: Float64Array, b: Float64Array) => a.map((value, i) => value * (b[i] as number));
  const [mx, my, xx, yy, xy] = [blur(x), blur(y), blur(product(x, x)), blur(product(y, y)), blur(product(x, y))];
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
  let sum = 0;
  for (let i = 0; i < mx.length; i++) {
    const [a, b] = [mx[i] as number, my[i] as number];
    const covariance = (xy[i] as number) - a * b;
    const variances = (xx[i] as number) - a * a + (yy[i] as number) - b * b;
    sum += ((2 * a * b + c1) * (2 * covariance + c2)) / ((a * a + b * b + c1) * (variances + c2));
  }
  return sum / mx.length;
}

function gaussian(deviation: number): readonly number[] {
  const values = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * deviation ** 2)),
  );
  const sum = values.reduce((a, b) => a + b, 0);
  return values.map((value) => value / sum);
}

/** Weighted means of all windows that lie inside: `2 radius` fewer columns and rows. */
function blurred(values: Float64Array, width: number, height: number): Float64Array {
  const columns = width - 2 * radius;
  const rows = height - 2 * radius;
  const across = new Float64Array(columns * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += (kernel[k] as number) * (values[y * width + x + k] as number);
      across[y * columns + x] = sum;
    }
  }
  const down = new Float64Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += (kernel[k] as number) * (across[(y + k) * columns + x] as number);
      down[y * columns + x] = sum;
    }
  }
  return down;
}
