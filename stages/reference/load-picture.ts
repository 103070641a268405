import type { RgbImage } from '../types.js';
import { coverWindow } from './cover.js';
import { type Background, openPictureFile } from './picture-file.js';
import { resizeBilinearWindow } from './resize-bilinear.js';
import { resizeLanczosWindow } from './resize-lanczos.js';

/** `antialiased`: Lanczos. `reference`: bilinear without antialiasing as published, which aliases on large photos. */
export type PictureResample = 'antialiased' | 'reference';

export type LoadPictureOptions = {
  /** Size of the video. */
  readonly width: number;
  readonly height: number;
  /** Default `antialiased`. */
  readonly resample?: PictureResample;
  /** Colour under transparent parts. Default white. */
  readonly background?: Background;
};

/**
 * Reads the reference picture and brings it to the size of the video: upright, sRGB, scaled to cover, centre cropped.
 * Throws PantomimeError `picture.missing`, `picture.not-a-picture` or `picture.too-big`.
 */
export async function loadReferencePicture(path: string, options: LoadPictureOptions): Promise<RgbImage> {
  const picture = await openPictureFile(path);
  return coverPicture(await picture.decode(options.background), options);
}

/** Scale-to-cover and centre crop of a decoded picture. A picture of the right size is returned unchanged. */
export function coverPicture(
  image: RgbImage,
  { width, height, resample = 'antialiased' }: Omit<LoadPictureOptions, 'background'>,
): RgbImage {
  if (image.width === width && image.height === height) return image;
  const window = coverWindow(image, { width, height });
  return resample === 'reference' ? resizeBilinearWindow(image, window) : resizeLanczosWindow(image, window);
}
