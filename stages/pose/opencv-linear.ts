import { roundHalfEven } from '../../models/round-half-even.js';
import type { RgbImage } from '../types.js';

/** What each output coordinate of one axis reads: two source coordinates, and their weights in units of 1/2048. */
export type LinearTaps = {
  readonly source0: Int32Array;
  readonly source1: Int32Array;
  readonly weight0: Int32Array;
  readonly weight1: Int32Array;
};

/**
 * Taps of OpenCV's 8-bit `INTER_LINEAR` from `size` to `outputs` texels: half-pixel centres in float32, weights of 11 bits.
 * Beyond the border both taps read the border texel; columns then take weight 1 and 0, rows keep theirs (`snap`).
 */
export function linearTaps(size: number, outputs: number, snap: boolean): LinearTaps {
  const scale = 1 / (outputs / size);
  const source0 = new Int32Array(outputs);
  const source1 = new Int32Array(outputs);
  const weight0 = new Int32Array(outputs);
  const weight1 = new Int32Array(outputs);
  for (let i = 0; i < outputs; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const low = Math.floor(position);
    const beyond = low < 0 || low >= size - 1;
    const fraction = snap && beyond ? 0 : Math.fround(position - low);
    source0[i] = Math.min(Math.max(low, 0), size - 1);
    source1[i] = Math.min(Math.max(low + 1, 0), size - 1);
    weight0[i] = roundHalfEven(Math.fround(1 - fraction) * 2048);
    weight1[i] = roundHalfEven(fraction * 2048);
  }
  return { source0, source1, weight0, weight1 };
}

/** One value from two rows that were summed exactly, with the truncations of OpenCV's vertical pass. */
export function combineRows(upper: number, lower: number, weight0: number, weight1: number): number {
  return (((weight0 * (upper >> 4)) >> 16) + ((weight1 * (lower >> 4)) >> 16) + 2) >> 2;
}

/** `cv2.resize(image, (width, height), interpolation=INTER_LINEAR)` of 8-bit pictures, value for value; no antialiasing. */
export function resizeLinear(image: RgbImage, width: number, height: number): RgbImage {
  const columns = linearTaps(image.width, width, true);
  const rows = linearTaps(image.height, height, false);
  const data = new Uint8Array(width * height * 3);
  const upper = new Int32Array(width * 3);
  const lower = new Int32Array(width * 3);
  for (let y = 0; y < height; y++) {
    sumRow(image, rows.source0[y] as number, columns, upper);
    sumRow(image, rows.source1[y] as number, columns, lower);
    const b0 = rows.weight0[y] as number;
    const b1 = rows.weight1[y] as number;
    const at = y * width * 3;
    for (let i = 0; i < width * 3; i++) data[at + i] = combineRows(upper[i] as number, lower[i] as number, b0, b1);
  }
  return { width, height, data };
}

function sumRow({ width, data }: RgbImage, row: number, taps: LinearTaps, out: Int32Array): void {
  const base = row * width * 3;
  for (let x = 0; x < taps.source0.length; x++) {
    const left = base + (taps.source0[x] as number) * 3;
    const right = base + (taps.source1[x] as number) * 3;
    const a0 = taps.weight0[x] as number;
    const a1 = taps.weight1[x] as number;
    for (let channel = 0; channel < 3; channel++) {
      out[x * 3 + channel] = (data[left + channel] as number) * a0 + (data[right + channel] as number) * a1;
    }
  }
}
