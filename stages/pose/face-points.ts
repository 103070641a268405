import type { RgbImage } from '../types.js';
import type { RgbaImage } from './mediapipe-runtime.js';
import { landmark, type Point, type RawLandmark, type RawPart } from './raw-detection.js';
import { cropRegion, faceRegion, fromRegion, type Region } from './region.js';

/** Runs the 468-point face network on a {@link faceSide} x {@link faceSide} picture. */
export type FaceNetwork = (crop: RgbaImage) => { readonly coordinates: readonly number[]; readonly scoreLogit: number };

/** Side of the face network's input, in pixels; its coordinates are pixels of it too. */
export const faceSide = 192;

const pointCount = 468;

/** Corners of the eyes in the mesh: their line is the upright of a face. */
const rightEyeCorner = 33;
const leftEyeCorner = 263;
const noseTip = 4;

/** The 68 iBUG points among the 468 of the face mesh; the jaw's are the nearest of its oval. */
export const ibugPoints: readonly number[] = [
  ...[127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356], // jaw
  ...[70, 63, 105, 66, 107, 336, 296, 334, 293, 300], // brows
  ...[168, 197, 5, 4, 98, 97, 2, 326, 327], // nose
  ...[33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380], // eyes
  ...[61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181], // outer lips
  ...[78, 82, 13, 312, 308, 317, 14, 87], // inner lips
];

/**
 * The 68 face points of a person, or null when there is no face to see.
 *
 * The first look is at the head as the pose has it, the second at the face the first look found: 1.5 times its extent,
 * upright with its eyes, which is how MediaPipe follows a face from frame to frame. On a dancer the second look moves
 * points by about 1 px and a third one would by less than half of that.
 */
export function findFace(image: RgbImage, pose: readonly RawLandmark[], network: FaceNetwork): RawPart | null {
  const nose = pose[landmark.nose] as RawLandmark;
  if (nose.visibility < 0.5 || nose.x < 0 || nose.y < 0 || nose.x > 1 || nose.y > 1) return null;
  const head = faceRegion(pose, image);
  if (!(head.size >= 8)) return null; // too few pixels to tell a face

  const first = look(image, head, network);
  const { mesh, score } = look(image, regionOfMesh(first.mesh, image), network);
  const tip = mesh[noseTip] as Point;
  const away = Math.hypot((tip.x - nose.x) * image.width, (tip.y - nose.y) * image.height);
  if (score < 0.5 || away > 0.25 * head.size) return null;
  return { points: ibugPoints.map((index) => mesh[index] as Point), score };
}

function look(image: RgbImage, region: Region, network: FaceNetwork): { mesh: readonly Point[]; score: number } {
  const { coordinates, scoreLogit } = network(cropRegion(image, region, faceSide));
  const mesh = Array.from({ length: pointCount }, (_, i) =>
    fromRegion(
      region,
      { x: (coordinates[3 * i] as number) / faceSide, y: (coordinates[3 * i + 1] as number) / faceSide },
      image,
    ),
  );
  return { mesh, score: 1 / (1 + Math.exp(-scoreLogit)) };
}

function regionOfMesh(mesh: readonly Point[], { width, height }: RgbImage): Region {
  const right = mesh[rightEyeCorner] as Point;
  const left = mesh[leftEyeCorner] as Point;
  const angleRad = Math.atan2((left.y - right.y) * height, (left.x - right.x) * width);
  const cos = Math.cos(angleRad);
  const sin = Math.sin(angleRad);
  const along = mesh.map(({ x, y }) => cos * x * width + sin * y * height);
  const across = mesh.map(({ x, y }) => cos * y * height - sin * x * width);
  const u = [Math.min(...along), Math.max(...along)] as const;
  const v = [Math.min(...across), Math.max(...across)] as const;
  const centre = { u: (u[0] + u[1]) / 2, v: (v[0] + v[1]) / 2 };
  return {
    x: cos * centre.u - sin * centre.v,
    y: sin * centre.u + cos * centre.v,
    size: 1.5 * Math.max(u[1] - u[0], v[1] - v[0]),
    angleRad,
  };
}
