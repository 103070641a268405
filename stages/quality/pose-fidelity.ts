import type { Person, PoseFrame } from '../types.js';
import { oks } from './oks.js';
import { type PointCount, pck, share } from './pck.js';

/** Joints of OpenPose's 18, by limb. */
export const limbs = {
  head: [0, 14, 15, 16, 17],
  trunk: [1, 2, 5, 8, 11],
  rightArm: [3, 4],
  leftArm: [6, 7],
  rightLeg: [9, 10],
  leftLeg: [12, 13],
} as const satisfies Readonly<Record<string, readonly number[]>>;

export type Limb = keyof typeof limbs;

export type FidelityOf = {
  /** PCK@0.1, 0..1; undefined when none of the joints was to be seen in any frame. */
  readonly pck10: number | undefined;
  /** Mean OKS over the frames, 0..1. */
  readonly oks: number | undefined;
};

export type PoseFidelity = FidelityOf & {
  readonly limbs: Readonly<Record<Limb, FidelityOf>>;
  /** Share of the frames with somebody in the truth in which somebody was found; undefined when there are none. */
  readonly found: number | undefined;
  /** Share of the truth's hands that were found; undefined when it has none. */
  readonly hands: number | undefined;
  /** Of each frame, over all joints. */
  readonly frames: readonly FidelityOf[];
};

/** PCK's usual threshold, as a share of the person's size. */
const threshold = 0.1;

type Size = { readonly width: number; readonly height: number };

/**
 * Whether a clip shows the poses it was asked for: poses found again in it against the aligned driving poses, over all frames
 * together, over all joints and by limb. A frame in which nobody was found counts with all its joints as missed; one whose truth
 * is undefined does not count. Throws RangeError when the lists differ in length.
 * @param found one a frame; see `closestPerson` for frames with several
 * @param picture its size, or any size of the same aspect
 */
export function poseFidelity(
  found: readonly (Person | undefined)[],
  truth: readonly (Person | undefined)[],
  picture: Size,
): PoseFidelity {
  if (found.length !== truth.length)
    throw new RangeError(`poses of ${found.length} frames against poses of ${truth.length}`);
  const pairs = truth.map((wanted, i) => [found[i], wanted] as const);
  const asked = pairs.filter((pair): pair is readonly [Person | undefined, Person] => pair[1] !== undefined);
  const over = (some: typeof asked, only?: readonly number[]): FidelityOf => {
    const counts = some.map(([is, wanted]): PointCount => pck(is?.body, wanted.body, threshold, picture, only));
    const similarities = some.map(([is, wanted]) => oks(is?.body, wanted.body, picture, only));
    return { pck10: known(share(counts)), oks: mean(similarities.filter((value) => value !== undefined)) };
  };
  const hands = asked.flatMap(([is, wanted]) =>
    (['leftHand', 'rightHand'] as const).flatMap((hand) => (wanted[hand] ? [is?.[hand] ? 1 : 0] : [])),
  );
  return {
    ...over(asked),
    limbs: Object.fromEntries(
      Object.entries(limbs).map(([limb, joints]) => [limb, over(asked, joints)]),
    ) as PoseFidelity['limbs'],
    found: mean(asked.map(([is]) => (is ? 1 : 0))),
    hands: mean(hands),
    frames: pairs.map(([is, wanted]) => (wanted ? over([[is, wanted]]) : { pck10: undefined, oks: undefined })),
  };
}

/** Of the people of a frame the one most like `wanted` by OKS, or undefined when there is nobody; the first without `wanted`. */
export function closestPerson(frame: PoseFrame, wanted: Person | undefined, picture: Size): Person | undefined {
  const likeness = (person: Person) => (wanted && oks(person.body, wanted.body, picture)) ?? 0;
  return frame.people.toSorted((a, b) => likeness(b) - likeness(a))[0];
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
