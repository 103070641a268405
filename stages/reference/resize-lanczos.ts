import type { RgbImage } from '../types.js';
import type { CoverWindow } from './cover.js';

/** Fractional bits of the weights: 32 minus 8 for the texel minus 2 for sums beyond 255, as in Pillow. */
const precisionBits = 22;
const unit = 1 << precisionBits;
const lanczosRadius = 3;

/**
 * Lanczos (radius 3, antialiased) exactly as Pillow resizes 8-bit pictures: columns first, rounded to bytes, then rows,
 * with 22-bit weights. A side that keeps its size is not filtered.
 */
export function resizeLanczosPil(image: RgbImage, width: number, height: number): RgbImage {
  return resizeLanczosWindow(image, {
    scaledWidth: width,
    scaledHeight: height,
    left: 0,
    top: 0,
    width,
    height,
  });
}

/** As `resizeLanczosPil`, but computes only one window of the scaled picture. */
export function resizeLanczosWindow(image: RgbImage, window: CoverWindow): RgbImage {
  const { width, height } = window;
  const columns = filterTaps(image.width, window.scaledWidth, window.left, width);
  const rows = filterTaps(image.height, window.scaledHeight, window.top, height);
  const firstRow = rows.first[0] as number;
  const rowCount = (rows.first[height - 1] as number) + (rows.count[height - 1] as number) - firstRow;
  const narrowed = filterColumns(image, columns, firstRow, rowCount, width);
  return { width, height, data: filterRows(narrowed, rows, firstRow, width, height) };
}

type Taps = {
  /** First source texel of each output texel, and how many it takes. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** Weights in units of 2^-22, `stride` to an output texel. */
  readonly weights: Int32Array;
  readonly stride: number;
};

function filterTaps(size: number, scaled: number, from: number, outputs: number): Taps {
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  if (size === scaled) {
    for (let i = 0; i < outputs; i++) first[i] = from + i;
    return { first, count: count.fill(1), weights: new Int32Array(outputs).fill(unit), stride: 1 };
  }
  const scale = size / scaled;
  const filterScale = Math.max(scale, 1);
  const support = lanczosRadius * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const weights = new Int32Array(outputs * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < outputs; i++) {
    const center = (from + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const taps = Math.min(size, Math.trunc(center + support + 0.5)) - low;
    let total = 0;
    for (let k = 0; k < taps; k++) {
      exact[k] = lanczos((k + low - center + 0.5) * (1 / filterScale));
      total += exact[k] as number;
    }
    for (let k = 0; k < taps; k++) {
      const weight = ((exact[k] as number) / total) * unit;
      weights[i * stride + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[i] = low;
    count[i] = taps;
  }
  return { first, count, weights, stride };
}

function lanczos(x: number): number {
  if (x < -lanczosRadius || x >= lanczosRadius) return 0;
  return sinc(x) * sinc(x / lanczosRadius);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

const clampByte = (value: number) => Math.min(Math.max(value, 0), 255);

function filterColumns(image: RgbImage, taps: Taps, firstRow: number, rowCount: number, width: number): Uint8Array {
  const { data } = image;
  const { first, count, weights, stride } = taps;
  const out = new Uint8Array(rowCount * width * 3);
  for (let y = 0, at = 0; y < rowCount; y++) {
    const row = (firstRow + y) * image.width;
    for (let x = 0; x < width; x++, at += 3) {
      let red = unit / 2;
      let green = unit / 2;
      let blue = unit / 2;
      let source = (row + (first[x] as number)) * 3;
      const from = x * stride;
      for (let k = from, end = from + (count[x] as number); k < end; k++, source += 3) {
        const weight = weights[k] as number;
        red += weight * (data[source] as number);
        green += weight * (data[source + 1] as number);
        blue += weight * (data[source + 2] as number);
      }
      out[at] = clampByte(red >> precisionBits);
      out[at + 1] = clampByte(green >> precisionBits);
      out[at + 2] = clampByte(blue >> precisionBits);
    }
  }
  return out;
}

function filterRows(data: Uint8Array, taps: Taps, firstRow: number, width: number, height: number): Uint8Array {
  const { first, count, weights, stride } = taps;
  const rowBytes = width * 3;
  const out = new Uint8Array(height * rowBytes);
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < height; y++) {
    sums.fill(unit / 2);
    const from = (first[y] as number) - firstRow;
    for (let k = 0; k < (count[y] as number); k++) {
      const weight = weights[y * stride + k] as number;
      const source = (from + k) * rowBytes;
      for (let i = 0; i < rowBytes; i++) sums[i] = (sums[i] as number) + weight * (data[source + i] as number);
    }
    const at = y * rowBytes;
    for (let i = 0; i < rowBytes; i++) out[at + i] = clampByte((sums[i] as number) >> precisionBits);
  }
  return out;
}
