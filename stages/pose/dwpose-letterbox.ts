import type { RgbImage } from '../types.js';
import { resizeLinear } from './opencv-linear.js';

/** Side of the square picture that the person detector looks at. */
export const detectorSide = 640;

/** Fill where the picture does not reach. */
const padding = 114;

/** A picture for the person detector. */
export type Letterboxed = {
  /** [3, 640, 640], 0..255, red first: neither mean nor standard deviation is taken off. */
  readonly data: Float32Array;
  /** Pixels there for one pixel of the picture. */
  readonly ratio: number;
};

/** Brings a picture into the upper left of the square, as published: shrunk or enlarged bilinearly, the rest filled. */
export function letterbox(image: RgbImage): Letterboxed {
  const ratio = Math.min(detectorSide / image.height, detectorSide / image.width);
  // At least one pixel: the published code fails on a picture of more than 640 to 1.
  const width = Math.max(1, Math.trunc(image.width * ratio));
  const height = Math.max(1, Math.trunc(image.height * ratio));
  const resized = resizeLinear(image, width, height).data;
  const plane = detectorSide * detectorSide;
  const data = new Float32Array(3 * plane).fill(padding);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      const to = y * detectorSide + x;
      for (let channel = 0; channel < 3; channel++) data[channel * plane + to] = resized[from + channel] as number;
    }
  }
  return { data, ratio };
}
