import type { Character } from './character.js';
import { dancer } from './characters/dancer.js';
import { beats, beatsPerMinute, danceAt } from './motion.js';
import { type Picture, project, render } from './scene.js';
import { type BodyPose, bodyJoints, skeletonOf } from './skeleton.js';

/** `samples/driving/dancer.mp4`: one round of the dance. */
export const clip = {
  width: 384,
  height: 576,
  framesPerSecond: 24,
  frames: (beats * 60 * 24) / beatsPerMinute,
} as const;

const samplesPerPixel = 2;

const poseAt = (frame: number): BodyPose => danceAt((frame / clip.framesPerSecond) * (beatsPerMinute / 60));

/** A frame of the driving clip. Any character can dance it. */
export function clipFrame(frame: number, character: Character = dancer): Picture {
  const skeleton = skeletonOf(character.measures, poseAt(frame));
  return render(character.layers(skeleton), character.backdrop, clip.width, clip.height, samplesPerPixel);
}

/**
 * Where the joints really are in a frame of the clip: 18 points in OpenPose order (see `Person.body` in
 * stages/types.ts), 0..1 of the picture.
 */
export function clipJoints(frame: number, character: Character = dancer): readonly (readonly [x: number, y: number])[] {
  const skeleton = skeletonOf(character.measures, poseAt(frame));
  return bodyJoints(skeleton).map((joint) => project(joint, clip.width / clip.height));
}
