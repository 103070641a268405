import type { RgbImage } from '../types.js';
import { areaOf, erode, type Mask } from './mask.js';
import { requireSameSize } from './psnr.js';

/**
 * How far off the colour of a region is: its mean colour in both pictures, and the mean over the channels of their absolute
 * difference, in levels of 0..255. The region is taken 1 pixel smaller, so that its blurred border does not count, unless
 * nothing would be left. Undefined when the region is empty. Throws RangeError when sizes differ.
 */
export function colorError(output: RgbImage, truth: RgbImage, region: Mask): number | undefined {
  requireSameSize(output, truth);
  requireSameSize(output, region);
  const inner = erode(region, 1);
  const mask = areaOf(inner) > 0 ? inner : region;
  if (areaOf(mask) === 0) return undefined;
  const [one, other] = [meanColor(output, mask), meanColor(truth, mask)];
  return one.reduce((sum, value, channel) => sum + Math.abs(value - (other[channel] as number)), 0) / 3;
}

function meanColor({ data }: RgbImage, mask: Mask): readonly number[] {
  const sums = [0, 0, 0];
  mask.data.forEach((counts, i) => {
    if (counts) for (let c = 0; c < 3; c++) sums[c] = (sums[c] as number) + (data[i * 3 + c] as number);
  });
  const area = areaOf(mask);
  return sums.map((sum) => sum / area);
}
