import type { RgbImage } from '../types.js';

/** One number a pixel, row by row. */
export type Plane = { readonly width: number; readonly height: number; readonly data: Float64Array };

/** Brightness of each pixel, 0.299 R + 0.587 G + 0.114 B of the stored values (BT.601), 0..255. */
export function luma({ width, height, data }: RgbImage): Plane {
  const plane = new Float64Array(width * height);
  for (let i = 0; i < plane.length; i++)
    plane[i] =
      0.299 * (data[i * 3] as number) + 0.587 * (data[i * 3 + 1] as number) + 0.114 * (data[i * 3 + 2] as number);
  return { width, height, data: plane };
}

/**
 * Means of whole squares of `cell` pixels, so that what only sharpens, blurs or grains a picture changes nothing. Rows and
 * columns that fill no square are left out; a picture smaller than one comes back as it is.
 */
export function inCells(plane: Plane, cell: number): Plane {
  const [width, height] = [Math.floor(plane.width / cell), Math.floor(plane.height / cell)];
  if (cell <= 1 || width === 0 || height === 0) return plane;
  const data = new Float64Array(width * height);
  for (let y = 0; y < height * cell; y++) {
    const row = Math.floor(y / cell) * width;
    for (let x = 0; x < width * cell; x++) {
      const at = row + Math.floor(x / cell);
      data[at] = (data[at] as number) + (plane.data[y * plane.width + x] as number);
    }
  }
  return { width, height, data: data.map((sum) => sum / cell ** 2) };
}

/** Side in pixels of the squares in which frames are compared: 1/16 of the picture's shorter side. */
export function cellOf({ width, height }: { readonly width: number; readonly height: number }): number {
  return Math.max(1, Math.round(Math.min(width, height) / 16));
}
