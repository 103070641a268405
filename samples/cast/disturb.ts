import type { Keypoint, Person } from '../../stages/types.js';
import type { Chance } from './chance.js';

/** What a detector gets wrong all through a clip: other bone lengths, parts that it never finds, its unsteadiness. */
export type Disturbance = {
  /** Stretch of the bone that ends in each of the 18 joints. */
  readonly stretch: readonly number[];
  readonly missing: ReadonlySet<number>;
  readonly leftHand: boolean;
  readonly rightHand: boolean;
  readonly face: boolean;
  /** Standard deviation of jitter, of the picture's height. */
  readonly jitter: number;
  /** How sure it is of most points. */
  readonly score: number;
  /** Stretch of hands and face about their middles. */
  readonly hands: number;
  readonly features: number;
};

/** The joint that each of the 18 joints hangs on; nought hangs on the neck (1), which hangs on nothing. */
const parents = [1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15];

/** Mistakes for one clip (or one picture). */
export function disturbanceOf(chance: Chance): Disturbance {
  const limb = (): number => 1 + 0.03 * chance.normal();
  const [shoulders, arms, hips, legs, head] = [limb(), limb(), limb(), limb(), limb()];
  const alike = [
    head,
    1,
    shoulders,
    arms,
    arms,
    shoulders,
    arms,
    arms,
    hips,
    legs,
    legs,
    hips,
    legs,
    legs,
    head,
    head,
    head,
    head,
  ];
  const missing = new Set<number>();
  for (let joint = 2; joint < 18; joint++) if (chance.happens(0.02)) missing.add(joint);
  // With a joint the rest of its limb is lost.
  for (let joint = 2; joint < 14; joint++) if (missing.has(parents[joint] as number)) missing.add(joint);
  return {
    stretch: alike.map((size) => size + 0.008 * chance.normal()),
    missing,
    leftHand: chance.happens(0.75),
    rightHand: chance.happens(0.75),
    face: chance.happens(0.9),
    jitter: chance.happens(0.2) ? 0.01 : chance.between(0.001, 0.0045),
    score: chance.happens(0.8) ? chance.between(0.9, 1) : chance.between(0.7, 0.95),
    hands: 1 + 0.06 * chance.normal(),
    features: 1 + 0.04 * chance.normal(),
  };
}

/**
 * The person as a real detector would find it: other bone lengths, jitter, doubtful scores, missing parts. `aspect` is
 * the picture's width / height. For a clip give the same `clip` to every frame.
 */
export function disturbPerson(
  person: Person,
  chance: Chance,
  clip: Disturbance = disturbanceOf(chance),
  aspect = 2 / 3,
): Person {
  const { stretch, missing, jitter } = clip;
  const moved: [number, number][] = person.body.map(({ x, y }) => [x, y]);
  // Bones from the neck outwards: each point keeps its direction from the joint it hangs on.
  for (const joint of [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]) {
    const parent = parents[joint] as number;
    const [from, to] = [person.body[parent], person.body[joint]] as [Keypoint, Keypoint];
    const base = moved[parent] as [number, number];
    const k = stretch[joint] as number;
    moved[joint] = [base[0] + (to.x - from.x) * k, base[1] + (to.y - from.y) * k];
  }
  const shake = (sd: number): [number, number] => [(sd / aspect) * chance.normal(), sd * chance.normal()];
  const sure = (score: number): number =>
    Math.min(1, Math.max(0.6, score * clip.score - 0.06 * Math.abs(chance.normal()) + 0.04));
  const body = person.body.map(({ score }, joint): Keypoint => {
    const [x, y] = moved[joint] as [number, number];
    const [dx, dy] = shake(joint >= 14 || joint === 0 ? jitter * 0.5 : jitter);
    return { x: x + dx, y: y + dy, score: missing.has(joint) ? 0 : sure(score) };
  });
  /** Points that go along with joint `with`, stretched about it. */
  const carried = (points: readonly Keypoint[] | null, joint: number, size: number): Keypoint[] | null => {
    const [from, to] = [person.body[joint], body[joint]];
    if (!points || !from || !to) return null;
    return points.map(({ x, y, score }) => {
      const [dx, dy] = shake(jitter * 0.35);
      return { x: to.x + (x - from.x) * size + dx, y: to.y + (y - from.y) * size + dy, score: sure(score) };
    });
  };
  return {
    body,
    leftHand: clip.leftHand && !missing.has(7) ? carried(person.leftHand, 7, clip.hands) : null,
    rightHand: clip.rightHand && !missing.has(4) ? carried(person.rightHand, 4, clip.hands) : null,
    face: clip.face && !missing.has(0) ? carried(person.face, 0, clip.features) : null,
  };
}
