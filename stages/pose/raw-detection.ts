/** One of the 33 landmarks exactly as MediaPipe gives it: x, y, z in units of the picture's width, height and width. */
export type RawLandmark = {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly visibility: number;
  readonly presence: number;
};

/** A point in 0..1 of its picture. */
export type Point = { readonly x: number; readonly y: number };

/** A hand (21 points) or a face (68 points) and how sure its network is, 0..1. */
export type RawPart = { readonly points: readonly Point[]; readonly score: number };

/** One person as the networks see it, before any mapping. Left and right are the person's own. */
export type RawPerson = {
  readonly pose: readonly RawLandmark[];
  readonly leftHand: RawPart | null;
  readonly rightHand: RawPart | null;
  readonly face: RawPart | null;
};

/** Indices into the 33 landmarks of MediaPipe Pose. */
export const landmark = {
  nose: 0,
  leftEye: 2,
  rightEye: 5,
  leftEar: 7,
  rightEar: 8,
  mouthLeft: 9,
  mouthRight: 10,
  leftShoulder: 11,
  rightShoulder: 12,
  leftElbow: 13,
  rightElbow: 14,
  leftWrist: 15,
  rightWrist: 16,
  leftPinky: 17,
  rightPinky: 18,
  leftIndex: 19,
  rightIndex: 20,
  leftHip: 23,
  rightHip: 24,
  leftKnee: 25,
  rightKnee: 26,
  leftAnkle: 27,
  rightAnkle: 28,
} as const;
