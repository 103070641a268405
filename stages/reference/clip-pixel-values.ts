import type { ClipPreprocessing } from '../../models/svd/clip-preprocessing.js';
import { type FloatTensor, floatTensor } from '../../models/tensor.js';
import type { RgbImage } from '../types.js';
import { signedUnits } from './unit-range.js';

/**
 * The image encoder's input of a picture, [1, 3, size, size] as red, green, blue planes.
 *
 * The antialiased resize of the published pipeline (`_resize_with_antialiasing` of diffusers' stable video diffusion): on
 * [-1, 1], a Gaussian blur along columns, then rows, whose sigma is (side / size - 1) / 2, with mirrored borders; then bicubic
 * interpolation (a = -0.75) with corners aligned and clamped border texels, not clamped in value; then mean and deviation.
 * The picture is stretched to a square, not cropped.
 */
export function clipPixelValues(image: RgbImage, { size, mean, std }: ClipPreprocessing): FloatTensor {
  const columnBlur = gaussian(image.width / size);
  const rowBlur = gaussian(image.height / size);
  const columns = cubicTaps(image.width, size);
  const rows = cubicTaps(image.height, size);
  const tensor = floatTensor([1, 3, size, size]);
  for (let channel = 0; channel < 3; channel++) {
    const plane = channelPlane(image, channel);
    const blurred = blurRows(blurColumns(plane, image.width, columnBlur), image.width, rowBlur);
    const resized = cubicRows(cubicColumns(blurred, image.width, columns), columns, rows);
    const center = mean[channel] as number;
    const deviation = std[channel] as number;
    const out = tensor.data.subarray(channel * size * size);
    for (let i = 0; i < size * size; i++) out[i] = (((resized[i] as number) + 1) / 2 - center) / deviation;
  }
  return tensor;
}

function channelPlane({ width, height, data }: RgbImage, channel: number): Float32Array {
  const plane = new Float32Array(width * height);
  for (let i = 0; i < plane.length; i++) plane[i] = signedUnits[data[i * 3 + channel] as number] as number;
  return plane;
}

/** Gaussian at whole offsets, normalised, for reducing by `factor`; odd length. */
function gaussian(factor: number): Float64Array {
  const sigma = Math.max((factor - 1) / 2, 0.001);
  const length = Math.trunc(Math.max(4 * sigma, 3)) | 1;
  const weights = Float64Array.from({ length }, (_, i) =>
    Math.exp(-((i - (length - 1) / 2) ** 2) / (2 * sigma * sigma)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Index mirrored at both borders without repeating the edge; for any index, also where the picture is narrower. */
function mirrored(index: number, size: number): number {
  const period = Math.max(2 * (size - 1), 1);
  const wrapped = ((index % period) + period) % period;
  return wrapped < size ? wrapped : period - wrapped;
}

function blurColumns(plane: Float32Array, width: number, kernel: Float64Array): Float32Array {
  const radius = (kernel.length - 1) / 2;
  const out = new Float32Array(plane.length);
  const sources = Array.from({ length: width + 2 * radius }, (_, i) => mirrored(i - radius, width));
  for (let row = 0; row < plane.length; row += width) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) {
        sum += (kernel[k] as number) * (plane[row + (sources[x + k] as number)] as number);
      }
      out[row + x] = sum;
    }
  }
  return out;
}

function blurRows(plane: Float32Array, width: number, kernel: Float64Array): Float32Array {
  const height = plane.length / width;
  const radius = (kernel.length - 1) / 2;
  const out = new Float32Array(plane.length);
  const sums = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = 0; k < kernel.length; k++) {
      const weight = kernel[k] as number;
      const row = mirrored(y + k - radius, height) * width;
      for (let x = 0; x < width; x++) sums[x] = (sums[x] as number) + weight * (plane[row + x] as number);
    }
    out.set(sums, y * width);
  }
  return out;
}

type CubicTaps = { readonly size: number; readonly source: Int32Array; readonly weight: Float64Array };

/** Four taps to an output, corners aligned. Source: Keys' cubic convolution with a = -0.75. */
function cubicTaps(size: number, outputs: number): CubicTaps {
  const source = new Int32Array(outputs * 4);
  const weight = new Float64Array(outputs * 4);
  const scale = outputs > 1 ? (size - 1) / (outputs - 1) : 0;
  for (let i = 0; i < outputs; i++) {
    const low = Math.floor(i * scale);
    const t = i * scale - low;
    const weights = [cubicFar(t + 1), cubicNear(t), cubicNear(1 - t), cubicFar(2 - t)];
    for (let k = 0; k < 4; k++) {
      source[i * 4 + k] = Math.min(Math.max(low - 1 + k, 0), size - 1);
      weight[i * 4 + k] = weights[k] as number;
    }
  }
  return { size: outputs, source, weight };
}

const a = -0.75;

/** Weight of a texel at distance 0..1. */
function cubicNear(x: number): number {
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}

/** Weight of a texel at distance 1..2. */
function cubicFar(x: number): number {
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

function cubicColumns(plane: Float32Array, width: number, taps: CubicTaps): Float32Array {
  const height = plane.length / width;
  const out = new Float32Array(height * taps.size);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < taps.size; x++) {
      let sum = 0;
      for (let k = x * 4; k < x * 4 + 4; k++) {
        sum += (taps.weight[k] as number) * (plane[y * width + (taps.source[k] as number)] as number);
      }
      out[y * taps.size + x] = sum;
    }
  }
  return out;
}

function cubicRows(plane: Float32Array, columns: CubicTaps, rows: CubicTaps): Float32Array {
  const width = columns.size;
  const out = new Float32Array(rows.size * width);
  for (let y = 0; y < rows.size; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = y * 4; k < y * 4 + 4; k++) {
        sum += (rows.weight[k] as number) * (plane[(rows.source[k] as number) * width + x] as number);
      }
      out[y * width + x] = sum;
    }
  }
  return out;
}
