import type { Keypoint } from '../types.js';
import { cropHeight, cropWidth, type Region } from './dwpose-crop.js';

/** Points of COCO-WholeBody: 17 of the body, 6 of the feet, 68 of the face, 21 of each hand. */
export const wholeBodyPoints = 133;

/** Places that the network tells apart in each pixel. */
const splitRatio = 2;
export const columnPlaces = cropWidth * splitRatio;
export const rowPlaces = cropHeight * splitRatio;

/**
 * The points in what the pose network gives for one region: each axis is a vector of scores by place, whose highest one is
 * taken (the first of several). The score of a point is the lower of both axes; a point with none above 0 lies at place -1.
 * @param columns [133, 576]
 * @param rows [133, 768]
 * @returns points in pixels of the picture. Source: mimicmotion/dwpose/onnxpose.py.
 */
export function decodePoints(columns: Float32Array, rows: Float32Array, region: Region): Keypoint[] {
  const left = region.centerX - region.width / 2;
  const top = region.centerY - region.height / 2;
  return Array.from({ length: wholeBodyPoints }, (_, point) => {
    const x = highest(columns, point * columnPlaces, columnPlaces);
    const y = highest(rows, point * rowPlaces, rowPlaces);
    const score = Math.min(x.score, y.score);
    const seen = score > 0;
    return {
      x: ((seen ? x.place : -1) / columnPlaces) * region.width + left,
      y: ((seen ? y.place : -1) / rowPlaces) * region.height + top,
      score,
    };
  });
}

function highest(
  values: Float32Array,
  from: number,
  count: number,
): { readonly place: number; readonly score: number } {
  let place = 0;
  for (let i = 1; i < count; i++) if ((values[from + i] as number) > (values[from + place] as number)) place = i;
  return { place, score: values[from + place] as number };
}
