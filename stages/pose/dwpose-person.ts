import type { Keypoint, Person } from '../types.js';
import { presentScore, rounded } from './keypoint.js';

/** Points of COCO-WholeBody that are joints 0 and 2..17 of OpenPose; joint 1, the neck, lies between the shoulders. */
const joints = [6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3];
const [leftShoulder, rightShoulder] = [5, 6];

/** First point of each part and the one after its last. Points 17 to 22 are feet, which are not drawn. */
const parts = { face: [23, 91], leftHand: [91, 112], rightHand: [112, 133] } as const;

export type PersonOptions = { readonly hands: boolean; readonly face: boolean };

/**
 * A person from the 133 points of COCO-WholeBody in pixels, in OpenPose order and as fractions of the picture. The neck has
 * score 1 when both shoulders are present and 0 otherwise. Undefined where no point is present at all: a frame in which
 * nobody was found is looked at as a whole, and what comes of an empty one is nobody.
 */
export function wholeBodyPerson(
  points: readonly Keypoint[],
  { width, height }: { readonly width: number; readonly height: number },
  { hands, face }: PersonOptions,
): Person | undefined {
  if (!points.some(({ score }) => score > presentScore)) return undefined;
  const scaled = points.map(({ x, y, score }) => ({ x: x / width, y: y / height, score: Math.max(0, score) }));
  const [left, right] = [scaled[leftShoulder] as Keypoint, scaled[rightShoulder] as Keypoint];
  const neck: Keypoint = {
    x: (left.x + right.x) / 2,
    y: (left.y + right.y) / 2,
    score: left.score > presentScore && right.score > presentScore ? 1 : 0,
  };
  const body = [scaled[0] as Keypoint, neck, ...joints.map((index) => scaled[index] as Keypoint)];
  const part = ([from, end]: readonly [number, number]) => scaled.slice(from, end).map(rounded);
  return {
    body: body.map(rounded),
    leftHand: hands ? part(parts.leftHand) : null,
    rightHand: hands ? part(parts.rightHand) : null,
    face: face ? part(parts.face) : null,
  };
}
