import type { Side, Skeleton } from '../dancer/skeleton.js';
import { type Frame, locate, place, type Vec3 } from '../dancer/vec.js';
import { fingersOf } from './hand.js';
import { headShapes } from './head.js';
import { labels, type Material, material, type Pattern, shaded } from './materials.js';
import type { CastMember } from './member.js';
import { ball, below, beyond, cone, type Shape, type ShapeOptions } from './shape.js';

/** Everything a member is drawn with in one pose, in metres. */
export function figureShapes(member: CastMember, skeleton: Skeleton): Shape[] {
  const shirt = shirtMaterial(member, skeleton);
  return [
    ...trunkShapes(member, skeleton, shirt),
    ...[skeleton.left, skeleton.right].flatMap((side) => [
      ...armShapes(member, side, shirt),
      ...handShapes(member, side),
      ...legShapes(member, side),
      ...shoeShapes(member, side),
    ]),
    ...skirtShapes(member, skeleton, shirt),
    ...headShapes(member, skeleton),
  ];
}

function shirtMaterial({ colors, pattern, measures: m }: CastMember, { chest }: Skeleton): Material {
  const band = (low: number, high: number, period = 0, axis: Vec3 = [0, 1, 0]): Pattern => ({
    frame: chest,
    axis,
    color: colors.accent,
    low,
    high,
    period,
  });
  const shown = {
    plain: undefined,
    stripe: band(m.ribs * 0.42, m.ribs * 0.42 + 0.055),
    stripes: band(0, 0.035, 0.07),
    split: band(0, 9, 0, [1, 0, 0]),
    yoke: band(m.ribs * 0.62, 9),
  }[pattern];
  return material(colors.top, labels.clothes, { pattern: shown });
}

function trunkShapes(member: CastMember, skeleton: Skeleton, shirt: Material): Shape[] {
  const { measures: m, build: b, colors, bottom } = member;
  const { chest, abdomen, pelvis, neck } = skeleton;
  const skin = material(colors.skin, labels.skin);
  const trousers = bottom === 'dress' ? shirt : material(colors.bottom, labels.clothes);
  const d = b.depth;
  const R = m.ribs;
  const inner = m.shoulderHalf - 0.035;
  const oval: ShapeOptions = { stretch: [1, 0.6, d] };
  const lowRibs: Vec3 = [0, 0.015, 0];
  const belted = member.belt && bottom !== 'dress';
  const tucked = belted || bottom === 'skirt' || bottom === 'dress';
  const belt: Pattern = {
    frame: pelvis,
    axis: [0, 1, 0],
    color: shaded(colors.accent, 0.6),
    low: 0.01,
    high: 0.044,
    period: 0,
  };
  const shapes = [
    // Neighbours share their ends, so that the trunk bends without steps.
    cone(chest, lowRibs, [0, R - 0.078, 0.006], [b.waist * 1.02, b.chest], shirt, oval),
    cone(
      abdomen,
      locate(abdomen, place(chest, lowRibs)),
      [0, -m.waist * 0.2, 0],
      [b.waist * 1.02, b.waist],
      shirt,
      oval,
    ),
    cone(
      pelvis,
      locate(pelvis, place(abdomen, [0, -m.waist * 0.2, 0])),
      [0, -0.025, 0.002],
      [b.waist, b.hips * 1.05],
      belted ? { ...shirt, pattern: belt } : shirt,
      {
        stretch: [1, 0.6, d * 1.08],
        ...below(tucked ? 0.013 : -0.03),
      },
    ),
    cone(pelvis, [0, 0.03, 0], [0, -0.03, 0], [b.hips * 0.95, b.hips], trousers, {
      stretch: [1, 0.6, d * 1.04],
      ...beyond(belted ? 0.014 : -0.02),
    }),
    // Shoulders, their slope, and the neck.
    cone(chest, [-inner, R - 0.02, -0.01], [inner, R - 0.02, -0.01], [0.054, 0.054], shirt),
    ...[-1, 1].map((s) =>
      cone(chest, [s * 0.03, R + 0.035, -0.014], [s * inner, R - 0.008, -0.004], [0.036, 0.046], shirt),
    ),
    cone(neck, [0, -0.06, -0.004], [0, m.neck + 0.03, 0.004], [b.neck * 1.12, b.neck], skin),
    ball(chest, [0, R + 0.016, 0.02], [b.neck * 1.3, 0.038, b.neck * 1.15], skin),
  ];
  for (const s of b.bust > 0 ? [-1, 1] : [])
    shapes.push(
      ball(
        chest,
        [s * b.chest * 0.42, R * 0.46, b.chest * d - 0.052],
        [b.chest * 0.5, 0.07, 0.045 + 0.024 * b.bust],
        shirt,
      ),
    );
  return shapes;
}

function armShapes({ measures: m, build: b, colors, top }: CastMember, side: Side, shirt: Material): Shape[] {
  const skin = material(colors.skin, labels.skin);
  const U = m.upperArm;
  const F = m.forearm;
  const r = b.arm;
  const { upperArm, forearm } = side;
  const shapes = [
    cone(upperArm, [0, 0.008, 0], [0, U * 0.3, 0], [r * 1.1, r * 1.02], skin),
    cone(upperArm, [0, U * 0.3, 0], [0, U, 0], [r * 1.02, r * 0.8], skin),
    cone(forearm, [0, 0, 0], [0, F * 0.35, 0.003], [r * 0.8, r * 0.82], skin),
    cone(forearm, [0, F * 0.35, 0.003], [0, F, 0], [r * 0.82, r * 0.6], skin),
  ];
  // A pattern belongs to the trunk; sleeves are plain.
  const sleeve: Material = { ...shirt, pattern: undefined };
  if (top === 'tee')
    shapes.push(cone(upperArm, [0, 0, 0], [0, U * 0.75, 0], [r * 1.2, r * 1.24], sleeve, beyond(U * 0.62)));
  if (top === 'long')
    shapes.push(
      cone(upperArm, [0, 0, 0], [0, U, 0], [r * 1.18, r * 1.02], sleeve),
      cone(forearm, [0, 0, 0], [0, F, 0], [r * 1.02, r * 0.86], sleeve, beyond(F * 0.94)),
    );
  return shapes;
}

function handShapes({ measures: m, colors }: CastMember, side: Side): Shape[] {
  const skin = material(colors.skin, labels.hands);
  const under = material(shaded(colors.skin, 0.93), labels.hands);
  const k = m.hand;
  const flat: ShapeOptions = { stretch: [1, 1, 0.5] };
  return [
    cone(side.hand, [0, 0.01 * k, 0], [0, 0.068 * k, 0], [0.026 * k, 0.039 * k], skin, flat),
    ...fingersOf(m, side).flatMap(({ points, radius }, finger) =>
      points.slice(1).map((to, i) => {
        const thin = (at: number): number => radius * (1 - 0.08 * at);
        return cone(side.hand, points[i] as Vec3, to, [thin(i), thin(i + 1)], finger % 2 === 1 ? under : skin);
      }),
    ),
  ];
}

function legShapes({ measures: m, build: b, colors, bottom, hem }: CastMember, side: Side): Shape[] {
  const skin = material(colors.skin, labels.skin);
  const cloth = material(colors.bottom, labels.clothes);
  const T = m.thigh;
  const S = m.shin;
  const r = b.thigh;
  const knee = b.calf * 1.04;
  const { thigh, shin } = side;
  const leg = (what: Material, wide: number, from = 0): Shape[] => [
    cone(thigh, [-0.002, T * 0.19, 0], [0, T * 0.55, 0.003], [r * 0.98 + wide, r * 0.83 + wide], what),
    cone(thigh, [0, T * 0.55, 0.003], [0, T, 0], [r * 0.83 + wide, knee + wide], what),
    ...(from > 0 ? [] : calf(what, wide)),
  ];
  const calf = (what: Material, wide: number): Shape[] => [
    cone(shin, [0, 0, 0], [0, S * 0.35, -0.004], [knee + wide, b.calf + wide], what),
    cone(
      shin,
      [0, S * 0.35, -0.004],
      [0, S * 0.97, 0],
      [b.calf + wide, Math.max(b.calf * 0.62 + wide, wide > 0 ? 0.045 : 0)],
      what,
      wide > 0 ? beyond(S * 0.95) : {},
    ),
  ];
  if (bottom === 'trousers')
    return [...leg(cloth, 0.007), cone(shin, [0, S * 0.8, 0], [0, S, 0], [b.calf * 0.62, b.calf * 0.6], skin)];
  const end = T * (0.42 + 0.5 * hem);
  return [
    ...leg(skin, 0),
    ...(bottom === 'shorts'
      ? [cone(thigh, [-0.002, T * 0.19, 0], [0, T * 1.1, 0.003], [r + 0.008, knee + 0.024], cloth, beyond(end))]
      : []),
  ];
}

/** Skirt or the lower part of a dress: a bell over the hips that follows both thighs. */
function skirtShapes(member: CastMember, { pelvis, left, right }: Skeleton, shirt: Material): Shape[] {
  const { measures: m, build: b, bottom, colors, hem } = member;
  if (bottom !== 'skirt' && bottom !== 'dress') return [];
  const cloth = bottom === 'dress' ? { ...shirt, pattern: undefined } : material(colors.bottom, labels.clothes);
  const reach = m.thigh * (0.55 + 0.42 * hem);
  const flare = b.hips * (1.12 + 0.18 * hem);
  const sideways = (side: Side): Shape =>
    cone(side.thigh, [-0.02, 0, 0], [-0.01, reach + 0.1, 0], [b.thigh + 0.012, b.thigh + 0.04], cloth, beyond(reach));
  // The bell hangs between the knees: its axis goes to the middle of the thighs.
  const middle = [0, 1, 2].map((i) => ((left.thigh.y[i] as number) + (right.thigh.y[i] as number)) / 2) as [
    number,
    number,
    number,
  ];
  const hang: Frame = { ...pelvis, y: [-middle[0], -middle[1], -middle[2]] };
  const frame = upright(hang);
  return [
    cone(frame, [0, 0.0, 0], [0, -reach - 0.06, 0], [b.hips * 1.06, flare], cloth, {
      stretch: [1, 0.45, b.depth * 1.06],
      ...below(-reach),
    }),
    sideways(left),
    sideways(right),
  ];
}

/** The frame with its y axis made a unit and the others square to it. */
function upright({ origin, x, y }: Frame): Frame {
  const unit = (v: Vec3): Vec3 => {
    const size = Math.hypot(v[0], v[1], v[2]) || 1;
    return [v[0] / size, v[1] / size, v[2] / size];
  };
  const up = unit(y);
  const along = x[0] * up[0] + x[1] * up[1] + x[2] * up[2];
  const across = unit([x[0] - along * up[0], x[1] - along * up[1], x[2] - along * up[2]]);
  const out: Vec3 = [
    across[1] * up[2] - across[2] * up[1],
    across[2] * up[0] - across[0] * up[2],
    across[0] * up[1] - across[1] * up[0],
  ];
  return { origin, x: across, y: up, z: out };
}

function shoeShapes({ measures: m, colors, bottom }: CastMember, { foot }: Side): Shape[] {
  const shoe = material(colors.shoes, labels.shoes, { gloss: 0.12 });
  const sole = material(colors.sole, labels.shoes);
  const floor = -m.ankle;
  const flat: ShapeOptions = { stretch: [1, 1, 0.8] };
  return [
    cone(foot, [0, -0.045, floor + 0.044], [0.004, 0.11, floor + 0.038], [0.043, 0.047], shoe, flat),
    cone(foot, [0, 0.09, floor + 0.036], [0, 0.15, floor + 0.032], [0.047, 0.039], shoe, { stretch: [1, 1, 0.72] }),
    cone(foot, [0, -0.025, floor + 0.045], [0, -0.012, bottom === 'trousers' ? 0 : 0.015], [0.044, 0.042], shoe),
    cone(foot, [0, -0.05, floor + 0.013], [0, 0.15, floor + 0.013], [0.049, 0.043], sole, { stretch: [1, 1, 0.3] }),
  ];
}
