import {
  add,
  cross,
  dot,
  type Frame,
  joint,
  length,
  limb,
  mirrorX,
  mix,
  normalize,
  place,
  scale,
  sub,
  type Turn,
  turn,
  type Vec3,
} from './vec.js';

/** Body measures in metres. */
export type Proportions = {
  readonly hipHeight: number;
  readonly hipHalf: number;
  readonly shoulderHalf: number;
  /** Hip joints to the bottom of the ribs, ribs to shoulder line, shoulder line to neck base, neck base to skull. */
  readonly waist: number;
  readonly ribs: number;
  readonly neckRise: number;
  readonly neck: number;
  /** Size of the head against the standard one of 0.25 m. */
  readonly head: number;
  readonly upperArm: number;
  readonly forearm: number;
  readonly hand: number;
  readonly thigh: number;
  readonly shin: number;
  readonly ankle: number;
};

/** Directions are in the chest's frame with x pointing outward (away from the body's middle) on both sides. */
export type ArmPose = {
  readonly upper: Vec3;
  readonly fore: Vec3;
  /** Where the palm looks. */
  readonly palm: Vec3;
  /** Bend of the fingers, 0 straight to 1 fist. */
  readonly curl: number;
  /** Angle between neighbouring fingers in radians. */
  readonly spread: number;
  /** Rise of the shoulder in metres. */
  readonly shrug: number;
};

/** A foot on the floor: ankle position, lift in metres, outward turn and heel rise in radians. */
export type FootPose = {
  readonly x: number;
  readonly z: number;
  readonly lift: number;
  readonly turn: number;
  readonly heel: number;
};

export type BodyPose = {
  readonly pelvis: Turn & { readonly x: number; readonly dip: number; readonly z: number };
  readonly chest: Turn;
  readonly head: Turn;
  readonly leftArm: ArmPose;
  readonly rightArm: ArmPose;
  readonly leftFoot: FootPose;
  readonly rightFoot: FootPose;
  /** Direction of the eyes in the head's x and y, about -1..1. */
  readonly gaze: readonly [number, number];
  /** 0 open, 1 closed eyes. */
  readonly blink: number;
  /** 0 neutral, 1 broad smile. */
  readonly smile: number;
  /** What hangs loose (hair, cape) lags behind by this much, in metres. */
  readonly swing: Vec3;
};

/** Frames of one side's bones; y runs along the bone, x is outward, so both sides are built alike. */
export type Side = {
  readonly upperArm: Frame;
  readonly forearm: Frame;
  /** y along the fingers, z out of the palm, x towards the thumb. */
  readonly hand: Frame;
  readonly thigh: Frame;
  readonly shin: Frame;
  /** y from heel to toes, z up. Origin at the ankle. */
  readonly foot: Frame;
  readonly arm: ArmPose;
};

export type Skeleton = {
  readonly measures: Proportions;
  readonly pose: BodyPose;
  readonly pelvis: Frame;
  readonly abdomen: Frame;
  readonly chest: Frame;
  readonly neck: Frame;
  readonly head: Frame;
  readonly left: Side;
  readonly right: Side;
};

const world: Frame = { origin: [0, 0, 0], x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
const part = (t: Turn, share: number): Turn => ({ yaw: t.yaw * share, pitch: t.pitch * share, roll: t.roll * share });

/** Forward kinematics of the trunk and arms; the legs reach for their feet. */
export function skeletonOf(measures: Proportions, pose: BodyPose): Skeleton {
  const m = measures;
  const pelvis = joint(world, [pose.pelvis.x, m.hipHeight - pose.pelvis.dip, pose.pelvis.z], pose.pelvis);
  const abdomen = joint(pelvis, [0, m.waist * 0.5, 0], part(pose.chest, 0.5));
  const chest = joint(abdomen, [0, m.waist * 0.5, 0], part(pose.chest, 0.5));
  const neck = joint(chest, [0, m.ribs + m.neckRise, -0.015], part(pose.head, 0.35));
  const head = joint(neck, [0, m.neck, 0.012], part(pose.head, 0.65));
  const side = (sign: 1 | -1): Side => ({
    ...armOf(m, chest, sign > 0 ? pose.leftArm : pose.rightArm, sign),
    ...legOf(m, pelvis, sign > 0 ? pose.leftFoot : pose.rightFoot, sign),
  });
  return { measures, pose, pelvis, abdomen, chest, neck, head, left: side(1), right: side(-1) };
}

function armOf(m: Proportions, chest: Frame, arm: ArmPose, sign: 1 | -1) {
  const inChest = (v: Vec3): Vec3 => normalize(turn(chest, sign > 0 ? v : mirrorX(v)));
  const upper = inChest(arm.upper);
  // A raised arm takes its shoulder along.
  const raise = arm.shrug + 0.035 * Math.max(0, arm.upper[1] / length(arm.upper));
  const shoulder = place(chest, [sign * (m.shoulderHalf - raise * 0.5), m.ribs + raise, 0]);
  const elbow = add(shoulder, scale(upper, m.upperArm));
  const fore = inChest(arm.fore);
  const wrist = add(elbow, scale(fore, m.forearm));
  const palm = inChest(arm.palm);
  // The hand follows the forearm, bent a little towards where the upper arm does not point.
  const fingers = normalize(add(fore, scale(palm, -0.12)));
  const crook = sub(upper, scale(fore, dot(upper, fore)));
  const front = length(crook) > 0.05 ? crook : chest.z;
  return {
    arm,
    upperArm: limb(shoulder, elbow, chest.z, sign),
    forearm: limb(elbow, wrist, front, sign),
    hand: limb(wrist, add(wrist, fingers), palm, sign),
  };
}

function legOf(m: Proportions, pelvis: Frame, foot: FootPose, sign: 1 | -1) {
  const hip = place(pelvis, [sign * m.hipHalf, 0, 0]);
  const ahead: Vec3 = [sign * Math.sin(foot.turn), 0, Math.cos(foot.turn)];
  // Raising the heel turns the foot about the ball, so that the ankle rises and moves forward.
  const ball = 0.11;
  const ankle: Vec3 = add(
    [foot.x, m.ankle + foot.lift + ball * Math.sin(foot.heel), foot.z],
    scale(ahead, ball * (1 - Math.cos(foot.heel))),
  );
  const reach = sub(ankle, hip);
  const span = Math.min(length(reach), (m.thigh + m.shin) * 0.998);
  const along = normalize(reach);
  const toKnee = (m.thigh ** 2 - m.shin ** 2 + span ** 2) / (2 * span);
  const rise = Math.sqrt(Math.max(0, m.thigh ** 2 - toKnee ** 2));
  // Knees point where the foot does, shared with the pelvis.
  const want = normalize(mix(pelvis.z, ahead, 0.7));
  const out = normalize(sub(want, scale(along, dot(want, along))));
  const knee = add(add(hip, scale(along, toKnee)), scale(out, rise));
  const reached = add(hip, scale(along, span));
  const toes: Vec3 = add(scale(ahead, Math.cos(foot.heel)), [0, -Math.sin(foot.heel), 0]);
  const side = normalize(cross(toes, [0, 1, 0]));
  return {
    thigh: limb(hip, knee, out, sign),
    shin: limb(knee, reached, out, sign),
    foot: limb(reached, add(reached, toes), cross(side, toes), sign),
  };
}

/** The joints a pose detector names, in world coordinates, by OpenPose's 18-point order (see stages/types.ts). */
export function bodyJoints({ measures: m, head, left, right }: Skeleton): readonly Vec3[] {
  const end = (bone: Frame, size: number): Vec3 => place(bone, [0, size, 0]);
  const arm = (s: Side): Vec3[] => [s.upperArm.origin, end(s.upperArm, m.upperArm), end(s.forearm, m.forearm)];
  const leg = (s: Side): Vec3[] => [s.thigh.origin, end(s.thigh, m.thigh), end(s.shin, m.shin)];
  const face = (x: number, y: number, z: number): Vec3 => place(head, scale([x, y, z], m.head));
  return [
    face(0, 0.088, 0.115),
    mix(right.upperArm.origin, left.upperArm.origin, 0.5),
    ...arm(right),
    ...arm(left),
    ...leg(right),
    ...leg(left),
    face(-0.033, 0.122, 0.085),
    face(0.033, 0.122, 0.085),
    face(-0.082, 0.105, 0.0),
    face(0.082, 0.105, 0.0),
  ];
}
