import { describe, expect, test } from 'vitest';
import { ibugPoints } from '#dist/stages/pose/face-points.js';
import { assignHands, type SeenHand, type Wrist } from '#dist/stages/pose/hand-points.js';
import { toPerson, visibilityScore } from '#dist/stages/pose/openpose.js';
import type { RawLandmark, RawPart } from '#dist/stages/pose/raw-detection.js';
import { cropRegion, fromRegion, type Region } from '#dist/stages/pose/region.js';

const image = { width: 400, height: 200 };

describe('toPerson', () => {
  const pose = (change: (index: number) => Partial<RawLandmark> = () => ({})): RawLandmark[] =>
    Array.from({ length: 33 }, (_, i) => ({ x: i / 100, y: i / 50, z: 0, visibility: 1, presence: 1, ...change(i) }));
  const noParts = { leftHand: null, rightHand: null, face: null };

  test('33 landmarks become the 18 OpenPose joints', () => {
    const { body } = toPerson({ pose: pose(), ...noParts });
    const sources = [0, undefined, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7];
    expect(body).toHaveLength(18);
    sources.forEach((source, joint) => {
      if (source !== undefined)
        expect(body[joint], `joint ${joint}`).toEqual({ x: source / 100, y: source / 50, score: 1 });
    });
    expect(body[1]).toEqual({ x: 0.115, y: 0.23, score: 1 });
  });

  test('hidden and outside joints are not present, visible ones are bright', () => {
    const { body } = toPerson({
      pose: pose((i) => {
        if (i === 0) return { visibility: 0.5 };
        if (i === 16) return { presence: 0.1 };
        if (i === 14) return { visibility: 0.8 };
        if (i === 25) return { y: 1.01 };
        if (i === 12) return { visibility: 0.2 };
        return {};
      }),
      ...noParts,
    });
    const score = (joint: number) => body[joint]?.score as number;
    expect(score(0)).toBeLessThanOrEqual(0.3);
    expect(score(4)).toBeLessThan(0.3);
    expect(score(3)).toBeGreaterThan(0.8);
    expect(score(12)).toBe(0);
    expect(score(1)).toBe(0); // the neck needs both shoulders
    expect(score(5)).toBe(1);
  });

  test('scores rise with visibility, through 0.3 at 0.5', () => {
    const scores = Array.from({ length: 101 }, (_, i) => visibilityScore(i / 100));
    scores.slice(1).forEach((score, i) => {
      expect(score).toBeGreaterThan(scores[i] as number);
    });
    expect([scores[0], scores[50], scores[100]]).toEqual([0, 0.3, 1]);
    expect([visibilityScore(-1), visibilityScore(Number.NaN), visibilityScore(2)]).toEqual([0, 0, 1]);
  });

  test('a wrist moves onto the root of its hand', () => {
    const points = Array.from({ length: 21 }, (_, i) => ({ x: 0.2 + i / 100, y: 0.3 }));
    const hidden = pose((i) => (i === 16 ? { visibility: 0.1 } : {}));
    const { body, rightHand, leftHand } = toPerson({ pose: hidden, ...noParts, rightHand: { points, score: 0.9 } });
    expect(body[4]).toEqual({ x: 0.2, y: 0.3, score: 0.9 });
    expect(rightHand?.[20]).toEqual({ x: 0.4, y: 0.3, score: 0.9 });
    expect(leftHand).toBeNull();
    expect(body[7]?.x).toBe(0.15);
  });
});

describe('assignHands', () => {
  const wrist = (person: number, side: 'left' | 'right', x: number): Wrist => ({ person, side, x, y: 100, reach: 100 });
  /** A hand of 20 px whose root is at (x, 100) px. */
  const hand = (x: number, side: 'left' | 'right', sideScore = 0.9): SeenHand => ({
    points: Array.from({ length: 21 }, (_, i) => ({ x: (x + i) / image.width, y: 0.5 })),
    side,
    sideScore,
  });
  const rootPx = (part: RawPart | null | undefined) => part && Math.round((part.points[0]?.x as number) * image.width);

  test('each hand goes to the nearest wrist, whatever side the network names', () => {
    const wrists = [wrist(0, 'right', 100), wrist(0, 'left', 200), wrist(1, 'right', 300)];
    const found = assignHands([hand(198, 'right'), hand(305, 'left'), hand(104, 'right')], wrists, 2, image);
    expect(rootPx(found[0]?.right)).toBe(104);
    expect(rootPx(found[0]?.left)).toBe(198);
    expect(rootPx(found[1]?.right)).toBe(305);
    expect(found[1]?.left).toBeNull();
  });

  test('a hand seen twice counts once, and the side decides between wrists that are equally near', () => {
    const wrists = [wrist(0, 'right', 100), wrist(0, 'left', 110)];
    const once = assignHands([hand(105, 'left'), hand(106, 'left')], wrists, 1, image);
    expect(rootPx(once[0]?.left)).toBe(105);
    expect(once[0]?.right).toBeNull();
  });

  test("a hand far from every wrist is nobody's", () => {
    expect(assignHands([hand(150, 'left')], [wrist(0, 'left', 100)], 1, image)).toEqual([{ left: null, right: null }]);
  });
});

describe('regions', () => {
  test('what is drawn at a place of a crop came from the place that fromRegion names', () => {
    const side = { width: 64, height: 48 };
    const data = new Uint8Array(64 * 48 * 3);
    for (let y = 0; y < 48; y++) for (let x = 0; x < 64; x++) data.set([x * 4, y * 4, 77], (y * 64 + x) * 3);
    const region: Region = { x: 30, y: 24, size: 20, angleRad: 0.6 };
    const crop = cropRegion({ ...side, data }, region, 40);
    for (const [column, row] of [
      [0, 0],
      [39, 0],
      [11, 30],
      [20, 20],
    ] as const) {
      const { x, y } = fromRegion(region, { x: (column + 0.5) / 40, y: (row + 0.5) / 40 }, side);
      const at = (row * 40 + column) * 4;
      expect(Math.abs((crop.data[at] as number) - 4 * (x * 64 - 0.5))).toBeLessThanOrEqual(0.51);
      expect(Math.abs((crop.data[at + 1] as number) - 4 * (y * 48 - 0.5))).toBeLessThanOrEqual(0.51);
      expect([...crop.data.slice(at + 2, at + 4)]).toEqual([77, 255]);
    }
  });

  test('outside of the picture is black', () => {
    const data = new Uint8Array(4 * 4 * 3).fill(200);
    const crop = cropRegion({ width: 4, height: 4, data }, { x: 100, y: 100, size: 8, angleRad: 0 }, 8);
    expect(crop.data.every((value, i) => value === (i % 4 === 3 ? 255 : 0))).toBe(true);
  });
});

test('the face has 68 different points of the mesh', () => {
  expect(new Set(ibugPoints).size).toBe(68);
  expect(Math.max(...ibugPoints)).toBeLessThan(468);
});
