import { describe, expect, test } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { followSubject } from '#dist/stages/pose/follow.js';
import { framesWithoutPeople } from '#dist/stages/pose/frames-without-people.js';
import type { Person } from '#dist/stages/types.js';
import { figure, middleX, random, sequence } from './stick-figure.js';

/** The same people in an order that changes from frame to frame, as detectors give them. */
function shuffled(frames: readonly (readonly Person[])[], seed: number) {
  const uniform = random(seed);
  return frames.map((people) => (uniform() < 0.5 ? [...people].reverse() : people));
}

const length = 90;
const times = Array.from({ length }, (_, t) => t / (length - 1));

describe('followSubject', () => {
  test('two people of one size walk through each other: each number keeps its person', () => {
    const walkers = times.map((t) => [
      figure(0.2 + 0.6 * t, 0.5, 0.6, 20 * t),
      figure(0.8 - 0.6 * t, 0.5, 0.6, 20 * t),
    ]);
    for (const seed of [1, 2, 3]) {
      const clip = sequence(shuffled(walkers, seed));
      const first = followSubject(clip, 1).frames.map(({ people }) => people[0]);
      const second = followSubject(clip, 'right').frames.map(({ people }) => people[0]);
      walkers.forEach(([a, b], t) => {
        expect(first[t], `frame ${t}`).toBe(a);
        expect(second[t], `frame ${t}`).toBe(b);
      });
    }
  });

  test('stays with the subject over a gap in which only somebody else is seen', () => {
    const frames = times.map((t, i) => {
      const other = figure(0.75, 0.5, 0.5);
      return i > 20 && i < 66 ? [other] : [other, figure(0.3 + 0.1 * t, 0.5, 0.7, 9 * t)];
    });
    const { frames: followed } = followSubject(sequence(shuffled(frames, 4)), 'left');
    followed.forEach(({ people }, i) => {
      if (i > 20 && i < 66) expect(people).toEqual([]);
      else expect(middleX(people[0])).toBeLessThan(0.5);
    });
    expect(framesWithoutPeople({ frames: followed })).toEqual([{ first: 21, last: 65 }]);
  });

  test('finds the subject again on the other side after a long absence', () => {
    const frames = times.map((_, i) => (i < 20 ? [figure(0.2)] : i < 70 ? [] : [figure(0.8)]));
    const { frames: followed } = followSubject(sequence(frames), 'auto');
    expect(followed.map(({ people }) => people.length)).toEqual(frames.map((people) => people.length));
  });

  test('auto takes the large one in the middle, also when overlooked at first or coming later; largest only asks for size', () => {
    const bystander = figure(0.15, 0.5, 0.4);
    const overlooked = times.map((t, i) => (i === 0 ? [bystander] : [bystander, figure(0.5, 0.5, 0.6, 9 * t)]));
    const late = times.map((t, i) => (i < 35 ? [bystander] : [bystander, figure(0.5, 0.5, 0.7, 9 * t)]));
    for (const clip of [overlooked, late]) {
      const { frames } = followSubject(sequence(clip), 'auto');
      expect(middleX(frames[60]?.people[0])).toBeCloseTo(0.5, 1);
    }
    const corner = times.map(() => [figure(0.5, 0.5, 0.6), figure(0.1, 0.5, 0.75)]);
    expect(middleX(followSubject(sequence(corner), 'auto').frames[9]?.people[0])).toBeCloseTo(0.5, 1);
    expect(middleX(followSubject(sequence(corner), 'largest').frames[9]?.people[0])).toBeCloseTo(0.1, 1);
  });

  test('a joint that comes and goes is not taken for movement', () => {
    const frames = times.map((_, i) => {
      const whole = figure(0.4);
      const body = whole.body.map((joint, j) => (i % 2 === 1 && j >= 9 && j <= 13 ? { ...joint, score: 0.1 } : joint));
      return [{ ...whole, body }, figure(0.62, 0.5, 0.55)];
    });
    const { frames: followed } = followSubject(sequence(frames), 1);
    for (const { people } of followed) expect(middleX(people[0])).toBeCloseTo(0.4, 2);
  });

  test('counts from the left, and says how many there are when there are fewer', () => {
    const clip = sequence(times.map(() => [figure(0.7, 0.5, 0.4), figure(0.2, 0.5, 0.4), figure(0.45, 0.5, 0.4)]));
    const places = [1, 2, 3].map((n) => middleX(followSubject(clip, n).frames[0]?.people[0]));
    expect(places.map((x) => Math.round(x * 100))).toEqual([20, 45, 70]);
    expect(() => followSubject(clip, 4)).toThrow(PantomimeError);
    expect(() => followSubject(clip, 4)).toThrow(/no person 4 .*at most 3 people/);
  });

  test('at few frames a second movement is large, and still the same person', () => {
    const frames = Array.from({ length: 12 }, (_, i) => [figure(0.3 + 0.06 * (i % 2), 0.5, 0.6, 3 * i), figure(0.8)]);
    const { frames: followed } = followSubject(sequence(shuffled(frames, 5)), 'left');
    followed.forEach(({ people }, i) => {
      expect(people[0]).toBe(frames[i]?.[0]);
    });
  });

  test('nobody at all', () => {
    const empty = sequence([[], [], []]);
    expect(followSubject(empty, 'auto')).toEqual(empty);
    expect(framesWithoutPeople(empty)).toEqual([{ first: 0, last: 2 }]);
    expect(framesWithoutPeople(sequence([]))).toEqual([]);
    expect(framesWithoutPeople(sequence([[], [figure(0.5)], []]))).toEqual([
      { first: 0, last: 0 },
      { first: 2, last: 2 },
    ]);
  });
});
