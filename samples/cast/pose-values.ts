import type { ArmPose, BodyPose, FootPose } from '../dancer/skeleton.js';
import type { Turn, Vec3 } from '../dancer/vec.js';

const armValues = ({ upper, fore, palm, curl, spread, shrug }: ArmPose): number[] => [
  ...upper,
  ...fore,
  ...palm,
  curl,
  spread,
  shrug,
];
const footValues = ({ x, z, lift, turn, heel }: FootPose): number[] => [x, z, lift, turn, heel];
const turnValues = ({ yaw, pitch, roll }: Turn): number[] => [yaw, pitch, roll];

/** A pose as numbers, so that poses can be mixed. */
export const poseValues = (p: BodyPose): number[] => [
  p.pelvis.x,
  p.pelvis.dip,
  p.pelvis.z,
  ...turnValues(p.pelvis),
  ...turnValues(p.chest),
  ...turnValues(p.head),
  ...armValues(p.leftArm),
  ...armValues(p.rightArm),
  ...footValues(p.leftFoot),
  ...footValues(p.rightFoot),
  ...p.gaze,
  p.blink,
  p.smile,
  ...p.swing,
];

/** The pose that `poseValues` took apart. */
export function poseOf(values: readonly number[]): BodyPose {
  let at = 0;
  const next = (): number => values[at++] as number;
  const vec = (): Vec3 => [next(), next(), next()];
  const turn = (): Turn => ({ yaw: next(), pitch: next(), roll: next() });
  const arm = (): ArmPose => ({ upper: vec(), fore: vec(), palm: vec(), curl: next(), spread: next(), shrug: next() });
  const foot = (): FootPose => ({ x: next(), z: next(), lift: next(), turn: next(), heel: next() });
  return {
    pelvis: { x: next(), dip: next(), z: next(), ...turn() },
    chest: turn(),
    head: turn(),
    leftArm: arm(),
    rightArm: arm(),
    leftFoot: foot(),
    rightFoot: foot(),
    gaze: [next(), next()],
    blink: next(),
    smile: next(),
    swing: vec(),
  };
}

/** Share `t` of the way from one pose to another. */
export function mixPoses(a: BodyPose, b: BodyPose, t: number): BodyPose {
  if (t <= 0) return a;
  if (t >= 1) return b;
  const to = poseValues(b);
  return poseOf(poseValues(a).map((value, i) => value + ((to[i] as number) - value) * t));
}

/** The whole body turned to its left by `yaw` radians, feet and all. */
export function turnBody(pose: BodyPose, yaw: number): BodyPose {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  const about = <T extends { readonly x: number; readonly z: number }>(place: T): T => ({
    ...place,
    x: place.x * c + place.z * s,
    z: place.z * c - place.x * s,
  });
  return {
    ...pose,
    pelvis: { ...about(pose.pelvis), yaw: pose.pelvis.yaw + yaw },
    leftFoot: { ...about(pose.leftFoot), turn: pose.leftFoot.turn + yaw },
    rightFoot: { ...about(pose.rightFoot), turn: pose.rightFoot.turn - yaw },
  };
}

/** Length of upper arm and forearm, half of the shoulders' width and depth of the trunk, about. */
const [upper, fore, shoulder, girth] = [0.27, 0.25, 0.175, 0.17];

/** Moves a forearm that would run through the trunk to the front of it, without jumps. */
export function outOfTrunk(arm: ArmPose): ArmPose {
  const unit = (v: Vec3): Vec3 => {
    const size = Math.hypot(v[0], v[1], v[2]) || 1;
    return [v[0] / size, v[1] / size, v[2] / size];
  };
  const [u, f] = [unit(arm.upper), unit(arm.fore)];
  const x = shoulder + u[0] * upper + f[0] * fore;
  const y = u[1] * upper + f[1] * fore;
  const z = u[2] * upper + f[2] * fore;
  const across = 1 - (x / 0.22) ** 2;
  if (across <= 0 || y > 0.3) return arm;
  // The face needs a little more room than the belly.
  const wanted = (girth + (y > 0 ? 0.05 : 0)) * Math.sqrt(across);
  if (z >= wanted) return arm;
  return { ...arm, fore: [f[0], f[1], f[2] + ((wanted - z) / fore) * 1.15] };
}
