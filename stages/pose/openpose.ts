import type { Keypoint, Person } from '../types.js';
import { presentScore, rounded } from './keypoint.js';
import { landmark as l, type Point, type RawLandmark, type RawPart, type RawPerson } from './raw-detection.js';

/** Landmarks of the OpenPose joints 0 and 2..17; joint 1, the neck, lies between the shoulders. */
const joints = [
  ...[l.rightShoulder, l.rightElbow, l.rightWrist, l.leftShoulder, l.leftElbow, l.leftWrist],
  ...[l.rightHip, l.rightKnee, l.rightAnkle, l.leftHip, l.leftKnee, l.leftAnkle],
  ...[l.rightEye, l.leftEye, l.rightEar, l.leftEar],
];

/** Index of the wrists in OpenPose order. */
const rightWrist = 4;
const leftWrist = 7;

/**
 * A person in OpenPose order with scores as the published drawing wants them.
 *
 * MediaPipe invents joints that are hidden or outside the picture; what tells is their visibility, with 0.5 as the border.
 * The score puts that border at 0.3, where a joint stops counting as present, and rises steeply above it, because the
 * drawing multiplies colours by scores and a joint seen at visibility 0.8 should look nearly as bright as one seen at 1.
 * The neck has score 1 when both shoulders are present and 0 otherwise, as published. A wrist moves onto the root of
 * its hand when that was found: the hand's network looks closer.
 */
export function toPerson({ pose, leftHand, rightHand, face }: RawPerson): Person {
  const joint = (index: number): Keypoint => {
    const { x, y, visibility, presence } = pose[index] as RawLandmark;
    return { x, y, score: inside({ x, y }) ? visibilityScore(Math.min(visibility, presence)) : 0 };
  };
  const left = joint(l.leftShoulder);
  const right = joint(l.rightShoulder);
  const neck: Keypoint = {
    x: (left.x + right.x) / 2,
    y: (left.y + right.y) / 2,
    score: left.score > presentScore && right.score > presentScore ? 1 : 0,
  };
  const body = [joint(l.nose), neck, ...joints.map(joint)];
  const hands = { left: toPart(leftHand), right: toPart(rightHand) };
  for (const [wrist, hand] of [[leftWrist, hands.left] as const, [rightWrist, hands.right] as const]) {
    const root = hand?.[0];
    if (root) body[wrist] = { ...root, score: Math.max(root.score, body[wrist]?.score ?? 0) };
  }
  return { body: body.map(rounded), leftHand: hands.left, rightHand: hands.right, face: toPart(face) };
}

/** Score of a visibility in 0..1: 0.5 is 0.3, straight down to 0 below it and like a square root up to 1 above. */
export function visibilityScore(visibility: number): number {
  if (!(visibility > 0.5)) return Math.max(0, presentScore * 2 * visibility) || 0;
  return presentScore + (1 - presentScore) * Math.sqrt(2 * Math.min(visibility, 1) - 1);
}

function toPart(part: RawPart | null): readonly Keypoint[] | null {
  return part === null
    ? null
    : part.points.map((point) => rounded({ ...point, score: inside(point) ? part.score : 0 }));
}

function inside({ x, y }: Point): boolean {
  return x >= 0 && x <= 1 && y >= 0 && y <= 1;
}
