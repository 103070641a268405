import { PantomimeError } from '../models/errors.js';

export type Size = { readonly width: number; readonly height: number };

export type SizeRequest = {
  /** What the user asked for; a missing side follows from the other and the picture. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** The reference picture, whose aspect is kept. */
  readonly picture: Size;
  /** Width and height must be multiples of this (VAE factor x UNet down-samplings; 64 for SVD). */
  readonly multiple: number;
  /** Area the model was made for, in pixels (SVD-XT: 768 x 768, the area of 576 x 1024). */
  readonly area: number;
};

/** Largest side, in pixels; larger requests are refused before anything is allocated. */
export const maxSide = 4096;

/** Size of the video: as asked, else the multiple of the model's factor nearest to the picture's aspect and the model's area. */
export function chooseSize({ width, height, picture, multiple, area }: SizeRequest): Size {
  for (const [flag, side] of [['--width', width] as const, ['--height', height] as const]) {
    if (side === undefined) continue;
    const low = Math.max(multiple, Math.floor(side / multiple) * multiple);
    if (side % multiple !== 0 || side > maxSide || side < multiple) {
      throw new PantomimeError({
        code: 'size.multiple',
        kind: 'usage',
        what: `this model works at sizes that are multiples of ${multiple}, up to ${maxSide}`,
        where: flag,
        got: String(side),
        expected: `for example ${Math.min(low, maxSide)} or ${Math.min(low + multiple, maxSide)}`,
        hint: `${flag} ${Math.min(low, maxSide)}`,
      });
    }
  }
  const aspect = picture.width / picture.height;
  const snap = (value: number) => Math.min(maxSide, Math.max(multiple, Math.round(value / multiple) * multiple));
  if (width !== undefined && height !== undefined) return { width, height };
  if (width !== undefined) return { width, height: snap(width / aspect) };
  if (height !== undefined) return { width: snap(height * aspect), height };
  return bestSize(aspect, multiple, area);
}

/** The grid size that departs least from aspect and area together; never over the area by more than a quarter. */
function bestSize(aspect: number, multiple: number, area: number): Size {
  let best: Size = { width: multiple, height: multiple };
  let least = Number.POSITIVE_INFINITY;
  for (let width = multiple; width <= maxSide; width += multiple) {
    for (let height = multiple; height <= maxSide; height += multiple) {
      if (width * height > 1.25 * area) break;
      const misfit = 2 * Math.abs(Math.log(width / height / aspect)) + Math.abs(Math.log((width * height) / area));
      if (misfit < least) [least, best] = [misfit, { width, height }];
    }
  }
  return best;
}
