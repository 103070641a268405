import { PantomimeError } from '../../models/errors.js';
import type { Keypoint, Person, PoseFrame, PoseSequence } from '../types.js';

/** People of one frame as the published detector returns them (and as its code stores them). */
export type PublishedPose = {
  readonly bodies: {
    /** [18 * people][2] in 0..1; person i owns rows 18i .. 18i + 17. */
    readonly candidate: readonly (readonly number[])[];
    /** [people][18]: row in `candidate`, or -1 when the joint is not present (score 0.3 or less). */
    readonly subset: readonly (readonly number[])[];
    readonly score: readonly (readonly number[])[];
  };
  /** [people][68][2] */
  readonly faces: readonly (readonly (readonly number[])[])[];
  readonly faces_score: readonly (readonly number[])[];
  /** [2 * people][21][2]: the left hands of everybody, then the right hands. */
  readonly hands: readonly (readonly (readonly number[])[])[];
  readonly hands_score: readonly (readonly number[])[];
};

/** One recorded case of the published preprocessing: what it was given, and the driving poses after its fit. */
export type PublishedCase = {
  readonly reference: { readonly width: number; readonly height: number } & PoseFrame;
  /** The frames the published code keeps: 0, stride, 2 * stride, ... */
  readonly driving: PoseSequence;
  /** The kept frames after alignment. */
  readonly aligned: readonly PoseFrame[];
  readonly sampleStride: number;
};

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the JSON of one recorded case. Throws PantomimeError `pose.published-format` when it is something else. */
export function posesFromPublished(json: unknown, where = 'published poses'): PublishedCase {
  const root = object(json, where);
  const reference = object(root.reference, `${where}: reference`);
  const driving = object(root.driving, `${where}: driving`);
  const stride = size(driving.sample_stride, `${where}: driving.sample_stride`);
  const poses = array(driving.poses, `${where}: driving.poses`);
  const kept = poses.filter((_, frame) => frame % stride === 0);
  return {
    reference: {
      width: size(reference.width, `${where}: reference.width`),
      height: size(reference.height, `${where}: reference.height`),
      people: peopleFromPublished(reference.pose, `${where}: reference.pose`),
    },
    driving: {
      version: 1,
      width: size(driving.width, `${where}: driving.width`),
      height: size(driving.height, `${where}: driving.height`),
      frameRate: { num: 30, den: 1 },
      detector: 'published',
      frames: kept.map((pose, i) => ({ people: peopleFromPublished(pose, `${where}: driving.poses[${i * stride}]`) })),
    },
    // The fit moves coordinates only: presence and scores stay those of the driving pose.
    aligned: array(root.aligned, `${where}: aligned`).map((pose, i) => {
      const at = `${where}: aligned[${i}]`;
      const { subset } = object(object(kept[i], at).bodies, at);
      const aligned = object(pose, at);
      const bodies = { subset, ...object(aligned.bodies, at) };
      return { people: peopleFromPublished({ ...aligned, bodies }, at) };
    }),
    sampleStride: stride,
  };
}

/** People of one frame. A joint that `subset` marks as not present gets score 0. */
export function peopleFromPublished(json: unknown, where = 'published pose'): Person[] {
  const pose = object(json, where);
  const bodies = object(pose.bodies, `${where}: bodies`);
  const scores = array(bodies.score, `${where}: bodies.score`);
  const subset = array(bodies.subset, `${where}: bodies.subset`);
  const candidate = array(bodies.candidate, `${where}: bodies.candidate`);
  const hands = array(pose.hands, `${where}: hands`);
  const handScores = array(pose.hands_score, `${where}: hands_score`);
  const faces = array(pose.faces, `${where}: faces`);
  const faceScores = array(pose.faces_score, `${where}: faces_score`);
  const count = scores.length;
  return scores.map((score, i) => {
    const at = `${where}: person ${i}`;
    const rows = array(subset[i], at);
    const body = keypoints(candidate.slice(18 * i, 18 * i + 18), score, 18, at);
    return {
      body: body.map((point, joint) => (Number(rows[joint]) >= 0 ? point : { ...point, score: 0 })),
      leftHand: keypoints(hands[i], handScores[i], 21, at),
      rightHand: keypoints(hands[count + i], handScores[count + i], 21, at),
      face: keypoints(faces[i], faceScores[i], 68, at),
    };
  });
}

function keypoints(points: unknown, scores: unknown, count: number, where: string): Keypoint[] {
  const rows = array(points, where);
  const confidences = array(scores, where);
  if (rows.length !== count || confidences.length !== count)
    throw unreadable(where, `${rows.length} points`, `${count}`);
  return rows.map((row, i) => {
    const [x, y] = array(row, where);
    return { x: finite(x, where), y: finite(y, where), score: finite(confidences[i], where) };
  });
}

function object(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw unreadable(where, describe(value), 'an object');
}

function array(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw unreadable(where, describe(value), 'an array');
}

function finite(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw unreadable(where, describe(value), 'a finite number');
}

function size(value: unknown, where: string): number {
  const number = finite(value, where);
  if (Number.isInteger(number) && number > 0) return number;
  throw unreadable(where, `${number}`, 'a positive whole number');
}

function describe(value: unknown): string {
  return value === undefined
    ? 'nothing'
    : value === null
      ? 'null'
      : Array.isArray(value)
        ? 'an array'
        : `a ${typeof value}`;
}

function unreadable(where: string, got: string, expected: string): PantomimeError {
  return new PantomimeError({
    code: 'pose.published-format',
    kind: 'input',
    what: 'not poses in the published format',
    where,
    got,
    expected,
    hint: 'Expected the JSON of one recorded case: reference, driving, aligned.',
  });
}
