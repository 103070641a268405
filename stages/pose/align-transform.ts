import type { Keypoint, Person, PoseFrame, PoseSequence } from '../types.js';
import { presentScore } from './keypoint.js';

/** The people found in a picture of known size. */
export type PictureOfPeople = { readonly width: number; readonly height: number } & PoseFrame;

/** What a fit was based on, from most to least of the body; `published` is the reference code's own fit. */
export type AlignBasis = 'published' | 'torso' | 'shoulders-head' | 'body-box' | 'cover';

/**
 * Map from driving to output coordinates, both in 0..1 of their own picture: x' = ax * x + bx, y' = ay * y + by.
 * In pixels it enlarges by `scale` on both axes: scale = ay * outputHeight / drivingHeight.
 */
export type PoseTransform = {
  readonly scale: number;
  readonly ax: number;
  readonly bx: number;
  readonly ay: number;
  readonly by: number;
  readonly basis: AlignBasis;
};

export type AlignedPoses = {
  /** The driving poses in coordinates of the output picture; its width and height are the output's. */
  readonly sequence: PoseSequence;
  readonly transform: PoseTransform;
  /** What the user should know: which fall-back was taken, who was left out. Empty when all went as hoped. */
  readonly notes: readonly string[];
};

export function isPresent(point: Keypoint | undefined): point is Keypoint {
  return point !== undefined && point.score > presentScore && Number.isFinite(point.x) && Number.isFinite(point.y);
}

/** Transform from a pixel map p' = scale * p + (dx, dy). */
export function pixelTransform(
  scale: number,
  dx: number,
  dy: number,
  driving: { readonly width: number; readonly height: number },
  output: { readonly width: number; readonly height: number },
  basis: AlignBasis,
): PoseTransform {
  return {
    scale,
    ax: (scale * driving.width) / output.width,
    bx: dx / output.width,
    ay: (scale * driving.height) / output.height,
    by: dy / output.height,
    basis,
  };
}

/** The driving picture laid over the output as the reference picture is: scaled to cover, centred. */
export function coverTransform(
  driving: { readonly width: number; readonly height: number },
  output: { readonly width: number; readonly height: number },
): PoseTransform {
  const scale = Math.max(output.width / driving.width, output.height / driving.height);
  const dx = (output.width - scale * driving.width) / 2;
  const dy = (output.height - scale * driving.height) / 2;
  return pixelTransform(scale, dx, dy, driving, output, 'cover');
}

/** Moves body, hands and face of every person of every frame; scores stay. */
export function transformPoses(
  driving: PoseSequence,
  transform: PoseTransform,
  output: { readonly width: number; readonly height: number },
): PoseSequence {
  const { ax, bx, ay, by } = transform;
  const move = (points: readonly Keypoint[]) =>
    points.map(({ x, y, score }) => ({ x: x * ax + bx, y: y * ay + by, score }));
  const movePerson = (person: Person): Person => ({
    body: move(person.body),
    leftHand: person.leftHand && move(person.leftHand),
    rightHand: person.rightHand && move(person.rightHand),
    face: person.face && move(person.face),
  });
  return {
    ...driving,
    width: output.width,
    height: output.height,
    frames: driving.frames.map(({ people }) => ({ people: people.map(movePerson) })),
  };
}
