import { armSolids, type Build, handSolids, legSolids, shoeSolids, sides, trunk } from '../body.js';
import type { Character } from '../character.js';
import { ball, cone, type Rgb } from '../field.js';
import { headSpace } from '../head.js';
import { blend, color, inside, shaded, step, stroke } from '../paint.js';
import type { Proportions } from '../skeleton.js';
import type { Vec3 } from '../vec.js';
import { glossy } from '../wardrobe.js';

const measures: Proportions = {
  hipHeight: 0.88,
  hipHalf: 0.085,
  shoulderHalf: 0.168,
  waist: 0.19,
  ribs: 0.23,
  neckRise: 0.04,
  neck: 0.07,
  head: 1.3,
  upperArm: 0.28,
  forearm: 0.25,
  hand: 1.15,
  thigh: 0.415,
  shin: 0.41,
  ankle: 0.08,
};
const build: Build = { chest: [0.158, 0.112], waist: [0.115, 0.09], hips: [0.13, 0.1], bust: 0, arm: 0.05 };
const shell = color('#eef1f4');
const joint = color('#30363f');
const cyan = color('#3fe0ff');
const orange = color('#ff8a2a');

/** A friendly robot with human proportions and a human-like face. */
export const bolt: Character = {
  name: 'bolt',
  measures,
  backdrop: { wallTop: color('#4f7d6b'), wallLow: color('#bcd8c4'), floor: color('#c9cdbf') },
  layers: (s) => {
    const h = headSpace(s.head, measures.head);
    const limbPaint = (p: Vec3, part: string): Rgb => {
      const size =
        part === 'upperArm'
          ? measures.upperArm
          : part === 'forearm'
            ? measures.forearm
            : part === 'thigh'
              ? measures.thigh
              : measures.shin;
      const near = Math.min(p[1], size - p[1]);
      const band = part === 'forearm' || part === 'shin' ? inside(Math.abs(p[1] - size * 0.72) - 0.012, 0.002) : 0;
      return blend(blend(joint, shell, step(0.038, 0.042, near)), orange, band);
    };
    const bodyPaint = (p: Vec3, part: string): Rgb => {
      if (part === 'belly') return joint;
      if (part === 'trunk' && p[2] > 0.02) {
        const light = Math.hypot(p[0], p[1] - 0.12);
        const ring = blend(shell, joint, inside(light - 0.042, 0.002));
        return blend(ring, [cyan[0] * 2.2, cyan[1] * 2.2, cyan[2] * 2.2], inside(light - 0.031, 0.002));
      }
      return shell;
    };
    const facePaint = (p: Vec3): Rgb => {
      const [x, y, z] = [p[0] / measures.head, p[1] / measures.head, p[2] / measures.head];
      if (z < 0.02) return shell;
      const a = Math.abs(x);
      let c = shell;
      const brow = stroke(a, y, [0.018, 0.15], [0.05, 0.149], 0.004, 0.003);
      c = blend(c, joint, inside(brow));
      const socket = Math.hypot((a - 0.034) / 1.25, y - 0.118);
      c = blend(c, joint, inside(socket - 0.02, 0.002));
      const eye = Math.hypot(a - 0.034, (y - 0.118) / (1.05 - s.pose.blink));
      c = blend(c, [0.95, 0.98, 1], inside(eye - 0.0165));
      c = blend(c, [cyan[0], cyan[1], cyan[2]], inside(eye - 0.0105));
      c = blend(c, [0.01, 0.02, 0.03], inside(eye - 0.0055));
      const smile = Math.abs(y - 0.05 - 9 * x * x) - 0.0028 + 2 * Math.max(0, a - 0.026);
      c = blend(c, joint, inside(smile));
      return blend(c, orange, 0.5 * inside(Math.hypot((a - 0.052) / 1.3, y - 0.08) - 0.011, 0.004));
    };
    return [
      {
        name: 'head',
        material: glossy((p, part) => (part === 'nose' ? shaded(shell, 0.82) : facePaint(p)), 0.35, 40),
        solids: [
          h.ball([0, 0.14, -0.006], [0.088, 0.105, 0.098], {}),
          h.ball([0, 0.07, 0.018], [0.07, 0.06, 0.076], { blend: 0.04 }),
          h.cone([0, 0.11, 0.09], [0, 0.088, 0.1], 0.007, 0.011, { part: 'nose', blend: 0.012 }),
        ],
      },
      {
        name: 'trim',
        material: glossy(
          (_, part) => (part === 'lamp' ? [cyan[0] * 2, cyan[1] * 2, cyan[2] * 2] : part === 'ear' ? orange : joint),
          0.35,
          30,
        ),
        solids: [
          ...[1, -1].flatMap((x) => [
            h.cone([x * 0.075, 0.115, -0.004], [x * 0.1, 0.115, -0.004], 0.032, 0.028, { flat: true, part: 'ear' }),
          ]),
          h.cone([0, 0.235, 0], [0, 0.285, -0.01], 0.006, 0.004, {}),
          h.ball([0, 0.295, -0.011], [0.013, 0.013, 0.013], { part: 'lamp' }),
          cone(s.neck, [0, -0.05, -0.008], [0, 0.1, 0], 0.045, 0.042, {}),
          ...[0, 0.022, 0.044].map((y) =>
            cone(s.neck, [0, y, -0.006], [0, y + 0.008, -0.006], 0.05, 0.05, { flat: true }),
          ),
        ],
      },
      { name: 'trunk', material: glossy(bodyPaint, 0.3, 36), solids: trunk(s, build, 0.004, true) },
      {
        name: 'limbs',
        material: glossy(limbPaint, 0.3, 36),
        solids: [
          ...sides(s).flatMap((side) => armSolids(measures, side, 0.05)),
          ...sides(s).flatMap((side) => legSolids(measures, side, 0.08, 0.046)),
        ],
      },
      {
        name: 'shoulders',
        material: glossy(() => orange, 0.35, 36),
        solids: sides(s).map((side) => ball(side.upperArm, [0.008, 0.012, 0], [0.062, 0.062, 0.064], {})),
      },
      {
        name: 'hands',
        material: glossy(() => shaded(shell, 0.8), 0.25, 30),
        solids: sides(s).flatMap((side) => handSolids(measures, side)),
      },
      {
        name: 'feet',
        material: glossy((_, part) => (part === 'sole' ? joint : orange), 0.3, 30),
        solids: sides(s).flatMap((side) => shoeSolids(measures, side, 1.05)),
      },
    ];
  },
};
