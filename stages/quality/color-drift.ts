import type { RgbImage } from '../types.js';
import { type Lab, labOf } from './lab.js';
import type { Mask } from './mask.js';
import { requireSameSize } from './psnr.js';
import { trendLine } from './trend-line.js';

export type ColorDrift = {
  /** How fast the colour goes away, in CIELAB units (delta E 1976) a second: length of the three slopes together. 0 is none. */
  readonly perSec: number | undefined;
  /** Slopes of L*, a* and b* a second, with their signs. */
  readonly slopes: Lab | undefined;
  /** Slope a second of the contrast, as a share of frame 0's. */
  readonly contrastPerSec: number | undefined;
  /** Distance in colour from frame 0 (delta E 1976), one a frame; 0 for frame 0, undefined where nothing can be compared. */
  readonly distances: readonly (number | undefined)[];
};

export type ColorDriftMeter = {
  /** The next frame, and the pixels where the figure may be. Throws RangeError when sizes differ. */
  add(frame: RgbImage, figure: Mask): void;
  result(): ColorDrift;
};

/** Pixels looked at in a frame are about so many, evenly spread; a mean needs no more. */
const samples = 20_000;
const leastShare = 0.01;

type Away = { readonly lab: Lab; readonly contrast: number };

/**
 * Drift of colour over a clip: per frame the mean CIELAB difference to frame 0, over pixels that the figure is near in neither
 * of the two, so that its movement does not count; then the robust slope over time (Sen 1968), which flicker and single jumps
 * do not move. Contrast is the standard deviation of L* over the same pixels. Keeps one frame.
 */
export function colorDrift(framesPerSec: number): ColorDriftMeter {
  let first: { readonly frame: RgbImage; readonly figure: Mask } | undefined;
  const away: (Away | undefined)[] = [];
  return {
    add(frame, figure) {
      requireSameSize(frame, figure);
      first ??= { frame, figure };
      requireSameSize(frame, first.frame);
      away.push(difference(first, { frame, figure }));
    },
    result() {
      const slope = (of: (value: Away) => number): number | undefined => {
        const points = away.flatMap((value, frame) => (value ? [{ x: frame / framesPerSec, y: of(value) }] : []));
        return points.length < 3 ? undefined : trendLine(points)?.slope;
      };
      const slopes = [0, 1, 2].map((channel) => slope(({ lab }) => lab[channel] as number));
      const known = slopes.every((value) => value !== undefined) ? (slopes as unknown as Lab) : undefined;
      return {
        perSec: known && Math.hypot(...known),
        slopes: known,
        contrastPerSec: slope(({ contrast }) => contrast),
        distances: away.map((value) => value && Math.hypot(...value.lab)),
      };
    },
  };
}

type Shot = { readonly frame: RgbImage; readonly figure: Mask };

function difference(first: Shot, now: Shot): Away | undefined {
  const area = now.figure.data.length;
  const step = Math.max(1, Math.floor(area / samples));
  const sums = [0, 0, 0];
  let [pixels, l0, l00, l1, l11] = [0, 0, 0, 0, 0];
  for (let i = 0; i < area; i += step) {
    if (first.figure.data[i] || now.figure.data[i]) continue;
    const [was, is] = [labAt(first.frame, i), labAt(now.frame, i)];
    for (let c = 0; c < 3; c++) sums[c] = (sums[c] as number) + (is[c] as number) - (was[c] as number);
    pixels++;
    l0 += was[0];
    l00 += was[0] ** 2;
    l1 += is[0];
    l11 += is[0] ** 2;
  }
  if (pixels < (leastShare * area) / step) return undefined;
  const deviation = (sum: number, squares: number) => Math.sqrt(Math.max(0, squares / pixels - (sum / pixels) ** 2));
  // A flat background has no contrast that could drift; one unit of L* keeps the ratio finite.
  const contrast = (deviation(l1, l11) - deviation(l0, l00)) / Math.max(1, deviation(l0, l00));
  return { lab: sums.map((sum) => sum / pixels) as unknown as Lab, contrast };
}

function labAt({ data }: RgbImage, pixel: number): Lab {
  const at = pixel * 3;
  return labOf(data[at] as number, data[at + 1] as number, data[at + 2] as number);
}
