import type { Keypoint, Person } from '../../stages/types.js';
import { type BodyPose, bodyJoints, type Side, skeletonOf } from '../dancer/skeleton.js';
import { place, type Vec3 } from '../dancer/vec.js';
import { figureShapes } from './body.js';
import type { CastDrawOptions } from './draw.js';
import { facePoints } from './face-points.js';
import { handPoints } from './hand.js';
import { labels } from './materials.js';
import type { CastMember } from './member.js';
import { frontOf, type Sweep } from './sweep.js';
import { sweepOf, viewOf } from './view.js';

/**
 * What a perfect detector finds in `drawCast`'s picture of the same arguments. A face turned away by more than about 70
 * degrees, and a hand that is hidden behind the body or outside of the picture, are null.
 */
export function castPerson(member: CastMember, pose: BodyPose, options: CastDrawOptions): Person {
  const { width, height, placement = member.placement } = options;
  const skeleton = skeletonOf(member.measures, pose);
  const view = viewOf(member, placement, width, height);
  const seen =
    (score: number) =>
    (p: Vec3): Keypoint => {
      const [x, y] = view.point(p);
      return { x: x / width, y: y / height, score };
    };
  const covers = figureShapes(member, skeleton).filter(({ material }) => material.label !== labels.hands);
  const sweeps = covers.map((shape) => sweepOf(shape, view));
  const hand = (side: Side): Keypoint[] | null => {
    const points = handPoints(member.measures, side).map((p) => place(side.hand, p));
    const [x, y, z] = view.point(points[9] as Vec3);
    if (x < 0 || y < 0 || x >= width || y >= height) return null;
    const room = 0.06 * view.scale;
    const hidden = sweeps.some((sweep: Sweep) => frontOf(sweep, x, y) > z + room);
    return hidden ? null : points.map(seen(0.96));
  };
  const facing = view.direction(skeleton.head.z)[2];
  return {
    body: bodyJoints(skeleton).map(seen(0.98)),
    leftHand: hand(skeleton.left),
    rightHand: hand(skeleton.right),
    face: facing < 0.35 ? null : facePoints(member, skeleton).map(seen(0.97)),
  };
}
