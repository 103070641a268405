import { armSolids, type Build, handSolids, legSolids, neckSolids, shoeSolids, sides, trunk } from '../body.js';
import type { Character } from '../character.js';
import { ball, cone, type Rgb } from '../field.js';
import { swoosh } from '../hair.js';
import { eyeLayer, type FaceLook, headSolids, skinMaterial } from '../head.js';
import { blend, color, inside, shaded, stroke } from '../paint.js';
import type { Proportions } from '../skeleton.js';
import type { Vec3 } from '../vec.js';
import { cloth, glossy, hair } from '../wardrobe.js';

const measures: Proportions = {
  hipHeight: 0.95,
  hipHalf: 0.09,
  shoulderHalf: 0.185,
  waist: 0.2,
  ribs: 0.25,
  neckRise: 0.045,
  neck: 0.072,
  head: 1.26,
  upperArm: 0.3,
  forearm: 0.26,
  hand: 1.12,
  thigh: 0.45,
  shin: 0.44,
  ankle: 0.085,
};
const build: Build = {
  chest: [0.165, 0.115],
  waist: [0.122, 0.092],
  hips: [0.138, 0.1],
  bust: 0.024,
  arm: 0.062,
};
const suit = color('#1f5fbf');
const dark = color('#153b85');
const accent = color('#ffb21f');
const boot = color('#d8342c');
const face: FaceLook = {
  skin: color('#8a5636'),
  lips: color('#7a3a34'),
  brows: color('#15100d'),
  iris: color('#6a4a2a'),
  jaw: 0.071,
  eyes: 0.0122,
  lashes: 0.001,
  browWidth: 0.0046,
  lipWidth: 0.025,
  blush: 0.1,
  over: (at, base) => {
    // A domino mask with pointed ends.
    const x = Math.abs(at[0]);
    const mask = stroke(x, at[1], [0, 0.12], [0.05, 0.124], 0.012, 0.0235) + 0.1 * Math.max(0, x - 0.07);
    return blend(base, shaded(boot, 0.8), 0.96 * inside(mask));
  },
};

/** A caped hero. */
export const comet: Character = {
  name: 'comet',
  measures,
  backdrop: { wallTop: color('#e9a15c'), wallLow: color('#f6dfb6'), floor: color('#d8c6a6') },
  layers: (s) => {
    const paintSuit = (p: Vec3, part: string): Rgb => {
      if (part === 'trunk' && p[2] > 0) {
        const star = Math.min(
          stroke(Math.abs(p[0]), p[1], [0, 0.075], [0.085, 0.15], 0.017, 0.013),
          Math.hypot(p[0], p[1] - 0.145) - 0.024,
        );
        return blend(suit, accent, inside(star, 0.002));
      }
      const flank = (part === 'belly' || part === 'trunk') && Math.abs(p[0]) > 0.1;
      return flank ? dark : suit;
    };
    const swing = s.pose.swing;
    const cape = [
      cone(s.chest, [0, 0.235, -0.06], [swing[0] * 0.3, -0.1, -0.15], 0.13, 0.2, { cross: [1, 0.13], part: 'cape' }),
      cone(s.chest, [swing[0] * 0.3, -0.05, -0.145], [swing[0], -0.72, -0.24], 0.195, 0.31, {
        cross: [1, 0.09],
        part: 'cape',
        flat: true,
        blend: 0.03,
      }),
      ...[1, -1].map((x) =>
        cone(s.chest, [x * 0.055, 0.255, 0.03], [x * 0.12, 0.235, -0.07], 0.026, 0.04, { blend: 0.03, part: 'cape' }),
      ),
    ];
    return [
      {
        name: 'skin',
        material: skinMaterial(s, face),
        solids: [...headSolids(s, face), ...neckSolids(s, 0.052)],
      },
      eyeLayer(s, face),
      { name: 'hair', material: hair(color('#14100e'), color('#453a36')), solids: swoosh(s) },
      {
        name: 'suit',
        material: { ...cloth(paintSuit, 0.0003), gloss: 0.2, shine: 16 },
        solids: [
          ...trunk(s, build, 0.006, true),
          ...sides(s).flatMap((side) => [
            ball(side.upperArm, [0.004, 0.03, 0], [0.06, 0.075, 0.064], { blend: 0.03 }),
            ...armSolids(measures, side, 0.056).map((solid) => ({ ...solid, blend: Math.max(solid.blend, 0.02) })),
          ]),
          ...sides(s).flatMap((side) => legSolids(measures, side, 0.09, 0.045)),
        ],
      },
      {
        name: 'gloves',
        material: glossy(() => boot, 0.2, 20),
        solids: sides(s).flatMap((side) => [
          cone(side.forearm, [0, 0.14, 0], [0, measures.forearm + 0.01, 0], 0.053, 0.037, { flat: true }),
          ...handSolids(measures, side).map((solid) => ({ ...solid, blend: Math.max(solid.blend, 0.006) })),
        ]),
      },
      {
        name: 'cuffs',
        material: glossy(() => accent, 0.4, 30),
        solids: sides(s).flatMap((side) => [
          cone(side.forearm, [0, 0.132, 0], [0, 0.15, 0], 0.058, 0.057, { flat: true }),
          cone(side.shin, [0, 0.165, -0.01], [0, 0.185, -0.01], 0.076, 0.075, { flat: true }),
        ]),
      },
      {
        name: 'belt',
        material: glossy(() => accent, 0.5, 40),
        solids: [
          cone(s.pelvis, [0, 0.075, 0], [0, 0.108, 0], 0.146, 0.14, { flat: true, cross: [1, 0.77] }),
          ball(s.pelvis, [0, 0.092, 0.108], [0.034, 0.028, 0.012], {}),
        ],
      },
      {
        name: 'cape',
        material: { ...cloth((p) => shaded(boot, 1 - 0.25 * (0.5 + 0.5 * Math.cos(p[0] * 70))), 0.0012), soft: 0.3 },
        solids: cape,
      },
      {
        name: 'clasps',
        material: glossy(() => accent, 0.8, 60),
        solids: [1, -1].map((x) => ball(s.chest, [x * 0.062, 0.25, 0.062], [0.019, 0.019, 0.011], {})),
      },
      {
        name: 'boots',
        material: glossy((_, part) => (part === 'sole' ? shaded(boot, 0.45) : boot), 0.25, 24),
        solids: sides(s).flatMap((side) => [
          ...shoeSolids(measures, side, 1.04),
          cone(side.shin, [0, 0.175, -0.012], [0, measures.shin * 0.97, 0], 0.071, 0.05, {
            blend: 0.03,
            part: 'shaft',
          }),
        ]),
      },
    ];
  },
};
