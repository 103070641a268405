import { describe, expect, it } from 'vitest';
import { drawSkeleton } from '#dist/stages/pose/draw.js';
import type { Keypoint, Person } from '#dist/stages/types.js';

const absent: Keypoint = { x: 0.5, y: 0.5, score: 0 };

function person(joints: Record<number, Keypoint>, parts: Partial<Person> = {}): Person {
  const body = Array.from({ length: 18 }, (_, joint) => joints[joint] ?? absent);
  return { body, leftHand: null, rightHand: null, face: null, ...parts };
}

const brightest = (data: Uint8Array) => data.reduce((most, value) => Math.max(most, value), 0);
const painted = (data: Uint8Array) => data.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);

describe('drawSkeleton', () => {
  it('draws nothing for nobody, for null parts and for joints at or below 0.3', () => {
    expect(painted(drawSkeleton([], 64, 96).data)).toBe(0);
    const unsure = { x: 0.5, y: 0.5, score: 0.3 };
    expect(painted(drawSkeleton([person({ 1: unsure, 2: unsure })], 64, 96).data)).toBe(0);
  });

  it('gives tight RGB of the asked size, the first limb blue and dimmed under its joints', () => {
    const image = drawSkeleton(
      [person({ 1: { x: 0.1, y: 0.5, score: 1 }, 2: { x: 0.9, y: 0.5, score: 1 } })],
      1200,
      1080,
    );
    expect(image.data.length).toBe(1200 * 1080 * 3);
    const at = (x: number, y: number) => [...image.data.subarray((y * 1200 + x) * 3, (y * 1200 + x) * 3 + 3)];
    expect(at(600, 540)).toEqual([0, 0, 153]);
    expect(Math.max(...at(120, 540))).toBeGreaterThan(200);
  });

  it('draws hands without a score threshold, red points over darker edges', () => {
    const hand = Array.from({ length: 21 }, (_, i) => ({ x: 0.2 + 0.03 * i, y: 0.5, score: 0.2 }));
    const { data } = drawSkeleton([person({}, { leftHand: hand })], 216, 216);
    expect(painted(data)).toBeGreaterThan(0);
    expect(brightest(data)).toBeLessThanOrEqual(51);
  });

  it('saturates scores over 1 after the product', () => {
    const face = Array.from({ length: 68 }, () => ({ x: 0.5, y: 0.5, score: 3 }));
    expect(brightest(drawSkeleton([person({}, { face })], 1080, 1080).data)).toBe(255);
  });

  it('survives hostile coordinates quickly and leaves them out', () => {
    const wild = [Number.NaN, Infinity, -1e300, 1e9, 40];
    const joints = Object.fromEntries(wild.map((x, i) => [i, { x, y: -x, score: 1 }]));
    const hand = Array.from({ length: 21 }, (_, i) => ({ x: wild[i % 5]!, y: wild[(i + 1) % 5]!, score: 1 }));
    expect(painted(drawSkeleton([person(joints, { rightHand: hand, face: hand })], 64, 64).data)).toBe(0);
  });

  it('loses nothing of a solid skeleton in a small picture, where most of a published one falls between the pixels', () => {
    const slanting = person({ 1: { x: 0.2, y: 0.23, score: 1 }, 2: { x: 0.8, y: 0.71, score: 1 } });
    const rowsTouched = (style: 'published' | 'solid') => {
      const { data } = drawSkeleton([slanting], 64, 96, { style });
      return Array.from({ length: 96 }, (_, y) => painted(data.subarray(y * 192, (y + 1) * 192)) > 0);
    };
    const between = (rows: boolean[]) => rows.slice(23, 68);
    expect(between(rowsTouched('solid'))).not.toContain(false);
    expect(between(rowsTouched('published')).filter((touched) => !touched).length).toBeGreaterThan(10);
  });

  it('draws a solid skeleton of the same shares at every size, in the published colours', () => {
    const hand = Array.from({ length: 21 }, (_, i) => ({ x: 0.6 + 0.01 * i, y: 0.2 + 0.005 * i, score: 1 }));
    const people = [
      person({ 1: { x: 0.1, y: 0.5, score: 1 }, 2: { x: 0.9, y: 0.5, score: 1 } }, { leftHand: hand, face: hand }),
    ];
    const share = (width: number) => {
      const { data } = drawSkeleton(people, width, width, { style: 'solid' });
      return painted(data) / data.length;
    };
    for (const width of [128, 256, 512]) expect(share(1024) / share(width)).toBeCloseTo(1, 0);
    const { data } = drawSkeleton(people, 128, 128, { style: 'solid' });
    expect([...data.subarray((64 * 128 + 64) * 3, (64 * 128 + 64) * 3 + 3)]).toEqual([0, 0, 153]);
  });

  it('refuses sizes that are no picture', () => {
    for (const side of [0, -1, 1.5, 1e6, Number.NaN]) expect(() => drawSkeleton([], side, 64)).toThrow(RangeError);
  });
});
