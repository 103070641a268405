import type { ArmPose, BodyPose, FootPose } from './skeleton.js';
import type { Vec3 } from './vec.js';

/** The dance: 8 beats at 120 a minute, 4 seconds, and it loops. */
export const beats = 8;
export const beatsPerMinute = 120;

const arm = (upper: Vec3, fore: Vec3, palm: Vec3, curl = 0.2, spread = 0.1, shrug = 0): ArmPose => {
  return { upper, fore, palm, curl, spread, shrug };
};

// Directions: x away from the body's middle, y up, z forward.
const arms = {
  ease: arm([0.24, -0.97, 0], [0.16, -0.97, 0.16], [-0.92, 0, -0.25], 0.28, 0.07),
  groove: arm([0.5, -0.85, -0.1], [0.45, 0.62, 0.5], [-0.55, 0.1, 0.8], 0.45, 0.06),
  out: arm([0.88, 0.08, 0.2], [0.36, 0.9, 0.18], [0.1, -0.1, 1], 0.06, 0.16),
  wave: arm([0.92, -0.2, 0.2], [-0.06, 0.97, 0.2], [-0.1, 0.1, 1], 0.08, 0.16),
  chest: arm([0.62, -0.72, 0.2], [-0.45, 0.5, 0.68], [-0.45, -0.1, -0.85], 0.25, 0.05),
  swing: arm([0.45, -0.88, -0.12], [0.75, -0.6, 0.2], [-0.5, -0.3, 0.8], 0.3, 0.08),
  high: arm([0.6, 0.78, 0.1], [0.16, 0.97, 0.08], [-0.1, 0, 1], 0.05, 0.17, 0.012),
  highOut: arm([0.78, 0.6, 0.05], [0.62, 0.76, 0.1], [0, -0.1, 1], 0.05, 0.17, 0.012),
  highIn: arm([0.5, 0.85, 0.12], [-0.36, 0.92, 0.1], [-0.1, 0, 1], 0.05, 0.15, 0.012),
  hip: arm([0.76, -0.6, -0.26], [-0.5, -0.8, 0.33], [-0.5, 0.2, -0.8], 0.8, 0.02),
  point: arm([0.66, 0.74, 0.12], [0.5, 0.86, 0.06], [-0.2, 0, 1], 0.12, 0.1, 0.02),
} satisfies Record<string, ArmPose>;

type ArmName = keyof typeof arms;

const leftArm: readonly (readonly [beat: number, name: ArmName])[] = [
  [0, 'groove'],
  [1, 'out'],
  [1.5, 'wave'],
  [2, 'out'],
  [3, 'chest'],
  [3.5, 'groove'],
  [4, 'swing'],
  [5, 'high'],
  [5.5, 'highOut'],
  [6, 'highIn'],
  [6.6, 'high'],
  [7.2, 'hip'],
];

const rightArm: readonly (readonly [beat: number, name: ArmName])[] = [
  [0, 'groove'],
  [1, 'chest'],
  [1.5, 'groove'],
  [2, 'swing'],
  [3, 'out'],
  [3.5, 'wave'],
  [4, 'out'],
  [5, 'high'],
  [5.5, 'highIn'],
  [6, 'highOut'],
  [6.6, 'high'],
  [7.2, 'point'],
];

/** Standing at ease, arms a little off the body. */
export const standing: BodyPose = {
  pelvis: { x: 0, dip: 0.012, z: 0, yaw: 0, pitch: 0, roll: 0 },
  chest: { yaw: 0, pitch: 0, roll: 0 },
  head: { yaw: 0, pitch: 0, roll: 0 },
  leftArm: arms.ease,
  rightArm: arms.ease,
  leftFoot: { x: 0.115, z: 0, lift: 0, turn: 0.22, heel: 0 },
  rightFoot: { x: -0.115, z: 0, lift: 0, turn: 0.22, heel: 0 },
  gaze: [0, 0],
  blink: 0,
  smile: 0.5,
  swing: [0, 0, 0],
};

/** Keys of one curve: beat and values. The curve is periodic over the dance. */
type Keys = readonly (readonly [beat: number, ...values: number[]])[];

// x, z, lift, turn out, heel
const leftFoot: Keys = [
  [0.1, 0.13, 0, 0, 0.25, 0],
  [0.55, 0.2, 0.03, 0.055, 0.3, 0.3],
  [1, 0.26, 0.01, 0, 0.3, 0],
  [3.15, 0.26, 0.01, 0, 0.3, 0],
  [3.55, 0.1, 0.05, 0.06, 0.2, 0.45],
  [4, 0.0, 0.03, 0, 0.2, 0.38],
  [4.2, 0.0, 0.03, 0, 0.2, 0.38],
  [4.6, 0.12, 0.04, 0.06, 0.25, 0.25],
  [5, 0.21, 0, 0, 0.3, 0],
  [7.1, 0.21, 0, 0, 0.3, 0],
  [7.35, 0.17, 0, 0.03, 0.28, 0.15],
  [7.6, 0.13, 0, 0, 0.25, 0],
];
const rightFoot: Keys = [
  [0, -0.13, 0, 0, 0.25, 0],
  [1.15, -0.13, 0, 0, 0.25, 0],
  [1.55, -0.02, 0.05, 0.06, 0.2, 0.45],
  [2, 0.05, 0.03, 0, 0.2, 0.38],
  [2.15, 0.05, 0.03, 0, 0.2, 0.38],
  [2.6, -0.13, 0.04, 0.06, 0.28, 0.25],
  [3, -0.26, 0.01, 0, 0.3, 0],
  [4.3, -0.26, 0.01, 0, 0.3, 0],
  [4.65, -0.23, 0.01, 0.03, 0.3, 0.15],
  [5, -0.21, 0, 0, 0.3, 0],
  [7.5, -0.21, 0, 0, 0.3, 0],
  [7.75, -0.17, 0, 0.03, 0.28, 0.15],
  [8, -0.13, 0, 0, 0.25, 0],
];

// x, yaw, roll of the pelvis; yaw, pitch, roll of the chest against it; yaw, pitch, roll of the head.
const trunk: Keys = [
  [0, 0, 0, 0, 0, 0.03, 0, 0, 0, 0],
  [0.5, -0.025, -0.08, 0.04, -0.1, 0.02, 0.02, 0.1, 0, 0],
  [1, 0.07, 0.12, -0.03, 0.22, 0.0, 0.05, 0.18, -0.02, 0.06],
  [2, 0.1, 0.2, -0.08, 0.28, 0.02, 0.1, -0.1, 0.02, -0.05],
  [2.5, 0.06, 0.05, -0.02, 0.05, 0.03, 0.02, -0.1, 0.02, 0],
  [3, -0.07, -0.12, 0.03, -0.22, 0.0, -0.05, -0.18, -0.02, -0.06],
  [4, -0.1, -0.2, 0.08, -0.28, 0.02, -0.1, 0.1, 0.02, 0.05],
  [4.5, -0.06, -0.05, 0.02, 0, 0.08, 0, 0, 0.08, 0],
  [5, 0, 0, 0, 0, -0.05, 0, 0, -0.1, 0],
  [5.5, 0.08, 0.06, -0.09, 0.06, -0.02, 0.13, 0.08, -0.04, 0.1],
  [6, -0.08, -0.06, 0.09, -0.06, -0.02, -0.13, -0.08, -0.04, -0.1],
  [6.6, 0.03, 0.02, -0.03, 0, 0, 0.04, 0, 0, 0],
  [7.2, 0.06, 0.12, -0.08, -0.18, -0.02, -0.1, -0.25, -0.08, 0.04],
];

/** The body at a moment of the dance, counted in beats (any number: the dance repeats). */
export function danceAt(beat: number): BodyPose {
  const body = bodyAt(beat);
  const before = bodyAt(beat - 0.3);
  // Hair and cloth trail the pelvis and the turning head.
  const swing: Vec3 = [
    (before.pelvis.x - body.pelvis.x) * 0.6 + (before.head.roll - body.head.roll) * 0.2,
    (body.pelvis.dip - before.pelvis.dip) * 0.5,
    0,
  ];
  return { ...body, swing };
}

function bodyAt(beat: number): BodyPose {
  const [x, yaw, roll, chestYaw, chestPitch, chestRoll, headYaw, headPitch, headRoll] = curve(trunk, beat) as Nine;
  const pulse = Math.cos(2 * Math.PI * beat);
  const blink = (at: number) => Math.max(0, 1 - Math.abs((((beat % beats) + beats) % beats) - at) / 0.16);
  return {
    // Down on every beat, up between: the knees give.
    pelvis: { x, z: 0, dip: 0.05 + 0.024 * pulse, yaw, pitch: 0.03, roll },
    chest: { yaw: chestYaw, pitch: chestPitch + 0.02 * pulse, roll: chestRoll },
    head: { yaw: headYaw, pitch: headPitch + 0.045 * pulse, roll: headRoll },
    leftArm: armAt(leftArm, beat),
    rightArm: armAt(rightArm, beat),
    leftFoot: footAt(leftFoot, beat),
    rightFoot: footAt(rightFoot, beat),
    gaze: [headYaw * -0.6, 0],
    blink: Math.max(blink(2.6), blink(6.7)),
    smile: 0.86 + 0.14 * Math.sin((2 * Math.PI * (beat - 3)) / beats),
    swing: [0, 0, 0],
  };
}

type Nine = [number, number, number, number, number, number, number, number, number];
type Twelve = [...Nine, number, number, number];

function armAt(script: readonly (readonly [number, ArmName])[], beat: number): ArmPose {
  const keys = script.map(([at, name]): readonly [number, ...number[]] => {
    const { upper, fore, palm, curl, spread, shrug } = arms[name];
    return [at, ...upper, ...fore, ...palm, curl, spread, shrug];
  });
  const [ux, uy, uz, fx, fy, fz, px, py, pz, curl, spread, shrug] = curve(keys, beat) as Twelve;
  return { upper: [ux, uy, uz], fore: [fx, fy, fz], palm: [px, py, pz], curl: Math.max(0, curl), spread, shrug };
}

function footAt(keys: Keys, beat: number): FootPose {
  const [x, z, lift, turn, heel] = curve(keys, beat, true) as [number, number, number, number, number];
  return { x, z, lift, turn, heel };
}

/**
 * Values of a periodic cubic Hermite curve through the keys. `settle` keeps every value between its neighbouring keys
 * (monotone tangents), so that a planted foot stays where it is.
 */
function curve(keys: Keys, beat: number, settle = false): number[] {
  const count = keys.length;
  const key = (i: number) => {
    const turns = Math.floor(i / count);
    const [at, ...values] = keys[i - turns * count] as readonly [number, ...number[]];
    return { at: at + turns * beats, values };
  };
  const start = keys[0]?.[0] ?? 0;
  const at = beat - Math.floor((beat - start) / beats) * beats;
  let i = count - 1;
  while (i > 0 && key(i).at > at) i--;
  const [before, a, b, after] = [key(i - 1), key(i), key(i + 1), key(i + 2)];
  const span = b.at - a.at;
  if (span <= 0) return a.values;
  const t = (at - a.at) / span;
  return a.values.map((va, k) => {
    const [v0, vb, v3] = [before.values[k] ?? 0, b.values[k] ?? 0, after.values[k] ?? 0];
    const slope = (vb - va) / span;
    const ma = tangent((va - v0) / (a.at - before.at || 1), slope, (vb - v0) / (b.at - before.at));
    const mb = tangent(slope, (v3 - vb) / (after.at - b.at || 1), (v3 - va) / (after.at - a.at));
    const h = t * t * (3 - 2 * t);
    return va + (vb - va) * h + span * (ma * t * (1 - t) ** 2 - mb * t * t * (1 - t));
  });

  function tangent(left: number, right: number, mean: number): number {
    if (!settle) return mean;
    return left * right <= 0 ? 0 : (2 * left * right) / (left + right);
  }
}
