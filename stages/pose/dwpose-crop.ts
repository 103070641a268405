import { roundHalfEven } from '../../models/round-half-even.js';
import type { RgbImage } from '../types.js';
import type { Box } from './dwpose-boxes.js';

/** Size of the picture that the pose network looks at. */
export const cropWidth = 288;
export const cropHeight = 384;

/** Room around a box, as a factor. */
const roominess = 1.25;

/** Of ImageNet, for red, green and blue. */
const mean = [123.675, 116.28, 103.53] as const;
const deviation = [58.395, 57.12, 57.375] as const;

/** What of the picture the pose network sees, in pixels; it may reach beyond the picture. */
export type Region = {
  readonly centerX: number;
  readonly centerY: number;
  readonly width: number;
  readonly height: number;
};

/** The box with room around it, enlarged to the shape of the network's picture. */
export function regionOf({ left, top, right, bottom }: Box): Region {
  const [width, height] = [(right - left) * roominess, (bottom - top) * roominess];
  const aspect = cropWidth / cropHeight;
  const wide = width > height * aspect;
  return {
    centerX: (left + right) / 2,
    centerY: (top + bottom) / 2,
    width: wide ? width : height * aspect,
    height: wide ? width / aspect : height,
  };
}

/**
 * The region at the size of the network and normalised: [3, 384, 288], red first. Equals OpenCV's 8-bit `warpAffine` with
 * `INTER_LINEAR`, which rounds places to 1/32 pixel; black beyond the picture.
 */
export function cropRegion(image: RgbImage, region: Region): Float32Array {
  const step = region.width / cropWidth;
  const columns = warpTaps(region.centerX - (cropWidth / 2) * step, step, cropWidth);
  const rows = warpTaps(region.centerY - (cropHeight / 2) * step, step, cropHeight);
  const plane = cropWidth * cropHeight;
  const data = new Float32Array(3 * plane);
  const { width, height } = image;
  for (let y = 0; y < cropHeight; y++) {
    const y0 = rows.source[y] as number;
    const lowerWeight = rows.fraction[y] as number;
    const [hasUpper, hasLower] = [y0 >= 0 && y0 < height, y0 >= -1 && y0 < height - 1];
    for (let x = 0; x < cropWidth; x++) {
      const x0 = columns.source[x] as number;
      const rightWeight = columns.fraction[x] as number;
      const [hasLeft, hasRight] = [x0 >= 0 && x0 < width, x0 >= -1 && x0 < width - 1];
      const at = (y0 * width + x0) * 3;
      const below = at + width * 3;
      for (let channel = 0; channel < 3; channel++) {
        const upperLeft = hasUpper && hasLeft ? (image.data[at + channel] as number) : 0;
        const upperRight = hasUpper && hasRight ? (image.data[at + 3 + channel] as number) : 0;
        const lowerLeft = hasLower && hasLeft ? (image.data[below + channel] as number) : 0;
        const lowerRight = hasLower && hasRight ? (image.data[below + 3 + channel] as number) : 0;
        const upper = upperLeft * (32 - rightWeight) + upperRight * rightWeight;
        const lower = lowerLeft * (32 - rightWeight) + lowerRight * rightWeight;
        const value = (upper * (32 - lowerWeight) + lower * lowerWeight + 512) >> 10;
        data[channel * plane + y * cropWidth + x] =
          (value - (mean[channel] as number)) / (deviation[channel] as number);
      }
    }
  }
  return data;
}

/** Per output coordinate: the first of the two source coordinates that it reads, and 32 times the weight of the second. */
function warpTaps(
  start: number,
  step: number,
  count: number,
): { readonly source: Int32Array; readonly fraction: Int32Array } {
  const source = new Int32Array(count);
  const fraction = new Int32Array(count);
  // OpenCV: 10 bits for places, of which 5 are kept after rounding.
  const origin = fixed(start) + 16;
  for (let i = 0; i < count; i++) {
    const place = Math.floor((origin + fixed(step * i)) / 32);
    source[i] = Math.min(Math.max(Math.floor(place / 32), -(2 ** 15)), 2 ** 15 - 1);
    fraction[i] = place - Math.floor(place / 32) * 32;
  }
  return { source, fraction };
}

function fixed(value: number): number {
  return Math.min(Math.max(roundHalfEven(value * 1024), -(2 ** 31)), 2 ** 31 - 1);
}
