import type { Keypoint, Person, PoseSequence } from '../types.js';
import { biggestPerson, bodyBox, boxSize, subjectOfEachFrame } from './align-subject.js';
import {
  type AlignBasis,
  type AlignedPoses,
  coverTransform,
  isPresent,
  type PictureOfPeople,
  type PoseTransform,
  pixelTransform,
  transformPoses,
} from './align-transform.js';

/** Whom to keep in the aligned poses: the person the fit follows, or everybody found. */
export type KeptPeople = 'subject' | 'all';

/** How one frame's person compares with the reference person, in pixels of their own pictures. */
type FrameFit = {
  readonly ratio: number;
  readonly from: { readonly x: number; readonly y: number };
  readonly to: { readonly x: number; readonly y: number };
  readonly weight: number;
};

type Comparison = (person: Person) => FrameFit | undefined;

/** A basis must hold in this share of the frames that show the subject. */
const minFrameShare = 0.1;
/** Mean distance of joints from their centre below this share of the picture's diagonal says nothing about size. */
const minSpread = 0.004;
/** Scales outside this range are applied but reported. */
const plainScale = { min: 0.2, max: 5 };

const torso = [1, 2, 5, 8, 11];
const shouldersAndHead = [0, 1, 2, 5, 14, 15, 16, 17];

/**
 * The default fit: one positive scale and offset for the whole clip, from the person the clip follows.
 *
 * Each frame gives a size ratio (confidence-weighted mean distance of the joints from their centre, reference over driving)
 * and the two centres; the scale is the weighted median of the ratios, the offset the weighted median of what then
 * separates the centres. Medians let up to half of the frames be jumps, crouches, turns or misdetections. Joints: torso; if
 * hips are missing, shoulders and head; else the box around the joints seen in both; else the driving picture is laid
 * over the output as it is. Never throws: what fell back is in the notes.
 */
export function alignRobust(
  reference: PictureOfPeople,
  driving: PoseSequence,
  keep: KeptPeople = 'subject',
): AlignedPoses {
  const notes: string[] = [];
  const target = biggestPerson(reference.people, reference);
  const subjects = subjectOfEachFrame(driving);
  const crowded = driving.frames.filter(({ people }) => people.length > 1).length;
  if (reference.people.length > 1) notes.push('Several people in the reference picture: fitted to the biggest one.');
  if (crowded > 0) {
    notes.push(`Several people in ${crowded} of ${driving.frames.length} driving frames: fitted to the one followed.`);
  }
  const transform = fitSubject(target, subjects, reference, driving, notes);
  // Against laying one picture over the other, so that the sizes of the two do not matter.
  const scale = transform.scale / coverTransform(driving, reference).scale;
  if (scale < plainScale.min || scale > plainScale.max) {
    notes.push(`The driving person is made ${scale.toFixed(2)} times as large in the picture: look at comparison.mp4.`);
  }
  const kept = keep === 'all' ? driving : onlySubjects(driving, subjects);
  return { sequence: transformPoses(kept, transform, reference), transform, notes };
}

function onlySubjects(driving: PoseSequence, subjects: readonly (Person | undefined)[]): PoseSequence {
  return { ...driving, frames: subjects.map((person) => ({ people: person ? [person] : [] })) };
}

function fitSubject(
  target: Person | undefined,
  subjects: readonly (Person | undefined)[],
  reference: PictureOfPeople,
  driving: PoseSequence,
  notes: string[],
): PoseTransform {
  const people = subjects.filter((person) => person !== undefined);
  if (!target) {
    notes.push('Nobody found in the reference picture: the driving poses are laid over it unfitted.');
    return coverTransform(driving, reference);
  }
  if (people.length === 0) {
    notes.push('Nobody found in the driving video: there is nothing to fit.');
    return coverTransform(driving, reference);
  }
  const bases: readonly (readonly [AlignBasis, Comparison, string | undefined])[] = [
    ['torso', jointComparison(torso, isTorso, target, reference, driving), undefined],
    [
      'shoulders-head',
      jointComparison(shouldersAndHead, (joints) => joints.length >= 3, target, reference, driving),
      'Shoulders and hips are not seen in both: fitted by shoulders and head.',
    ],
    [
      'body-box',
      boxComparison(target, reference, driving),
      'Too few joints are seen in both: fitted by the box around the body.',
    ],
  ];
  for (const [basis, compare, note] of bases) {
    const fits = people.map(compare).filter((frame) => frame !== undefined);
    if (fits.length === 0 || fits.length < minFrameShare * people.length) continue;
    if (note) notes.push(note);
    const median = (value: (frame: FrameFit) => number) =>
      weightedMedian(fits.map((frame) => ({ value: value(frame), weight: frame.weight })));
    const scale = median(({ ratio }) => ratio);
    const dx = median(({ from, to }) => to.x - scale * from.x);
    const dy = median(({ from, to }) => to.y - scale * from.y);
    return pixelTransform(scale, dx, dy, driving, reference, basis);
  }
  notes.push('The bodies share nothing to fit by: the driving poses are laid over the reference unfitted.');
  return coverTransform(driving, reference);
}

/** Both ends of the torso, so that a turned or cropped person is not measured by the shoulders alone. */
function isTorso(joints: readonly number[]): boolean {
  return joints.length >= 3 && joints.some((joint) => joint <= 5) && joints.some((joint) => joint >= 8);
}

function jointComparison(
  joints: readonly number[],
  suffices: (common: readonly number[]) => boolean,
  target: Person,
  reference: PictureOfPeople,
  driving: PoseSequence,
): Comparison {
  return (person) => {
    const common = joints.filter((joint) => isPresent(target.body[joint]) && isPresent(person.body[joint]));
    if (!suffices(common)) return undefined;
    const to = common.map((joint) => target.body[joint] as Keypoint);
    const from = common.map((joint) => person.body[joint] as Keypoint);
    const weights = from.map(({ score }, i) => Math.min(1, score) * Math.min(1, (to[i] as Keypoint).score));
    const [source, goal] = [spread(from, weights, driving), spread(to, weights, reference)];
    if (!source || !goal) return undefined;
    const weight = weights.reduce((sum, value) => sum + value, 0);
    return { ratio: goal.size / source.size, from: source.center, to: goal.center, weight };
  };
}

function boxComparison(target: Person, reference: PictureOfPeople, driving: PoseSequence): Comparison {
  return (person) => {
    const common = (own: Person, other: Person) => own.body.filter((_, joint) => isPresent(other.body[joint]));
    const from = bodyBox(common(person, target), driving) ?? bodyBox(person.body, driving);
    const to = bodyBox(common(target, person), reference) ?? bodyBox(target.body, reference);
    if (!from || !to) return undefined;
    if (boxSize(from) < minSpread * diagonal(driving) || boxSize(to) < minSpread * diagonal(reference))
      return undefined;
    return { ratio: boxSize(to) / boxSize(from), from, to, weight: 1 };
  };
}

/** Weighted centre and weighted mean distance from it, in pixels; undefined when the points lie on top of each other. */
function spread(
  points: readonly Keypoint[],
  weights: readonly number[],
  picture: { readonly width: number; readonly height: number },
): { readonly center: { readonly x: number; readonly y: number }; readonly size: number } | undefined {
  let total = 0;
  let x = 0;
  let y = 0;
  points.forEach((point, i) => {
    const weight = weights[i] as number;
    total += weight;
    x += weight * point.x * picture.width;
    y += weight * point.y * picture.height;
  });
  const center = { x: x / total, y: y / total };
  const size = points.reduce((sum, point, i) => {
    const distance = Math.hypot(point.x * picture.width - center.x, point.y * picture.height - center.y);
    return sum + ((weights[i] as number) * distance) / total;
  }, 0);
  return size < minSpread * diagonal(picture) ? undefined : { center, size };
}

function diagonal(picture: { readonly width: number; readonly height: number }): number {
  return Math.hypot(picture.width, picture.height);
}

/** The value at which half of the weight is reached; the mean of two values where it is reached exactly between them. */
function weightedMedian(values: readonly { readonly value: number; readonly weight: number }[]): number {
  const sorted = values.toSorted((a, b) => a.value - b.value);
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let reached = 0;
  for (const [i, { value, weight }] of sorted.entries()) {
    reached += weight;
    if (reached > half) return value;
    if (reached === half) return (value + (sorted[i + 1]?.value ?? value)) / 2;
  }
  return sorted.at(-1)?.value ?? Number.NaN;
}
