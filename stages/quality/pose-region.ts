import type { Keypoint, Person } from '../types.js';
import type { Mask } from './mask.js';

const presentScore = 0.3;

/** Bones that go on beyond their last joint, and by how much of their length: shins to the toes, forearms to the fingers. */
const beyond: readonly (readonly [from: number, to: number, share: number])[] = [
  [9, 10, 0.35],
  [12, 13, 0.35],
  [3, 4, 0.6],
  [6, 7, 0.6],
  [1, 0, 1.4],
];

/** Width of what is added around the hull, as a share of the person's longer side. */
const margin = 0.08;

type Place = { readonly x: number; readonly y: number };

/**
 * Pixels where a person may be: the convex hull of all present points, with head, hands and feet continued beyond their last
 * joints, widened by 0.08 of the person's longer side (hair, clothes, the pixels that movement blurs). Corners of the
 * widening are pointed, not round. All pixels are in it when nobody is present, since then nothing is known.
 */
export function poseRegion(
  person: Person | undefined,
  size: { readonly width: number; readonly height: number },
): Mask {
  const { width, height } = size;
  const data = new Uint8Array(width * height);
  const places = person ? placesOf(person, size) : [];
  if (places.length === 0) return { width, height, data: data.fill(1) };
  const extent = (of: (place: Place) => number) => Math.max(...places.map(of)) - Math.min(...places.map(of));
  const wide =
    margin *
      Math.max(
        extent(({ x }) => x),
        extent(({ y }) => y),
      ) +
    1;
  // Four corners of a tiny square for each point, so that the hull of one point or of a line has an inside, too.
  const hull = convexHull(
    places.flatMap(({ x, y }) => [-0.01, 0.01].flatMap((dx) => [-0.01, 0.01].map((dy) => ({ x: x + dx, y: y + dy })))),
  );
  for (let row = 0; row < height; row++) {
    let [left, right] = [-Infinity, Infinity];
    for (const [i, from] of hull.entries()) {
      const to = hull[(i + 1) % hull.length] as Place;
      const length = Math.hypot(to.x - from.x, to.y - from.y);
      // Outward normal of an edge that runs counter-clockwise (y up); inside where nx x + ny y <= reach.
      const [nx, ny] = [(to.y - from.y) / length, -(to.x - from.x) / length];
      const room = nx * from.x + ny * from.y + wide - ny * (row + 0.5);
      if (nx > 1e-9) right = Math.min(right, room / nx);
      else if (nx < -1e-9) left = Math.max(left, room / nx);
      else if (room < 0) right = -Infinity;
    }
    const [first, last] = [Math.max(0, Math.ceil(left - 0.5)), Math.min(width - 1, Math.floor(right - 0.5))];
    if (first <= last) data.fill(1, row * width + first, row * width + last + 1);
  }
  return { width, height, data };
}

function placesOf(person: Person, { width, height }: { readonly width: number; readonly height: number }): Place[] {
  const present = (point: Keypoint | undefined): point is Keypoint => point !== undefined && point.score > presentScore;
  const place = ({ x, y }: Keypoint): Place => ({ x: x * width, y: y * height });
  const parts = [person.body, person.leftHand ?? [], person.rightHand ?? [], person.face ?? []];
  const places = parts.flatMap((points) => points.filter(present).map(place));
  for (const [a, b, share] of beyond) {
    const [from, to] = [person.body[a], person.body[b]];
    if (!present(from) || !present(to)) continue;
    const [p, q] = [place(from), place(to)];
    places.push({ x: q.x + share * (q.x - p.x), y: q.y + share * (q.y - p.y) });
  }
  return places;
}

/** Corners of the convex hull, counter-clockwise with y up (Andrew's monotone chain). */
function convexHull(points: readonly Place[]): Place[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const chain = (ordered: readonly Place[]): Place[] => {
    const corners: Place[] = [];
    for (const point of ordered) {
      while (corners.length >= 2 && turn(corners.at(-2) as Place, corners.at(-1) as Place, point) <= 0) corners.pop();
      corners.push(point);
    }
    return corners.slice(0, -1);
  };
  return [...chain(sorted), ...chain(sorted.toReversed())];
}

function turn(a: Place, b: Place, c: Place): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
