import { armSolids, type Build, handSolids, legSolids, neckSolids, shoeSolids, sides, trunk } from '../body.js';
import type { Character } from '../character.js';
import { ball, cone, type Rgb } from '../field.js';
import { shortHair } from '../hair.js';
import { eyeLayer, type FaceLook, headSolids, skinMaterial } from '../head.js';
import { blend, color, inside, shaded } from '../paint.js';
import type { Proportions } from '../skeleton.js';
import type { Vec3 } from '../vec.js';
import { cloth, hair, sneaker } from '../wardrobe.js';

/** The driving dancer: T-shirt, joggers, sneakers. */
export const dancer: Character = (() => {
  const measures: Proportions = {
    hipHeight: 0.9,
    hipHalf: 0.088,
    shoulderHalf: 0.165,
    waist: 0.2,
    ribs: 0.228,
    neckRise: 0.042,
    neck: 0.07,
    head: 1.27,
    upperArm: 0.285,
    forearm: 0.25,
    hand: 1.06,
    thigh: 0.425,
    shin: 0.415,
    ankle: 0.08,
  };
  const build: Build = {
    chest: [0.15, 0.108],
    waist: [0.135, 0.095],
    hips: [0.145, 0.105],
    bust: 0,
    arm: 0.044,
  };
  const face: FaceLook = {
    skin: color('#c98a62'),
    lips: color('#a85a4c'),
    brows: color('#2a1a12'),
    iris: color('#5a3a20'),
    jaw: 0.068,
    eyes: 0.0118,
    lashes: 0.0011,
    browWidth: 0.0042,
    lipWidth: 0.024,
    blush: 0.18,
  };
  const shirt = color('#f2a43a');
  const print = color('#fff4dc');
  const pants = color('#34405f');
  const stripe = color('#e9ecf2');
  return {
    name: 'dancer',
    measures,
    backdrop: { wallTop: color('#7fb0bd'), wallLow: color('#c9dcd6'), floor: color('#d9cfc0') },
    layers: (s) => {
      const skin = [
        ...headSolids(s, face),
        ...neckSolids(s, 0.047),
        ...sides(s).flatMap((side) => [...armSolids(measures, side, 0.046), ...handSolids(measures, side)]),
      ];
      const hips = s.pelvis;
      const top = [
        ...trunk(s, build, 0.012, false),
        cone(hips, [0, 0.2, 0], [0, -0.035, -0.002], 0.122, 0.18, {
          flat: true,
          cross: [1, 0.76],
          blend: 0.05,
          part: 'hem',
        }),
        ...sides(s).flatMap((side) => [
          cone(side.upperArm, [0, 0.005, 0], [0, 0.1, 0], 0.051, 0.058, { blend: 0.04, part: 'sleeve' }),
          cone(side.upperArm, [0, 0.05, 0], [0, 0.175, 0], 0.054, 0.066, { flat: true, blend: 0.02, part: 'sleeve' }),
        ]),
      ];
      const paintShirt = (p: Vec3, part: string): Rgb => {
        if (part === 'sleeve' && p[1] > 0.16) return print;
        if (part === 'hem' && p[1] > 0.222) return shaded(shirt, 0.8);
        if (part === 'trunk' && p[2] > 0) {
          const y = p[1] - 0.105;
          const ray = Math.hypot(p[0], y) - 0.047 - 0.012 * Math.cos(5 * Math.atan2(p[0], y));
          return blend(shirt, print, inside(ray, 0.002));
        }
        return shirt;
      };
      const legs = [
        ball(s.pelvis, [0, 0.02, -0.004], [0.142, 0.11, 0.104], { part: 'hips' }),
        ...sides(s).flatMap((side) => [
          ...legSolids(measures, side, 0.08, 0.05),
          cone(side.shin, [0, measures.shin * 0.86, 0], [0, measures.shin * 0.965, 0], 0.052, 0.05, {
            part: 'cuff',
            blend: 0.012,
            flat: true,
          }),
        ]),
      ];
      const paintPants = (p: Vec3, part: string): Rgb =>
        (part === 'thigh' || part === 'shin') && p[0] > 0.03 && Math.abs(p[2]) < 0.011
          ? stripe
          : part === 'cuff'
            ? shaded(pants, 0.7)
            : pants;
      return [
        { name: 'skin', material: skinMaterial(s, face), solids: skin },
        eyeLayer(s, face),
        { name: 'hair', material: hair(color('#21150f'), color('#4a3122')), solids: shortHair(s) },
        { name: 'shirt', material: cloth(paintShirt, 0.0006), solids: top },
        {
          name: 'collar',
          material: cloth(() => shaded(shirt, 0.75), 0),
          solids: [cone(s.neck, [0, -0.022, 0.0], [0, 0.006, -0.006], 0.072, 0.064, { flat: true })],
        },
        { name: 'pants', material: cloth(paintPants, 0.0007), solids: legs },
        {
          name: 'shoes',
          material: sneaker(color('#f3f3f0'), color('#dedfe2'), color('#e2553f'), measures.ankle),
          solids: sides(s).flatMap((side) => shoeSolids(measures, side)),
        },
      ];
    },
  };
})();
