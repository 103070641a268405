import { PantomimeError } from '../../models/errors.js';
import type { Person, PoseSequence } from '../types.js';
import { extentOf, presentScore } from './keypoint.js';

/**
 * Whom to follow: `auto` the most prominent (large, central, well seen) over the clip, `largest` by size alone, `left` and
 * `right` by where they stand at the beginning, a number the Nth from the left at the beginning, from 1.
 */
export type Subject = 'auto' | 'largest' | 'left' | 'right' | number;

/** One person of one frame as the path search sees it. Lengths in picture heights. */
type Node = {
  readonly frame: number;
  readonly person: Person;
  /** The present joints by their index, undefined for the others. */
  readonly joints: readonly ({ readonly x: number; readonly y: number } | undefined)[];
  /** Middle and longer side of the box around them. */
  readonly x: number;
  readonly y: number;
  readonly size: number;
};

/** The cheapest way to a node found so far. */
type Way = {
  readonly node: Node;
  readonly cost: number;
  readonly from: Way | undefined;
  /** Movement per frame, smoothed along the way. */
  readonly vx: number;
  readonly vy: number;
};

// Costs. From frame to frame a dancer moves below 0.1 body sizes; a neighbour may be half of one away.
const stepCost = 100; // times the 4th power of the body sizes between where somebody was expected and where he is
const jumpCost = 18; // most that a step can cost, however far
const absentCost = 0.3; // for each frame in which somebody is seen but not the subject: 60 of them are worth a jump
const returnCost = 3; // a jump to somebody who was not there before, after a long absence: most likely the subject
const mostGap = 30; // frames; after a longer one nothing is expected of the place
const newcomerFrames = 5; // nobody near for so long makes one a newcomer
const beginningSec = 1;

/**
 * The sequence with one person a frame, or none where the subject is not seen.
 *
 * From the subject's first place the cheapest way through the whole clip is searched forwards and backwards (Viterbi):
 * expected place from the movement so far, shape, size; leaving frames out costs a little, jumping to somebody else a
 * lot. So people may cross, swap their order in the list, vanish and come back. Throws a `usage` error when a numbered
 * subject is never there. A sequence without people comes back unchanged.
 */
export function followSubject(sequence: PoseSequence, subject: Subject): PoseSequence {
  const nodes = nodesOf(sequence);
  const candidates = subjectCandidates(sequence, nodes, subject);
  const paths = candidates.map((anchor) => pathThrough(nodes, anchor));
  let best: { readonly path: readonly Node[]; readonly weight: number } | undefined;
  for (const path of paths) {
    const weight = path.reduce((sum, node) => sum + prominence(node, subject, sequence), 0);
    if (!best || weight > best.weight) best = { path, weight };
  }
  if (!best) return sequence;
  const chosen = new Map(best.path.map((node) => [node.frame, node.person]));
  const frames = sequence.frames.map((_, frame) => {
    const person = chosen.get(frame);
    return { people: person ? [person] : [] };
  });
  return { ...sequence, frames };
}

function nodesOf({ frames, width, height }: PoseSequence): readonly (readonly Node[])[] {
  const aspect = width / height;
  return frames.map(({ people }, frame) =>
    people.flatMap((person) => {
      const extent = extentOf(person, aspect);
      if (!extent) return []; // nothing of him is in the picture
      const joints = person.body.map(({ x, y, score }) => (score > presentScore ? { x: x * aspect, y } : undefined));
      const size = Math.max(extent.width, extent.height, 1e-3);
      return [{ frame, person, joints, x: extent.x + extent.width / 2, y: extent.y + extent.height / 2, size }];
    }),
  );
}

/** Those who may be meant, each by one of his nodes. */
function subjectCandidates(
  { frames, frameRate }: PoseSequence,
  nodes: readonly (readonly Node[])[],
  subject: Subject,
): readonly Node[] {
  const first = nodes.findIndex((people) => people.length > 0);
  if (first < 0) return [];
  const beginning = nodes.slice(first, first + Math.max(1, Math.ceil((beginningSec * frameRate.num) / frameRate.den)));
  // Somebody may be overlooked in the very first frame: the fullest one of the beginning says who is there.
  const fullest = beginning.reduce((a, b) => (b.length > a.length ? b : a));
  const fromLeft = (people: readonly Node[]) => [...people].sort((a, b) => a.x - b.x);

  if (subject === 'left') return fromLeft(fullest).slice(0, 1);
  if (subject === 'right') return fromLeft(fullest).slice(-1);
  if (typeof subject === 'number') {
    const people = fullest.length >= subject ? fullest : (nodes.find(({ length }) => length >= subject) ?? []);
    const chosen = fromLeft(people)[subject - 1];
    if (chosen) return [chosen];
    const most = nodes.reduce((count, { length }) => Math.max(count, length), 0);
    throw new PantomimeError({
      code: 'pose.no-such-subject',
      kind: 'usage',
      what: `there is no person ${subject} from the left`,
      got: `at most ${most} ${most === 1 ? 'person' : 'people'} in any of ${frames.length} frames`,
      hint: `Use a number from 1 to ${most}, or auto`,
    });
  }
  // Whoever comes in later may be the one, too: the largest of the clip at least is asked about.
  const largest = nodes.flat().reduce((a, b) => (b.size > a.size ? b : a));
  return [...fullest, largest];
}

/** How much a node speaks for its person. */
function prominence({ person, size, x }: Node, subject: Subject, { width, height }: PoseSequence): number {
  if (subject === 'largest') return size * size;
  const offCentre = Math.min(1, Math.abs((2 * x * height) / width - 1));
  const seen = person.body.reduce((sum, { score }) => sum + Math.min(Math.max(score, 0), 1), 0) / person.body.length;
  return size * (1 - 0.5 * offCentre) * seen;
}

function pathThrough(nodes: readonly (readonly Node[])[], anchor: Node): readonly Node[] {
  const later = cheapestWay(nodes.slice(anchor.frame), anchor);
  const earlier = cheapestWay(nodes.slice(0, anchor.frame + 1).reverse(), anchor);
  return [...earlier.slice(1).reverse(), ...later];
}

/** The cheapest way from `start`, which is in the first of `levels`, to anywhere, with at most one node of each level. */
function cheapestWay(levels: readonly (readonly Node[])[], start: Node): readonly Node[] {
  // skipped[i]: cost of leaving out the levels 1..i
  const skipped = [0];
  for (let i = 1; i < levels.length; i++)
    skipped.push((skipped[i - 1] ?? 0) + ((levels[i]?.length ?? 0) > 0 ? absentCost : 0));
  const between = (from: number, to: number) => (skipped[to - 1] ?? 0) - (skipped[from] ?? 0);
  const total = (way: Way, level: number, to: number) => way.cost + between(level, to);

  const ways: (readonly Way[])[] = [[{ node: start, cost: 0, from: undefined, vx: 0, vy: 0 }]];
  /** The best of the ways that ended too long ago to expect anything of. */
  let lost: { readonly way: Way; readonly level: number } | undefined;
  for (let level = 1; level < levels.length; level++) {
    const old = level - mostGap - 1;
    for (const way of ways[old] ?? [])
      if (!lost || total(way, old, level) < total(lost.way, lost.level, level)) lost = { way, level: old };

    ways.push(
      (levels[level] ?? [])
        .map((node) => {
          let best: Way | undefined;
          const offer = (from: Way, fromLevel: number, step: number) => {
            const cost = total(from, fromLevel, level) + step;
            if (!best || cost < best.cost)
              best = continued(from, node, level - fromLevel, cost, from === lost?.way || step >= jumpCost);
          };
          for (let previous = Math.max(0, level - mostGap); previous < level; previous++)
            for (const from of ways[previous] ?? []) offer(from, previous, costOfStep(from, node, level - previous));
          if (lost) offer(lost.way, lost.level, isNewcomer(node, levels, level) ? returnCost : jumpCost);
          return best as Way | undefined;
        })
        .filter((way) => way !== undefined),
    );
  }

  let end: Way | undefined;
  let endCost = Number.POSITIVE_INFINITY;
  ways.forEach((level, index) => {
    for (const way of level) {
      const cost = total(way, index, levels.length);
      if (cost < endCost) [end, endCost] = [way, cost];
    }
  });
  const path: Node[] = [];
  for (let way = end; way; way = way.from) path.push(way.node);
  return path.reverse();
}

function isNewcomer(node: Node, levels: readonly (readonly Node[])[], level: number): boolean {
  const before = levels.slice(Math.max(0, level - newcomerFrames), level).flat();
  const unmoved = { cost: 0, from: undefined, vx: 0, vy: 0 };
  return before.every((other) => costOfStep({ ...unmoved, node: other }, node, 1) > returnCost);
}

function continued(from: Way, node: Node, frames: number, cost: number, jumped: boolean): Way {
  if (jumped) return { node, cost, from, vx: 0, vy: 0 };
  const { dx, dy } = difference(from.node, node);
  const share = from.from ? 0.5 : 1; // of the newest movement; the first one is all there is
  return {
    node,
    cost,
    from,
    vx: (1 - share) * from.vx + (share * dx) / frames,
    vy: (1 - share) * from.vy + (share * dy) / frames,
  };
}

function costOfStep({ node: from, vx, vy }: Way, to: Node, frames: number): number {
  const size = Math.max(from.size, to.size);
  const { dx, dy, shape } = difference(from, to);
  const ahead = Math.min(frames, 5); // nobody keeps his speed for longer
  const away = Math.hypot(ahead * vx - dx, ahead * vy - dy) / size;
  // A 4th power: fast movement must cost less than leaving a frame out, another person much more.
  return Math.min(jumpCost, stepCost * (away ** 2 + 0.5 * (shape / size) ** 2) ** 2);
}

/**
 * Mean movement of the joints that both have, and how far (root mean square) single joints are from it. Joints that only
 * one of them has, because they come into the picture or leave it, must not count as movement.
 */
function difference(a: Node, b: Node): { readonly dx: number; readonly dy: number; readonly shape: number } {
  let count = 0;
  let [sumX, sumY, sumSquares] = [0, 0, 0];
  for (let i = 0; i < a.joints.length; i++) {
    const p = a.joints[i];
    const q = b.joints[i];
    if (!p || !q) continue;
    count++;
    sumX += q.x - p.x;
    sumY += q.y - p.y;
    sumSquares += (q.x - p.x) ** 2 + (q.y - p.y) ** 2;
  }
  if (count === 0) return { dx: b.x - a.x, dy: b.y - a.y, shape: Math.max(a.size, b.size) / 2 };
  const [dx, dy] = [sumX / count, sumY / count];
  return { dx, dy, shape: Math.sqrt(Math.max(0, sumSquares / count - dx * dx - dy * dy)) };
}
