import { type FloatTensor, floatTensor } from '../../models/tensor.js';
import type { RgbImage } from '../types.js';
import { signedUnits } from './unit-range.js';

/**
 * The VAE encoder's input of a picture, [1, 3, H, W]: 2 * (byte / 255) - 1, plus `strength` * `noise` where noise is given
 * (unit normal, same shape), each operation rounded to float32 as in the published pipeline.
 * Throws RangeError when the noise has another number of values.
 */
export function vaeImageTensor(image: RgbImage, noise?: FloatTensor, strength = 0): FloatTensor {
  const { width, height, data } = image;
  const area = width * height;
  if (noise && noise.data.length !== 3 * area) {
    throw new RangeError(`${noise.data.length} noise values for a picture of ${width}x${height}`);
  }
  const tensor = floatTensor([1, 3, height, width]);
  const amount = Math.fround(strength);
  for (let channel = 0, at = 0; channel < 3; channel++) {
    for (let i = 0; i < area; i++, at++) {
      const value = signedUnits[data[i * 3 + channel] as number] as number;
      tensor.data[at] = noise ? value + Math.fround(amount * (noise.data[at] as number)) : value;
    }
  }
  return tensor;
}
