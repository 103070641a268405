import type { RgbImage } from '../types.js';
import type { RgbaImage } from './mediapipe-runtime.js';
import { landmark, type Point, type RawLandmark } from './raw-detection.js';

/** A turned square of a picture, in pixels of it: centre, side, and the clockwise angle of its upper edge. */
export type Region = { readonly x: number; readonly y: number; readonly size: number; readonly angleRad: number };

/** Picture point (0..1) of a point (0..1) of the region. */
export function fromRegion(region: Region, point: Point, image: { width: number; height: number }): Point {
  const u = (point.x - 0.5) * region.size;
  const v = (point.y - 0.5) * region.size;
  const cos = Math.cos(region.angleRad);
  const sin = Math.sin(region.angleRad);
  return {
    x: (region.x + cos * u - sin * v) / image.width,
    y: (region.y + sin * u + cos * v) / image.height,
  };
}

/** The region drawn upright at `side` x `side` pixels, sampled bilinearly; black outside of the picture. */
export function cropRegion(image: RgbImage, region: Region, side: number): RgbaImage {
  const { width, height, data } = image;
  const cropped = new Uint8Array(side * side * 4);
  const cos = (Math.cos(region.angleRad) * region.size) / side;
  const sin = (Math.sin(region.angleRad) * region.size) / side;
  const sample = (x: number, y: number, channel: number) =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (data[(y * width + x) * 3 + channel] as number);

  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column < side; column++, at += 4) {
      const u = column + 0.5 - side / 2;
      const v = row + 0.5 - side / 2;
      const x = region.x + cos * u - sin * v - 0.5;
      const y = region.y + sin * u + cos * v - 0.5;
      const left = Math.floor(x);
      const top = Math.floor(y);
      const fx = x - left;
      const fy = y - top;
      for (let channel = 0; channel < 3; channel++) {
        const upper = sample(left, top, channel) * (1 - fx) + sample(left + 1, top, channel) * fx;
        const lower = sample(left, top + 1, channel) * (1 - fx) + sample(left + 1, top + 1, channel) * fx;
        cropped[at + channel] = upper * (1 - fy) + lower * fy + 0.5;
      }
      cropped[at + 3] = 255;
    }
  }
  return { width: side, height: side, data: cropped };
}

/** Where to look for a hand: a square about the wrist and the knuckles, as large as the shoulders or the forearm. */
export function handRegion(
  pose: readonly RawLandmark[],
  side: 'left' | 'right',
  image: { width: number; height: number },
): Region {
  const at = pixelsOf(pose, image);
  const wrist = at(landmark[`${side}Wrist`]);
  const knuckles = middle(at(landmark[`${side}Index`]), at(landmark[`${side}Pinky`]));
  const reach = Math.max(
    distance(at(landmark.leftShoulder), at(landmark.rightShoulder)),
    distance(at(landmark[`${side}Elbow`]), wrist),
    4 * distance(wrist, knuckles),
  );
  return { ...middle(wrist, knuckles), size: handReach * reach, angleRad: 0 };
}

const handReach = 1.3; // found by trying 0.75, 1, 1.3 and 1.7 on a dancer: 1 and above find equally many

/** Where to look for the face, upright with the eyes: about twice the head as the pose's eyes, ears and mouth tell it. */
export function faceRegion(pose: readonly RawLandmark[], image: { width: number; height: number }): Region {
  const at = pixelsOf(pose, image);
  const leftEye = at(landmark.leftEye);
  const rightEye = at(landmark.rightEye);
  const eyes = middle(leftEye, rightEye);
  const mouth = middle(at(landmark.mouthLeft), at(landmark.mouthRight));
  return {
    x: 0.4 * eyes.x + 0.6 * mouth.x,
    y: 0.4 * eyes.y + 0.6 * mouth.y,
    size: Math.max(1.5 * distance(at(landmark.leftEar), at(landmark.rightEar)), 4.5 * distance(eyes, mouth)),
    angleRad: Math.atan2(leftEye.y - rightEye.y, leftEye.x - rightEye.x),
  };
}

function pixelsOf(pose: readonly RawLandmark[], image: { width: number; height: number }): (index: number) => Point {
  return (index) => {
    const { x, y } = pose[index] as RawLandmark;
    return { x: x * image.width, y: y * image.height };
  };
}

const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
