import type { RgbImage } from '../types.js';
import type { RgbaImage } from './mediapipe-runtime.js';
import { landmark, type Point, type RawLandmark, type RawPart } from './raw-detection.js';
import { cropRegion, fromRegion, handRegion } from './region.js';

/** A hand that was seen: 21 points in 0..1 of the picture it was seen in. */
export type SeenHand = {
  readonly points: readonly Point[];
  /** What the network takes it for, and how surely (0.5..1). Only a hint. */
  readonly side: 'left' | 'right';
  readonly sideScore: number;
};

/** Finds the hands in a picture. */
export type HandNetwork = (crop: RgbaImage) => readonly SeenHand[];

/** The two hands of a person; null where none was found. */
export type HandPair = { readonly left: RawPart | null; readonly right: RawPart | null };

/** A wrist of somebody: where a hand is looked for, and the length by which distances are measured, in pixels. */
export type Wrist = {
  readonly person: number;
  readonly side: 'left' | 'right';
  readonly x: number;
  readonly y: number;
  readonly reach: number;
};

const sides = ['left', 'right'] as const;
const farthestOfReach = 0.3;
const wrongSidePenalty = 0.1;

/**
 * Looks for hands around every wrist that the poses show. A look at a part finds smaller hands than one at the whole
 * picture, and knows whose they are: of 68 hands of a dancer 63 against 61, all of them on the right wrist.
 */
export function findHands(
  image: RgbImage,
  poses: readonly (readonly RawLandmark[])[],
  network: HandNetwork,
): readonly HandPair[] {
  const seen: SeenHand[] = [];
  const wrists: Wrist[] = [];
  poses.forEach((pose, person) => {
    for (const side of sides) {
      const { x, y, visibility } = pose[landmark[`${side}Wrist`]] as RawLandmark;
      const region = handRegion(pose, side, image);
      if (visibility < 0.3 || x < 0 || y < 0 || x > 1 || y > 1 || !(region.size >= 16)) continue;
      wrists.push({ person, side, x: x * image.width, y: y * image.height, reach: region.size });
      const pixels = Math.round(Math.min(Math.max(region.size, 192), 640));
      for (const hand of network(cropRegion(image, region, pixels)))
        seen.push({ ...hand, points: hand.points.map((point) => fromRegion(region, point, image)) });
    }
  });
  return assignHands(seen, wrists, poses.length, image);
}

/**
 * Gives every hand to the nearest wrist, nearest pair first, and no hand to two wrists. Neighbouring looks often see the
 * same hand: of those the first is kept. The side the network names only counts as some extra distance.
 */
export function assignHands(
  seen: readonly SeenHand[],
  wrists: readonly Wrist[],
  personCount: number,
  image: { width: number; height: number },
): readonly HandPair[] {
  const toPixels = ({ x, y }: Point): Point => ({ x: x * image.width, y: y * image.height });
  const hands: { readonly hand: SeenHand; readonly pixels: readonly Point[] }[] = [];
  for (const hand of seen) {
    const pixels = hand.points.map(toPixels);
    if (!hands.some((other) => sameHand(other.pixels, pixels))) hands.push({ hand, pixels });
  }

  const pairs = wrists.flatMap((wrist) =>
    hands.map(({ hand, pixels }, index) => {
      const root = pixels[0] as Point;
      const away = Math.hypot(root.x - wrist.x, root.y - wrist.y) / wrist.reach;
      const wrongSide = hand.side === wrist.side ? 0 : 2 * hand.sideScore - 1;
      return { wrist, index, hand, away, cost: away + wrongSidePenalty * wrongSide };
    }),
  );
  const near = pairs.filter(({ away }) => away <= farthestOfReach).sort((a, b) => a.cost - b.cost);

  const result = Array.from({ length: personCount }, (): { left: RawPart | null; right: RawPart | null } => ({
    left: null,
    right: null,
  }));
  const taken = new Set<number>();
  for (const { wrist, index, hand } of near) {
    const person = result[wrist.person];
    if (!person || person[wrist.side] || taken.has(index)) continue;
    taken.add(index);
    // The network's doubt about the side is its only public measure of doubt: it grows when a hand is seen badly.
    person[wrist.side] = { points: hand.points, score: 0.5 + hand.sideScore / 2 };
  }
  return result;
}

function sameHand(a: readonly Point[], b: readonly Point[]): boolean {
  const away = a.reduce((sum, { x, y }, i) => sum + Math.hypot(x - (b[i] as Point).x, y - (b[i] as Point).y), 0);
  const root = a[0] as Point;
  const length = Math.max(...a.map(({ x, y }) => Math.hypot(x - root.x, y - root.y)));
  return away / a.length < 0.35 * length;
}
