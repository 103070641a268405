import type { Person, RgbImage } from '../types.js';
import { drawSkeleton } from './draw.js';

/** How much of the picture's brightness is left under the skeleton. */
const dimming = 0.55;

/** Poses drawn over the picture in which they were found, for people to check them. */
export function overlaySkeleton(image: RgbImage, people: readonly Person[]): RgbImage {
  const { width, height } = image;
  const skeleton = drawSkeleton(people, width, height).data;
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const drawn = (skeleton[i] as number) + (skeleton[i + 1] as number) + (skeleton[i + 2] as number) > 24;
    for (let c = i; c < i + 3; c++) {
      data[c] = drawn ? Math.min(255, 1.5 * (skeleton[c] as number)) : dimming * (image.data[c] as number);
    }
  }
  return { width, height, data };
}
