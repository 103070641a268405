import { roundHalfEven } from '../../models/round-half-even.js';
import type { RgbImage } from '../types.js';
import type { CoverWindow } from './cover.js';

/**
 * One window of a picture resized bilinearly without antialiasing, as torchvision resizes a uint8 tensor with
 * `antialias=None`: texel centres at halves, float32 positions, weights and sums with the fused multiply-adds of PyTorch's
 * CPU kernel, rounding half to even. Large reductions alias: that is what the published preprocessing does.
 */
export function resizeBilinearWindow(image: RgbImage, window: CoverWindow): RgbImage {
  const { width, height } = window;
  const columns = linearTaps(image.width, window.scaledWidth, window.left, width);
  const rows = linearTaps(image.height, window.scaledHeight, window.top, height);
  const { data } = image;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    const upper = (rows.low[y] as number) * image.width;
    const lower = (rows.high[y] as number) * image.width;
    const lowerWeight = rows.highWeight[y] as number;
    const upperWeight = Math.fround(1 - lowerWeight);
    for (let x = 0; x < width; x++) {
      const left = columns.low[x] as number;
      const right = columns.high[x] as number;
      const rightWeight = columns.highWeight[x] as number;
      const leftWeight = Math.fround(1 - rightWeight);
      for (let channel = 0; channel < 3; channel++, at++) {
        const sample = (texel: number) => data[texel * 3 + channel] as number;
        const above = fusedSum(sample(upper + left), leftWeight, sample(upper + right), rightWeight);
        const below = fusedSum(sample(lower + left), leftWeight, sample(lower + right), rightWeight);
        out[at] = roundHalfEven(fusedSum(above, upperWeight, below, lowerWeight));
      }
    }
  }
  return { width, height, data: out };
}

/** a * wa + b * wb in float32, the first product fused into the sum. */
function fusedSum(a: number, weightA: number, b: number, weightB: number): number {
  return Math.fround(a * weightA + Math.fround(b * weightB));
}

type LinearTaps = { readonly low: Int32Array; readonly high: Int32Array; readonly highWeight: Float32Array };

function linearTaps(size: number, scaled: number, from: number, outputs: number): LinearTaps {
  const scale = Math.fround(size / scaled);
  const low = new Int32Array(outputs);
  const high = new Int32Array(outputs);
  const highWeight = new Float32Array(outputs);
  for (let i = 0; i < outputs; i++) {
    const position = size === scaled ? from + i : Math.max(0, Math.fround(scale * (from + i + 0.5) - 0.5));
    low[i] = Math.min(Math.floor(position), size - 1);
    high[i] = Math.min((low[i] as number) + 1, size - 1);
    highWeight[i] = Math.min(Math.max(position - (low[i] as number), 0), 1);
  }
  return { low, high, highWeight };
}
