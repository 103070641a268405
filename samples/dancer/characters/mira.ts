import { armSolids, type Build, handSolids, legSolids, neckSolids, shoeSolids, sides, trunk } from '../body.js';
import type { Character } from '../character.js';
import { ball, cone, type Rgb } from '../field.js';
import { ponytail } from '../hair.js';
import { eyeLayer, type FaceLook, headSolids, headSpace, skinMaterial } from '../head.js';
import { blend, color, inside, shaded } from '../paint.js';
import type { Proportions } from '../skeleton.js';
import type { Vec3 } from '../vec.js';
import { cloth, glossy, hair, sneaker } from '../wardrobe.js';

const measures: Proportions = {
  hipHeight: 0.875,
  hipHalf: 0.083,
  shoulderHalf: 0.14,
  waist: 0.2,
  ribs: 0.205,
  neckRise: 0.034,
  neck: 0.06,
  head: 1.26,
  upperArm: 0.262,
  forearm: 0.23,
  hand: 0.98,
  thigh: 0.415,
  shin: 0.4,
  ankle: 0.078,
};
const build: Build = {
  chest: [0.12, 0.092],
  waist: [0.1, 0.08],
  hips: [0.138, 0.105],
  bust: 0.042,
  arm: 0.036,
};
const face: FaceLook = {
  skin: color('#e0a583'),
  lips: color('#c4505c'),
  brows: color('#6b3420'),
  iris: color('#2f7d5b'),
  jaw: 0.062,
  eyes: 0.0135,
  lashes: 0.0018,
  browWidth: 0.0029,
  lipWidth: 0.021,
  blush: 0.42,
};
const dress = color('#d8325f');
const trim = color('#ffd9a8');
const leggings = color('#2b2a4a');

/** A dancer with a ponytail, in a short dress over leggings. */
export const mira: Character = {
  name: 'mira',
  measures,
  backdrop: { wallTop: color('#8d86c9'), wallLow: color('#e3d3e6'), floor: color('#e2d3cf') },
  layers: (s) => {
    const h = headSpace(s.head, measures.head);
    const hem = 0.2;
    const skirt = [
      cone(s.pelvis, [0, 0.14, 0], [0, -hem, 0.004], 0.085, 0.215, {
        flat: true,
        cross: [1, 0.85],
        blend: 0.05,
        part: 'skirt',
      }),
      // Where a thigh comes out, the skirt goes with it.
      ...sides(s).map((side) =>
        cone(side.thigh, [0, 0.02, 0.005], [-0.01, 0.16, 0.01], 0.088, 0.102, {
          flat: true,
          blend: 0.05,
          part: 'dress',
        }),
      ),
    ];
    const paintDress = (p: Vec3, part: string): Rgb => {
      if (part === 'skirt')
        return p[1] < -hem + 0.022
          ? trim
          : shaded(dress, 1 - 0.22 * (0.5 + 0.5 * Math.cos(Math.atan2(p[0], p[2]) * 14)));
      return dress;
    };
    return [
      {
        name: 'skin',
        material: skinMaterial(s, face),
        solids: [
          ...headSolids(s, face),
          ...neckSolids(s, 0.04),
          cone(s.chest, [0, measures.ribs + 0.012, -0.004], [0, measures.ribs - 0.05, 0.03], 0.05, 0.06, {
            blend: 0.03,
            part: 'neck',
            cross: [1.4, 0.8],
          }),
          ...sides(s).flatMap((side) => [...armSolids(measures, side, 0.04), ...handSolids(measures, side)]),
        ],
      },
      eyeLayer(s, face),
      { name: 'hair', material: hair(color('#5a2412'), color('#a5502a')), solids: ponytail(s) },
      {
        name: 'tie',
        material: cloth(() => color('#35c2b0'), 0),
        solids: [h.cone([0.004, 0.222, -0.092], [0.016, 0.234, -0.104], 0.034, 0.034, { flat: true })],
      },
      {
        name: 'earrings',
        material: glossy(() => color('#ffd36b'), 0.8, 60),
        solids: [1, -1].map((x) => h.ball([x * 0.084, 0.068, 0.0], [0.009, 0.009, 0.009])),
      },
      { name: 'dress', material: cloth(paintDress, 0.0006), solids: [...trunk(s, build, 0.008, true), ...skirt] },
      {
        name: 'belt',
        material: cloth(() => trim, 0),
        solids: [cone(s.pelvis, [0, 0.118, 0], [0, 0.142, 0], 0.128, 0.122, { flat: true, cross: [1, 0.86] })],
      },
      {
        name: 'leggings',
        material: cloth(
          (p, part) =>
            part === 'shin' ? blend(leggings, color('#35c2b0'), inside(Math.abs(p[1] - 0.3) - 0.012)) : leggings,
          0.0003,
        ),
        solids: [
          ball(s.pelvis, [0, 0.01, -0.004], [0.125, 0.1, 0.095], {}),
          ...sides(s).flatMap((side) => legSolids(measures, side, 0.074, 0.035)),
        ],
      },
      {
        name: 'shoes',
        material: sneaker(color('#35c2b0'), color('#f4f1ea'), color('#f4f1ea'), measures.ankle),
        solids: sides(s).flatMap((side) => shoeSolids(measures, side, 0.92)),
      },
    ];
  },
};
