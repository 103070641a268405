import { danceAt, standing } from '../dancer/motion.js';
import type { ArmPose, BodyPose, FootPose } from '../dancer/skeleton.js';
import type { Vec3 } from '../dancer/vec.js';
import type { Chance } from './chance.js';

/** A pose for every phase, counted in rounds of the movement (any number). */
export type Move = (phase: number) => BodyPose;

const arm = (upper: Vec3, fore: Vec3, palm: Vec3, curl = 0.2, spread = 0.1): ArmPose => {
  return { upper, fore, palm, curl, spread, shrug: 0 };
};

/** Arm positions by name. Directions: x away from the body's middle, y up, z forward. */
export const armPoses = {
  hang: arm([0.22, -0.97, 0], [0.14, -0.97, 0.16], [-0.92, 0, -0.25], 0.28, 0.07),
  apart: arm([0.5, -0.86, 0], [0.46, -0.87, 0.12], [-0.7, 0, 0.6], 0.15, 0.1),
  out: arm([0.94, -0.3, 0.15], [0.9, -0.25, 0.3], [0, -0.6, 0.8], 0.1, 0.14),
  side: arm([0.95, -0.05, 0.1], [0.4, 0.88, 0.2], [0, 0, 1], 0.08, 0.16),
  goal: arm([0.85, -0.4, 0.15], [0.15, 0.97, 0.15], [-0.1, 0, 1], 0.08, 0.16),
  up: arm([0.42, 0.9, 0.08], [0.12, 0.98, 0.08], [-0.2, 0, 1], 0.06, 0.14),
  vee: arm([0.72, 0.68, 0.08], [0.6, 0.78, 0.1], [0, 0, 1], 0.06, 0.17),
  overHead: arm([0.68, 0.72, 0.1], [-0.45, 0.88, 0.1], [-0.2, -0.2, 1], 0.1, 0.1),
  behindHead: arm([0.86, 0.48, -0.05], [-0.78, 0.6, -0.1], [-0.3, -0.2, -0.9], 0.3, 0.06),
  hip: arm([0.76, -0.62, -0.2], [-0.5, -0.8, 0.33], [-0.5, 0.2, -0.8], 0.7, 0.03),
  forward: arm([0.3, -0.25, 0.92], [0.15, 0.05, 0.98], [-0.2, -0.95, 0.1], 0.12, 0.1),
  reach: arm([0.45, 0.25, 0.85], [0.25, 0.35, 0.9], [-0.3, -0.8, 0.4], 0.1, 0.15),
  chest: arm([0.6, -0.74, 0.25], [-0.5, 0.4, 0.75], [-0.4, -0.1, -0.9], 0.25, 0.05),
  crossed: arm([0.36, -0.84, 0.4], [-0.93, 0.1, 0.45], [-0.2, 0.1, -0.95], 0.35, 0.05),
  belly: arm([0.4, -0.9, 0.15], [-0.68, -0.2, 0.7], [-0.2, 0.1, -0.95], 0.3, 0.05),
  guard: arm([0.4, -0.8, 0.35], [-0.12, 0.75, 0.6], [-0.6, 0, -0.4], 0.85, 0.02),
  shrug: arm([0.45, -0.88, 0.1], [0.72, 0.1, 0.68], [0, 1, 0.1], 0.12, 0.14),
  chin: arm([0.4, -0.82, 0.4], [-0.42, 0.86, 0.3], [-0.3, 0.2, -0.8], 0.5, 0.04),
  wave: arm([0.8, -0.45, 0.2], [0.3, 0.92, 0.2], [-0.1, 0.1, 1], 0.06, 0.17),
  salute: arm([0.82, 0.2, 0.3], [-0.62, 0.7, 0.2], [-0.2, -0.8, 0.4], 0.1, 0.05),
  back: arm([0.5, -0.82, -0.28], [0.6, -0.75, 0.0], [-0.8, 0, 0.2], 0.3, 0.08),
  point: arm([0.7, 0.1, 0.6], [0.66, 0.2, 0.65], [-0.2, -0.9, 0.2], 0.15, 0.06),
} satisfies Record<string, ArmPose>;

export type ArmName = keyof typeof armPoses;
export const armNames = Object.keys(armPoses) as ArmName[];

const blend = (a: Vec3, b: Vec3, t: number): Vec3 => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

/** Share `t` of the way between two arm positions. */
export const mixArms = (a: ArmPose, b: ArmPose, t: number): ArmPose => ({
  upper: blend(a.upper, b.upper, t),
  fore: blend(a.fore, b.fore, t),
  palm: blend(a.palm, b.palm, t),
  curl: a.curl + (b.curl - a.curl) * t,
  spread: a.spread + (b.spread - a.spread) * t,
  shrug: a.shrug + (b.shrug - a.shrug) * t,
});

const wave = (phase: number): number => Math.sin(2 * Math.PI * phase);
/** 0 at whole phases, 1 half way. */
const there = (phase: number): number => 0.5 - 0.5 * Math.cos(2 * Math.PI * phase);
const half = (phase: number): number => Math.max(0, wave(phase));
const foot = (x: number, more: Partial<FootPose> = {}): FootPose => ({ x, z: 0, lift: 0, turn: 0.2, heel: 0, ...more });

/** Every movement by name: random amplitudes are drawn once, then it repeats by phase. */
export const moves = {
  walk: (chance) => {
    const high = chance.between(0.08, 0.26);
    const swing = chance.between(0.3, 0.8);
    const stride = chance.between(0, 0.12);
    return (phase) => {
      const s = wave(phase);
      const swinging = (forward: number): ArmPose =>
        mixArms(
          armPoses.hang,
          arm([0.24, -0.85, 0.6], [0.08, -0.25, 0.95], [-0.9, 0.2, 0], 0.4),
          Math.max(-0.5, forward) * swing,
        );
      return {
        ...standing,
        pelvis: { x: 0.025 * s, z: 0, dip: 0.03 + 0.018 * wave(2 * phase), yaw: 0.08 * s, pitch: 0.02, roll: 0.04 * s },
        chest: { yaw: -0.14 * s, pitch: 0.02, roll: -0.03 * s },
        leftFoot: foot(0.1, { lift: high * half(phase), z: stride * s, heel: 0.5 * half(phase) }),
        rightFoot: foot(-0.1, { lift: high * half(phase + 0.5), z: -stride * s, heel: 0.5 * half(phase + 0.5) }),
        leftArm: swinging(-s),
        rightArm: swinging(s),
      };
    };
  },
  wave: (chance) => {
    const other = armPoses[chance.pick<ArmName>(['hang', 'hip', 'apart', 'belly'])];
    const [wide, lean] = [chance.between(0.25, 0.6), chance.between(-0.12, 0.12)];
    const left = chance.happens(0.5);
    return (phase) => {
      const waving: ArmPose = { ...armPoses.wave, fore: [0.2 + wide * wave(2 * phase), 0.92, 0.2] };
      return {
        ...standing,
        pelvis: { ...standing.pelvis, x: 0.03 * wave(phase), dip: 0.02, roll: lean * 0.4 },
        chest: { yaw: 0.08 * wave(phase), pitch: 0, roll: lean },
        head: { yaw: 0.1 * wave(phase + 0.2), pitch: 0, roll: -lean },
        leftArm: left ? waving : other,
        rightArm: left ? other : waving,
        smile: 0.8,
      };
    };
  },
  squat: (chance) => {
    const deep = chance.between(0.14, 0.36);
    const wide = chance.between(0.13, 0.22);
    const [from, to] = [
      armPoses[chance.pick<ArmName>(['hang', 'hip', 'chest'])],
      armPoses[chance.pick<ArmName>(['forward', 'out', 'chest', 'up'])],
    ];
    return (phase) => {
      const t = there(phase);
      const arms = mixArms(from, to, t);
      return {
        ...standing,
        pelvis: { x: 0, z: -0.1 * t * deep * 3, dip: 0.015 + deep * t, yaw: 0, pitch: 0.5 * deep * t, roll: 0 },
        chest: { yaw: 0, pitch: 0.5 * deep * t, roll: 0 },
        head: { yaw: 0, pitch: -0.6 * deep * t, roll: 0 },
        leftFoot: foot(wide, { turn: 0.45 }),
        rightFoot: foot(-wide, { turn: 0.45 }),
        leftArm: arms,
        rightArm: arms,
      };
    };
  },
  jacks: (chance) => {
    const [wide, hop] = [chance.between(0.22, 0.34), chance.between(0.02, 0.09)];
    const top = armPoses[chance.pick<ArmName>(['up', 'vee', 'out', 'overHead'])];
    return (phase) => {
      const t = there(phase);
      const air = hop * Math.max(0, wave(2 * phase));
      const through = t < 0.5 ? mixArms(armPoses.hang, armPoses.out, t * 2) : mixArms(armPoses.out, top, t * 2 - 1);
      const x = 0.08 + (wide - 0.08) * t;
      return {
        ...standing,
        pelvis: { ...standing.pelvis, dip: 0.03 + 0.05 * t - air },
        leftFoot: foot(x, { lift: air, heel: air * 4, turn: 0.25 }),
        rightFoot: foot(-x, { lift: air, heel: air * 4, turn: 0.25 }),
        leftArm: through,
        rightArm: through,
      };
    };
  },
  arms: (chance) => {
    const stations = Array.from({ length: 4 }, () => armPoses[chance.pick(armNames)]);
    const others = chance.happens(0.5) ? stations : Array.from({ length: 4 }, () => armPoses[chance.pick(armNames)]);
    const at = (list: readonly ArmPose[], phase: number): ArmPose => {
      const p = (phase - Math.floor(phase)) * list.length;
      const i = Math.floor(p);
      const t = p - i;
      return mixArms(list[i] as ArmPose, list[(i + 1) % list.length] as ArmPose, t * t * (3 - 2 * t));
    };
    const bounce = chance.between(0, 0.04);
    return (phase) => ({
      ...standing,
      pelvis: { ...standing.pelvis, dip: 0.02 + bounce * there(phase * 4), x: 0.03 * wave(phase) },
      leftArm: at(stations, phase),
      rightArm: at(others, phase),
    });
  },
  sideSteps: (chance) => {
    const [far, high] = [chance.between(0.08, 0.17), chance.between(0.02, 0.07)];
    const [a, b] = [armPoses[chance.pick(armNames)], armPoses[chance.pick(armNames)]];
    return (phase) => {
      const s = wave(phase);
      const [l, r] = [half(phase - 0.12), half(phase + 0.38)];
      return {
        ...standing,
        pelvis: {
          x: far * s * 0.8,
          z: 0,
          dip: 0.04 + 0.02 * wave(2 * phase),
          yaw: 0.1 * s,
          pitch: 0.02,
          roll: -0.06 * s,
        },
        chest: { yaw: 0.12 * s, pitch: 0.03, roll: 0.08 * s },
        leftFoot: foot(0.12 + far * Math.max(0, s), { lift: high * l, heel: 0.4 * l }),
        rightFoot: foot(-0.12 - far * Math.max(0, -s), { lift: high * r, heel: 0.4 * r }),
        leftArm: mixArms(a, b, 0.5 + 0.5 * s),
        rightArm: mixArms(b, a, 0.5 + 0.5 * s),
      };
    };
  },
  twist: (chance) => {
    const [far, lean] = [chance.between(0.2, 0.6), chance.between(0, 0.16)];
    const pose = armPoses[chance.pick<ArmName>(['out', 'hip', 'guard', 'crossed', 'side', 'apart', 'behindHead'])];
    return (phase) => {
      const s = wave(phase);
      return {
        ...standing,
        pelvis: { x: 0.02 * s, z: 0, dip: 0.04, yaw: 0.15 * s, pitch: 0, roll: 0 },
        chest: { yaw: far * s, pitch: 0.05, roll: lean * wave(phase + 0.25) },
        head: { yaw: -far * 0.5 * s, pitch: 0, roll: 0 },
        leftFoot: foot(0.15),
        rightFoot: foot(-0.15),
        leftArm: pose,
        rightArm: pose,
      };
    };
  },
  kick: (chance) => {
    const [high, out, front] = [chance.between(0.15, 0.55), chance.between(0.1, 0.45), chance.between(0, 0.45)];
    const pose = armPoses[chance.pick<ArmName>(['guard', 'out', 'hip', 'side', 'apart'])];
    const other = armPoses[chance.pick<ArmName>(['guard', 'out', 'hip', 'back', 'apart'])];
    return (phase) => {
      const [l, r] = [half(phase) ** 1.5, half(phase + 0.5) ** 1.5];
      const s = l - r;
      return {
        ...standing,
        pelvis: { x: -0.075 * s, z: -0.03, dip: 0.02, yaw: 0.1 * s, pitch: -0.06 * Math.abs(s), roll: 0.1 * s },
        chest: { yaw: -0.1 * s, pitch: 0.05 * Math.abs(s), roll: -0.14 * s },
        leftFoot: foot(0.1 + out * l, { lift: high * l, z: front * l, heel: 0.5 * l }),
        rightFoot: foot(-0.1 - out * r, { lift: high * r, z: front * r, heel: 0.5 * r }),
        leftArm: mixArms(pose, other, l),
        rightArm: mixArms(pose, other, r),
      };
    };
  },
  reach: (chance) => {
    const [a, b] = [
      armPoses[chance.pick<ArmName>(['up', 'vee', 'reach', 'point', 'out'])],
      armPoses[chance.pick<ArmName>(['hang', 'hip', 'back', 'chest', 'apart'])],
    ];
    const lean = chance.between(0.05, 0.26);
    return (phase) => {
      const s = wave(phase);
      const [l, r] = [half(phase), half(phase + 0.5)];
      return {
        ...standing,
        pelvis: { x: 0.07 * s, z: 0, dip: 0.03, yaw: 0.12 * s, pitch: 0, roll: -0.07 * s },
        chest: { yaw: 0.2 * s, pitch: 0.03, roll: lean * s * -0.6 },
        head: { yaw: 0.25 * s, pitch: -0.12 * Math.abs(s), roll: 0 },
        leftFoot: foot(0.15, { heel: 0.35 * r }),
        rightFoot: foot(-0.15, { heel: 0.35 * l }),
        leftArm: mixArms(b, a, l),
        rightArm: mixArms(b, a, r),
      };
    };
  },
  lunge: (chance) => {
    const [wide, deep] = [chance.between(0.2, 0.34), chance.between(0.08, 0.2)];
    const [a, b] = [armPoses[chance.pick(armNames)], armPoses[chance.pick(armNames)]];
    return (phase) => {
      const s = wave(phase);
      return {
        ...standing,
        pelvis: {
          x: wide * 0.62 * s,
          z: 0,
          dip: 0.04 + deep * Math.abs(s) * 0.8 + wide * 0.12,
          yaw: 0.2 * s,
          pitch: 0.05,
          roll: 0,
        },
        chest: { yaw: 0, pitch: 0.06, roll: 0.1 * s },
        leftFoot: foot(wide, { turn: 0.55 }),
        rightFoot: foot(-wide, { turn: 0.55 }),
        leftArm: mixArms(a, b, 0.5 + 0.5 * s),
        rightArm: mixArms(a, b, 0.5 - 0.5 * s),
      };
    };
  },
  box: (chance) => {
    const far = chance.between(0.6, 1);
    const hit = arm([0.1, -0.05, 0.95], [-0.12, 0.08, 0.98], [-0.2, -0.95, 0], 1, 0);
    return (phase) => {
      const [l, r] = [half(phase) ** 2 * far, half(phase + 0.5) ** 2 * far];
      const s = l - r;
      return {
        ...standing,
        pelvis: { x: 0.02 * s, z: 0, dip: 0.06 + 0.01 * wave(2 * phase), yaw: -0.2 * s, pitch: 0.04, roll: 0 },
        chest: { yaw: -0.35 * s, pitch: 0.08, roll: 0 },
        head: { yaw: 0.3 * s, pitch: -0.05, roll: 0 },
        leftFoot: foot(0.16, { z: 0.08 }),
        rightFoot: foot(-0.16, { z: -0.08, heel: 0.2 }),
        leftArm: mixArms(armPoses.guard, hit, l),
        rightArm: mixArms(armPoses.guard, hit, r),
        smile: 0.2,
      };
    };
  },
  dance: (chance) => {
    const start = chance.between(0, 8);
    return (phase) => danceAt(start + phase * 2);
  },
} satisfies Record<string, (chance: Chance) => Move>;

export type MoveName = keyof typeof moves;
export const moveNames = Object.keys(moves) as MoveName[];
