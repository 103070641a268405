import type { Keypoint, Person } from '../types.js';

/** Score over which a joint counts as present (published ControlNeXt-SVD-v2 preprocessing). */
export const presentScore = 0.3;

/**
 * The keypoint with no more digits than it can have of meaning: coordinates to 1e-7 (what float32 resolves near 1), score
 * to 1e-4. Everything that makes keypoints ends with this, so that a pose file holds short numbers and is still exact.
 */
export function rounded({ x, y, score }: Keypoint): Keypoint {
  return { x: Math.round(x * 1e7) / 1e7, y: Math.round(y * 1e7) / 1e7, score: Math.round(score * 1e4) / 1e4 };
}

/** A point of somebody's body, hands or face. */
export type Part = 'body' | 'leftHand' | 'rightHand' | 'face';

/** How many points each part has. */
export const pointsOfPart: Readonly<Record<Part, number>> = { body: 18, leftHand: 21, rightHand: 21, face: 68 };

/** Extent of the present joints of the body in units of the picture's height, or undefined when none is present. */
export function extentOf(
  { body }: Person,
  aspect: number,
): { readonly x: number; readonly y: number; readonly width: number; readonly height: number } | undefined {
  const present = body.filter(({ score }) => score > presentScore);
  if (present.length === 0) return undefined;
  const xs = present.map(({ x }) => x * aspect);
  const ys = present.map(({ y }) => y);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}
