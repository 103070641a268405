import { drawSkeleton, type SkeletonStyle } from '../../stages/pose/draw.js';
import type { RgbImage } from '../../stages/types.js';
import type { BodyPose } from '../dancer/skeleton.js';
import { chanceOf } from './chance.js';
import { disturbanceOf, disturbPerson } from './disturb.js';
import { drawCast } from './draw.js';
import { type CastMember, castMember } from './member.js';
import { castMotion, castReference, castStill } from './motion.js';
import { castPerson } from './person.js';

/** Size of every picture of the training data. */
export const picture = { width: 128, height: 192 } as const;

/** `stills`: a reference and 8 single poses; `clips`: a reference and 16 frames of one movement. */
export const recordKinds = {
  stills: { frames: 9, firstSeed: 0 },
  clips: { frames: 17, firstSeed: 400_000_000 },
} as const;
export type RecordKind = keyof typeof recordKinds;
export const isRecordKind = (name: string): name is RecordKind => Object.hasOwn(recordKinds, name);

/** How the embedded model knows skeletons. */
export const knownStyle: SkeletonStyle = 'solid';

const framesPerSecond = 12;

/** One frame: the picture, its labels, its control picture, and where the 18 joints are (0..1). */
export type RecordFrame = {
  readonly image: RgbImage;
  readonly parts: Uint8Array;
  readonly pose: RgbImage;
  readonly joints: readonly (readonly [x: number, y: number])[];
};

export type CastRecord = {
  readonly seed: number;
  readonly member: CastMember;
  readonly frames: readonly RecordFrame[];
};

/**
 * Record number `index` of a kind; its control pictures in the style that the embedded model knows, or another. Seeds from
 * 1e9 on are kept for evaluation.
 */
export function castRecord(kind: RecordKind, index: number, style: SkeletonStyle = knownStyle): CastRecord {
  const seed = recordKinds[kind].firstSeed + index;
  if (index < 0 || index >= 400_000_000) throw new RangeError(`no record ${index}`);
  const member = castMember(seed);
  const poses = [castReference(seed), ...(kind === 'stills' ? stillPoses(seed) : clipPoses(seed))];
  const chance = chanceOf(seed, 'detector');
  // One detector looks at a clip; single poses come from anywhere.
  const reference = disturbanceOf(chance);
  const clip = kind === 'clips' ? disturbanceOf(chance) : undefined;
  const frames = poses.map((pose, i): RecordFrame => {
    const person = castPerson(member, pose, picture);
    const found = disturbPerson(person, chance, i === 0 ? reference : clip, picture.width / picture.height);
    return {
      ...drawCast(member, pose, picture),
      pose: drawSkeleton([found], picture.width, picture.height, { style }),
      joints: person.body.map(({ x, y }) => [x, y]),
    };
  });
  return { seed, member, frames };
}

const stillPoses = (seed: number): BodyPose[] => Array.from({ length: 8 }, (_, i) => castStill(seed + i * 1e10));

function clipPoses(seed: number): BodyPose[] {
  const motion = castMotion(seed);
  const start = chanceOf(seed, 'start').between(0, 30);
  return Array.from({ length: 16 }, (_, i) => motion(start + i / framesPerSecond));
}
