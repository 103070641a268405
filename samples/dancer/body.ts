import { ball, cone, type Solid, type SolidOptions } from './field.js';
import type { Proportions, Side, Skeleton } from './skeleton.js';
import type { Vec3 } from './vec.js';

/** Widths of a trunk in metres: half-widths across and front to back. */
export type Build = {
  readonly chest: readonly [number, number];
  readonly waist: readonly [number, number];
  readonly hips: readonly [number, number];
  readonly bust: number;
  /** Radius of the shoulder. */
  readonly arm: number;
};

/** Chest, belly, hips and the slope of the shoulders, grown outward by `grow`. */
export function trunk(s: Skeleton, b: Build, grow: number, hips: boolean, part = 'trunk'): Solid[] {
  const m = s.measures;
  const g = grow;
  const solids = [
    ...(hips ? [ball(s.pelvis, [0, 0.035, -0.005], [b.hips[0] + g, 0.115 + g, b.hips[1] + g], { part: 'hips' })] : []),
    ball(s.abdomen, [0, 0.02, 0], [b.waist[0] + g, 0.19 + g, b.waist[1] + g], { part: 'belly', blend: 0.05 }),
    ball(s.chest, [0, m.ribs * 0.4, 0], [b.chest[0] + g, m.ribs * 0.74 + g, b.chest[1] + g], { part, blend: 0.05 }),
  ];
  if (b.bust > 0)
    for (const x of [1, -1])
      solids.push(
        ball(s.chest, [x * 0.062, m.ribs * 0.46, b.chest[1] * 0.62], [0.06 + g, 0.058 + g, b.bust + g], {
          part,
          blend: 0.035,
        }),
      );
  for (const side of [s.left, s.right]) {
    const shoulder = localShoulder(s, side);
    solids.push(
      cone(s.chest, [shoulder[0] * 0.22, m.ribs + m.neckRise * 0.55, -0.012], shoulder, 0.034 + g, b.arm * 0.92 + g, {
        part,
        blend: 0.05,
      }),
    );
  }
  return solids;
}

function localShoulder({ chest }: Skeleton, side: Side): Vec3 {
  const [ox, oy, oz] = side.upperArm.origin;
  const d: Vec3 = [ox - chest.origin[0], oy - chest.origin[1], oz - chest.origin[2]];
  const along = (a: Vec3) => d[0] * a[0] + d[1] * a[1] + d[2] * a[2];
  return [along(chest.x) * 0.95, along(chest.y) - 0.018, along(chest.z)];
}

/** Neck, from inside the chest into the skull. */
export function neckSolids(s: Skeleton, radius: number): Solid[] {
  const part = 'neck';
  return [
    cone(s.neck, [0, -0.05, -0.01], [0, s.measures.neck + 0.05, -0.004], radius * 1.15, radius, { part, blend: 0.014 }),
  ];
}

/** Upper arm and forearm with the swell of their muscles. */
export function armSolids(m: Proportions, side: Side, r: number): Solid[] {
  const U = m.upperArm;
  const F = m.forearm;
  return [
    cone(side.upperArm, [0, 0, 0], [0, U, 0], r * 1.02, r * 0.78, { part: 'upperArm' }),
    ball(side.upperArm, [0, U * 0.5, r * 0.12], [r * 0.9, U * 0.4, r * 0.96], { part: 'upperArm', blend: 0.02 }),
    cone(side.forearm, [0, 0, 0], [0, F * 0.4, 0], r * 0.76, r * 0.74, { part: 'forearm', blend: 0.012 }),
    cone(side.forearm, [0, F * 0.28, 0], [0, F + 0.012, 0], r * 0.78, r * 0.5, { part: 'forearm', blend: 0.02 }),
  ];
}

/** Palm, four fingers and thumb. */
export function handSolids(m: Proportions, { hand, arm }: Side): Solid[] {
  const k = m.hand;
  const part = 'hand';
  const p = (x: number, y: number, z: number): Vec3 => [x * k, y * k, z * k];
  const flat: SolidOptions = { part, blend: 0.016, cross: [1, 0.44] };
  const solids = [
    cone(hand, p(0, 0.005, 0), p(0.001, 0.06, 0), 0.027 * k, 0.037 * k, flat),
    cone(hand, p(-0.001, 0.05, 0), p(-0.001, 0.072, 0), 0.039 * k, 0.036 * k, flat),
  ];
  const fingers = [
    { x: 0.029, y: 0.088, size: 0.074, r: 0.0098 },
    { x: 0.0098, y: 0.093, size: 0.083, r: 0.0102 },
    { x: -0.0098, y: 0.09, size: 0.077, r: 0.0098 },
    { x: -0.0275, y: 0.081, size: 0.061, r: 0.0088 },
  ];
  fingers.forEach(({ x, y, size, r }, i) => {
    const fan = (1.4 - i) * arm.spread;
    // Every joint bends a share of the curl; the little finger a little more.
    const bend = arm.curl * (1 + 0.06 * i) + 0.08;
    solids.push(
      ...chain(
        [x, y - 0.012, 0],
        fan,
        [0.5, 0.29, 0.21].map((f) => f * (size + 0.012)),
        bend,
        r,
      ),
    );
  });
  const thumb = chain([0.026, 0.026, 0.008], 0.85, [0.042, 0.033, 0.026], 0.16 + arm.curl * 0.35, 0.0125);
  return [...solids, ...thumb];

  function chain(base: Vec3, fan: number, sizes: readonly number[], bend: number, r: number): Solid[] {
    let at = base;
    let angle = bend * 0.4;
    return sizes.map((size, i) => {
      const reach = Math.cos(angle) * size;
      const next: Vec3 = [at[0] + Math.sin(fan) * reach, at[1] + Math.cos(fan) * reach, at[2] + Math.sin(angle) * size];
      const solid = cone(hand, p(...at), p(...next), r * k * (1 - 0.09 * i), r * k * (0.94 - 0.09 * i), {
        part,
        blend: 0.007 * k,
      });
      at = next;
      angle += bend * 1.15;
      return solid;
    });
  }
}

/** Thigh, knee and calf. `cuff` is the radius at the ankle. */
export function legSolids(m: Proportions, side: Side, r: number, cuff: number, blend = 0.018): Solid[] {
  const T = m.thigh;
  const S = m.shin;
  return [
    cone(side.thigh, [-0.004, 0.02, -0.008], [0, T * 0.5, 0], r, r * 0.84, { part: 'thigh', blend: 0.045 }),
    cone(side.thigh, [0, T * 0.4, 0], [0, T, 0], r * 0.86, r * 0.66, { part: 'thigh', blend }),
    ball(side.thigh, [0, T * 0.35, 0.012], [r * 0.84, T * 0.42, r * 0.9], { part: 'thigh', blend }),
    cone(side.shin, [0, 0, 0], [0, S * 0.4, -0.006], r * 0.66, r * 0.64, { part: 'shin', blend }),
    ball(side.shin, [0.002, S * 0.29, -0.017], [r * 0.6, S * 0.3, r * 0.62], { part: 'shin', blend }),
    cone(side.shin, [0, S * 0.3, -0.006], [0, S * 0.97, 0], r * 0.65, cuff, { part: 'shin', blend }),
  ];
}

/** A shoe round the foot; paint tells the sole by the local z (height over the ankle). */
export function shoeSolids(m: Proportions, { foot }: Side, size = 1): Solid[] {
  const floor = -m.ankle;
  const k = size;
  const part = 'shoe';
  return [
    cone(foot, [0, -0.045 * k, floor + 0.042], [0.004, 0.1 * k, floor + 0.036], 0.041 * k, 0.047 * k, {
      part,
      cross: [1, 0.85],
    }),
    cone(foot, [0.003, 0.09 * k, floor + 0.032], [-0.002, 0.145 * k, floor + 0.03], 0.047 * k, 0.037 * k, {
      part,
      cross: [1, 0.72],
      blend: 0.03,
    }),
    cone(foot, [0, -0.028, floor + 0.04], [0, -0.012, 0.012], 0.044 * k, 0.042 * k, {
      part,
      blend: 0.03,
      face: [1, 0, 0],
    }),
    cone(foot, [0, 0.005, floor + 0.075], [0, 0.07 * k, floor + 0.052], 0.03, 0.028, { part, blend: 0.03 }),
    // The sole: flat below.
    cone(foot, [0, -0.05 * k, floor + 0.013], [0.0, 0.145 * k, floor + 0.013], 0.047 * k, 0.042 * k, {
      part: 'sole',
      cross: [1, 0.3],
      blend: 0.008,
    }),
  ];
}

/** Both sides, for building them alike. */
export const sides = ({ left, right }: Skeleton): readonly [Side, Side] => [left, right];
