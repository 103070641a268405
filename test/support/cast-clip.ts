import { drawCast } from '#dist/samples/cast/draw.js';
import { castMember } from '#dist/samples/cast/member.js';
import { castMotion, castReference } from '#dist/samples/cast/motion.js';
import { castPerson } from '#dist/samples/cast/person.js';
import { type Mask, maskWhere } from '#dist/stages/quality/mask.js';
import type { Keypoint, RgbImage } from '#dist/stages/types.js';

/** Seeds from here on are kept out of every training: the characters and motions of the figures are unseen. */
export const firstUnseenSeed = 1_000_000_000;

/** The fixed set that all published figures are about. */
export const qualitySeeds: readonly number[] = Array.from({ length: 24 }, (_, i) => firstUnseenSeed + i);

/** Frames per second of the motions, as in training. */
export const castRate = 12;

export type Size = { readonly width: number; readonly height: number };

/** A character, drawn at ease and in motion, and everything that is known about the pictures. */
export type CastClip = {
  readonly seed: number;
  readonly reference: RgbImage;
  readonly frames: readonly RgbImage[];
  /** Everything that is not background, of each frame. */
  readonly figures: readonly Mask[];
  readonly clothes: readonly Mask[];
  /** The 18 joints of each frame; those outside of the picture have score 0. */
  readonly joints: readonly (readonly Keypoint[])[];
};

const [background, clothes] = [0, 1];

/** Draws the character of a seed at ease, and `count` frames of the motion of that seed. */
export function drawClip(seed: number, count: number, size: Size): CastClip {
  const member = castMember(seed);
  const motion = castMotion(seed);
  const poses = Array.from({ length: count }, (_, frame) => motion(frame / castRate));
  const drawn = poses.map((pose) => drawCast(member, pose, size));
  const labels = drawn.map(({ parts }) => ({ ...size, data: parts }));
  return {
    seed,
    reference: drawCast(member, castReference(seed), size).image,
    frames: drawn.map(({ image }) => image),
    figures: labels.map((map) => maskWhere(map, (label) => label !== background)),
    clothes: labels.map((map) => maskWhere(map, (label) => label === clothes)),
    joints: poses.map((pose) => castPerson(member, pose, size).body.map(insideOnly)),
  };
}

function insideOnly(point: Keypoint): Keypoint {
  const inside = point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1;
  return inside ? point : { ...point, score: 0 };
}
