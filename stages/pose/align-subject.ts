import type { Keypoint, Person, PoseSequence } from '../types.js';
import { isPresent } from './align-transform.js';

/** Someone who appears further than this share of the subject's own size away from where it was is someone else. */
const maxJump = 0.75;
/** After this long out of sight the subject is looked for anywhere. */
const maxAbsenceSec = 1;

export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** Box around the present joints, in pixels of a picture of that size; undefined with fewer than two. Centre in x, y. */
export function bodyBox(
  points: readonly (Keypoint | undefined)[],
  picture: { readonly width: number; readonly height: number },
): Box | undefined {
  const present = points.filter(isPresent);
  if (present.length < 2) return undefined;
  const xs = present.map(({ x }) => x * picture.width);
  const ys = present.map(({ y }) => y * picture.height);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return { x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top };
}

export function boxSize(box: Box | undefined): number {
  return box ? Math.hypot(box.width, box.height) : 0;
}

/** The biggest person; undefined when there is none. */
export function biggestPerson(
  people: readonly Person[],
  picture: { readonly width: number; readonly height: number },
): Person | undefined {
  const size = (person: Person) => boxSize(bodyBox(person.body, picture));
  return people.reduce<Person | undefined>(
    (best, person) => (best && size(best) >= size(person) ? best : person),
    undefined,
  );
}

/**
 * The person to follow in each frame: the biggest one at first, then whoever is nearest to where that one was last.
 * Undefined for frames in which that person is not found. A clip with never more than one person has no doubt about it.
 */
export function subjectOfEachFrame(driving: PoseSequence): (Person | undefined)[] {
  const alone = driving.frames.every(({ people }) => people.length <= 1);
  if (alone) return driving.frames.map(({ people }) => people[0]);
  const maxAbsence = Math.ceil((maxAbsenceSec * driving.frameRate.num) / driving.frameRate.den);
  let last: Box | undefined;
  let absence = 0;
  return driving.frames.map(({ people }) => {
    const found = last && absence <= maxAbsence ? nearest(people, last, driving) : biggestPerson(people, driving);
    const box = found && bodyBox(found.body, driving);
    if (box) last = box;
    absence = box ? 0 : absence + 1;
    return found;
  });
}

function nearest(people: readonly Person[], last: Box, picture: PoseSequence): Person | undefined {
  let best: Person | undefined;
  let bestDistance = maxJump * boxSize(last);
  for (const person of people) {
    const box = bodyBox(person.body, picture);
    const distance = box ? Math.hypot(box.x - last.x, box.y - last.y) : Infinity;
    if (distance < bestDistance) {
      best = person;
      bestDistance = distance;
    }
  }
  return best;
}
