import type { Proportions } from '../dancer/skeleton.js';
import { type Chance, chanceOf } from './chance.js';
import { apart, type Rgb, randomCloth, randomHair, randomSkin, randomWall } from './colors.js';
import type { Placement } from './view.js';

export const hairStyles = [
  'bald',
  'short',
  'fringe',
  'bob',
  'long',
  'ponytail',
  'bun',
  'afro',
  'cap',
  'beanie',
] as const;
export const tops = ['tank', 'tee', 'long'] as const;
export const bottoms = ['shorts', 'trousers', 'skirt', 'dress'] as const;
export const patterns = ['plain', 'stripe', 'stripes', 'split', 'yoke'] as const;
export const ornaments = ['none', 'circle', 'bar', 'window'] as const;

/** What makes a body somebody's: half-widths and radii in metres. */
export type Build = {
  readonly chest: number;
  readonly waist: number;
  readonly hips: number;
  /** Depth of the trunk against its width. */
  readonly depth: number;
  readonly bust: number;
  readonly arm: number;
  readonly thigh: number;
  readonly calf: number;
  readonly neck: number;
};

/** Sizes of a face about 1; tilts in metres of a standard head. */
export type FaceLook = {
  readonly jaw: number;
  readonly eyes: number;
  readonly eyeGap: number;
  readonly brow: number;
  readonly browTilt: number;
  readonly nose: number;
  readonly mouth: number;
  readonly beard: boolean;
  readonly glasses: boolean;
};

export type Colors = {
  readonly skin: Rgb;
  readonly hair: Rgb;
  readonly iris: Rgb;
  readonly lips: Rgb;
  readonly top: Rgb;
  readonly accent: Rgb;
  readonly bottom: Rgb;
  readonly shoes: Rgb;
  readonly sole: Rgb;
  readonly hat: Rgb;
};

export type Backdrop = {
  readonly top: Rgb;
  readonly low: Rgb;
  readonly floor: Rgb;
  readonly ornament: (typeof ornaments)[number];
  readonly tint: Rgb;
  /** Middle and size of the ornament, 0..1 of the picture. */
  readonly at: readonly [number, number];
  readonly size: number;
  /** Where wall and floor meet, 0..1 of the picture. */
  readonly horizon: number;
};

/** One character of the cast: everything that stays the same while it moves. */
export type CastMember = {
  readonly seed: number;
  readonly measures: Proportions;
  readonly build: Build;
  readonly face: FaceLook;
  readonly colors: Colors;
  readonly hair: (typeof hairStyles)[number];
  /** Volume of the hair about 1, and the side of a parting or tail, -1..1. */
  readonly hairVolume: number;
  readonly hairSide: number;
  readonly top: (typeof tops)[number];
  readonly bottom: (typeof bottoms)[number];
  readonly pattern: (typeof patterns)[number];
  readonly belt: boolean;
  /** Where a skirt, dress, shorts end: 0 short, 1 long. */
  readonly hem: number;
  readonly backdrop: Backdrop;
  readonly placement: Placement;
  /** Where the key light comes from: sideways (-1..1). */
  readonly light: number;
};

/** The character of a seed (a whole number); the same one every time. */
export function castMember(seed: number): CastMember {
  const chance = chanceOf(seed, 'member');
  const soft = chance.next();
  const girth = 1 + 0.09 * chance.normal();
  const measures = randomMeasures(chance, soft);
  const build = randomBuild(chance, soft, Math.min(1.28, Math.max(0.82, girth)), measures);
  const skin = randomSkin(chance);
  const hairColor = randomHair(chance, skin);
  const backdrop = randomBackdrop(chance);
  const wall = backdrop.low;
  const clear = (make: () => Rgb, from: readonly Rgb[], distance: number): Rgb => {
    let made = make();
    for (let tries = 0; tries < 40 && from.some((other) => apart(made, other) < distance); tries++) made = make();
    return made;
  };
  const top = clear(() => randomCloth(chance), [wall, skin], 0.3);
  const bottom = clear(() => randomCloth(chance), [wall, top, skin, backdrop.floor], 0.24);
  const shoes = clear(() => randomCloth(chance), [backdrop.floor, bottom], 0.22);
  // The wall gives way where skin or hair would get lost in it.
  const readable = clear(() => randomWall(chance), [skin, top, bottom, hairColor], 0.24);
  const lift = chance.between(0.0, 0.16);
  return {
    seed,
    measures,
    build,
    face: {
      jaw: chance.between(0.9, 1.1) - 0.05 * soft,
      eyes: chance.between(0.92, 1.18),
      eyeGap: chance.between(0.95, 1.08),
      brow: chance.between(0.75, 1.25) - 0.2 * soft,
      browTilt: chance.between(-0.005, 0.005),
      nose: chance.between(0.8, 1.25),
      mouth: chance.between(0.85, 1.2),
      beard: soft < 0.45 && chance.happens(0.3),
      glasses: chance.happens(0.12),
    },
    colors: {
      skin,
      hair: hairColor,
      iris: chance.pick<Rgb>([
        [0.2, 0.12, 0.06],
        [0.12, 0.2, 0.34],
        [0.14, 0.25, 0.14],
        [0.08, 0.06, 0.05],
      ]),
      lips: [skin[0] * 0.78 + 0.08, skin[1] * 0.48, skin[2] * 0.5],
      top,
      accent: clear(() => randomCloth(chance), [top], 0.3),
      bottom,
      shoes,
      sole: chance.happens(0.6) ? [0.9, 0.89, 0.86] : [0.16, 0.15, 0.15],
      hat: clear(() => randomCloth(chance), [readable, skin], 0.3),
    },
    hair: randomHairStyle(chance, soft),
    hairVolume: chance.between(0.85, 1.2),
    hairSide: chance.between(-1, 1),
    top: chance.pick(['tank', 'tee', 'tee', 'long', 'long']),
    bottom: chance.pick(
      soft > 0.5
        ? ['trousers', 'trousers', 'trousers', 'shorts', 'skirt', 'dress', 'dress']
        : ['trousers', 'trousers', 'trousers', 'shorts'],
    ),
    pattern: chance.pick(['plain', 'plain', 'plain', 'stripe', 'stripes', 'split', 'yoke']),
    belt: chance.happens(0.3),
    hem: chance.next(),
    backdrop: {
      ...backdrop,
      low: readable,
      top: [readable[0] + lift * 0.8, readable[1] + lift * 0.8, readable[2] + lift].map((v) => Math.min(0.97, v)) as [
        number,
        number,
        number,
      ],
      tint: readable.map((v) => Math.min(0.97, Math.max(0.05, v + chance.pick([-0.1, 0.08])))) as [
        number,
        number,
        number,
      ],
    },
    placement: {
      height: Math.min(0.88, 0.72 + 0.1 * Math.abs(chance.next() + 0.3 * chance.next() * chance.next())),
      x: chance.between(-0.05, 0.05),
      bottom: chance.between(0.035, 0.065),
    },
    light: chance.between(-1, 1),
  };
}

function randomMeasures(chance: Chance, soft: number): Proportions {
  const vary = (mean: number, share: number): number =>
    mean * (1 + share * Math.max(-2.2, Math.min(2.2, chance.normal())));
  const thigh = vary(0.425, 0.04);
  const shin = vary(0.415, 0.04);
  const ankle = 0.08;
  const arms = vary(1, 0.035);
  return {
    hipHeight: (thigh + shin) * 0.998 + ankle,
    hipHalf: vary(0.088, 0.04) + 0.006 * soft,
    shoulderHalf: vary(0.187, 0.05) - 0.026 * soft,
    waist: vary(0.195, 0.05),
    ribs: vary(0.245, 0.05),
    neckRise: 0.042,
    neck: vary(0.062, 0.12),
    head: Math.min(1.78, Math.max(1.48, vary(1.62, 0.04))),
    upperArm: vary(0.268, 0.03) * arms,
    forearm: vary(0.238, 0.03) * arms,
    hand: vary(1.24, 0.05),
    thigh,
    shin,
    ankle,
  };
}

function randomBuild(chance: Chance, soft: number, girth: number, { shoulderHalf, hipHalf }: Proportions): Build {
  return {
    chest: (shoulderHalf - 0.028) * (0.5 + 0.5 * girth),
    waist: (0.125 - 0.02 * soft) * girth,
    hips: (hipHalf + 0.052 + 0.012 * soft) * (0.4 + 0.6 * girth),
    depth: chance.between(0.68, 0.78),
    bust: soft > 0.5 ? chance.between(0.4, 1.1) : 0,
    arm: (0.047 - 0.008 * soft) * (0.3 + 0.7 * girth) * chance.between(0.95, 1.12),
    thigh: (0.081 + 0.004 * soft) * (0.3 + 0.7 * girth),
    calf: (0.054 - 0.003 * soft) * (0.4 + 0.6 * girth),
    neck: (0.053 - 0.01 * soft) * (0.5 + 0.5 * girth),
  };
}

function randomHairStyle(chance: Chance, soft: number): CastMember['hair'] {
  return chance.pick(
    soft > 0.5
      ? ['fringe', 'bob', 'bob', 'long', 'long', 'ponytail', 'ponytail', 'bun', 'afro', 'short', 'cap', 'beanie']
      : ['short', 'short', 'short', 'fringe', 'fringe', 'bald', 'afro', 'cap', 'beanie', 'long', 'bun'],
  );
}

function randomBackdrop(chance: Chance): Backdrop {
  const wall = randomWall(chance);
  const wood = chance.happens(0.5);
  const shade = chance.between(0.35, 0.75);
  return {
    top: wall,
    low: wall,
    floor: wood ? [shade, shade * 0.86, shade * 0.72] : [shade * 0.96, shade * 0.98, shade * 1.02],
    ornament: chance.pick(['none', 'none', 'circle', 'bar', 'window']),
    tint: wall,
    at: [chance.between(0.1, 0.9), chance.between(0.1, 0.5)],
    size: chance.between(0.12, 0.3),
    horizon: chance.between(0.72, 0.87),
  };
}

/**
 * Everything about the looks of a member as numbers of fixed count and order: colours 0..1, styles one-hot, sizes about
 * -1..1.
 */
export function traits(member: CastMember): number[] {
  const { measures: m, build: b, face: f, colors: c, backdrop: d, placement: p } = member;
  const about = (value: number, middle: number, half: number): number => (value - middle) / half;
  const oneHot = (names: readonly string[], name: string): number[] => names.map((other) => (other === name ? 1 : 0));
  return [
    about(m.hipHeight, 0.913, 0.07),
    about(m.hipHalf, 0.091, 0.009),
    about(m.shoulderHalf, 0.174, 0.024),
    about(m.waist, 0.195, 0.02),
    about(m.ribs, 0.245, 0.025),
    about(m.neck, 0.062, 0.015),
    about(m.head, 1.62, 0.14),
    about(m.upperArm, 0.268, 0.025),
    about(m.forearm, 0.238, 0.022),
    about(m.hand, 1.24, 0.12),
    about(m.thigh, 0.425, 0.035),
    about(m.shin, 0.415, 0.035),
    about(b.chest, 0.146, 0.03),
    about(b.waist, 0.115, 0.03),
    about(b.hips, 0.149, 0.025),
    about(b.depth, 0.73, 0.05),
    b.bust,
    about(b.arm, 0.043, 0.01),
    about(b.thigh, 0.083, 0.014),
    about(b.calf, 0.0525, 0.008),
    about(b.neck, 0.048, 0.01),
    about(f.jaw, 0.975, 0.12),
    about(f.eyes, 1.05, 0.13),
    about(f.eyeGap, 1.015, 0.065),
    about(f.brow, 0.9, 0.35),
    f.browTilt / 0.005,
    about(f.nose, 1.025, 0.225),
    about(f.mouth, 1.025, 0.175),
    f.beard ? 1 : 0,
    f.glasses ? 1 : 0,
    ...[c.skin, c.hair, c.iris, c.lips, c.top, c.accent, c.bottom, c.shoes, c.sole, c.hat].flat(),
    ...oneHot(hairStyles, member.hair),
    about(member.hairVolume, 1.025, 0.175),
    member.hairSide,
    ...oneHot(tops, member.top),
    ...oneHot(bottoms, member.bottom),
    ...oneHot(patterns, member.pattern),
    member.belt ? 1 : 0,
    member.hem * 2 - 1,
    ...[d.top, d.low, d.floor, d.tint].flat(),
    ...oneHot(ornaments, d.ornament),
    about(d.at[0], 0.5, 0.4),
    about(d.at[1], 0.3, 0.2),
    about(d.size, 0.21, 0.09),
    about(d.horizon, 0.795, 0.075),
    about(p.height, 0.78, 0.06),
    p.x / 0.05,
    about(p.bottom, 0.05, 0.015),
    member.light,
  ];
}
