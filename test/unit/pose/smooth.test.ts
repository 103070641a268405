import { describe, expect, test } from 'vitest';
import { localFit, noiseOf } from '#dist/stages/pose/local-fit.js';
import { smoothPoses } from '#dist/stages/pose/smooth.js';
import type { Person, PoseSequence } from '#dist/stages/types.js';
import { figure, normal, random, sequence } from './stick-figure.js';

const length = 120;
const times = Array.from({ length }, (_, t) => t);
const wrist = 4;
const hip = 8;

function jittered(person: Person, sigma: number, uniform: () => number): Person {
  const body = person.body.map((joint) => ({
    ...joint,
    x: joint.x + sigma * normal(uniform),
    y: joint.y + sigma * normal(uniform),
  }));
  return { ...person, body };
}

const person = ({ frames }: PoseSequence, t: number) => frames[t]?.people[0] as Person;
const deviation = (values: readonly number[]) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
};

/** A wrist that hits: still, then 0.35 picture heights up and back within 8 frames, then still. */
const hit = (t: number) => (t < 56 || t > 64 ? 0 : 0.35 * Math.sin((Math.PI * (t - 56)) / 8) ** 2);
const hitting = (t: number): Person => {
  const still = figure(0.5);
  return { ...still, body: still.body.map((joint, i) => (i === wrist ? { ...joint, y: joint.y - hit(t) } : joint)) };
};

describe('smoothPoses', () => {
  test('jitter of a still pose falls to below 0.45, on the whole body to below 0.35', () => {
    const uniform = random(5);
    const raw = sequence(times.map(() => [jittered(figure(0.5), 0.004, uniform)]));
    const smooth = smoothPoses(raw, { strength: 0.5 });
    for (let joint = 0; joint < 18; joint++) {
      if (joint === 1) continue;
      const before = deviation(times.map((t) => person(raw, t).body[joint]?.x as number));
      const after = deviation(times.map((t) => person(smooth, t).body[joint]?.x as number));
      expect(after / before, `joint ${joint}`).toBeLessThan(0.45);
    }
    const ratios = person(raw, 0).body.map((_, joint) => {
      const of = (poses: PoseSequence) => deviation(times.map((t) => person(poses, t).body[joint]?.y as number));
      return of(smooth) / of(raw);
    });
    expect(ratios.reduce((a, b) => a + b, 0) / ratios.length).toBeLessThan(0.35);
  });

  test('a fast wrist keeps its peak, while the same clip loses its jitter', () => {
    const uniform = random(6);
    const raw = sequence(times.map((t) => [jittered(hitting(t), 0.003, uniform)]));
    const smooth = smoothPoses(raw, { strength: 0.5 });
    const error = times.map((t) =>
      Math.abs(
        (person(smooth, t).body[wrist]?.y as number) - (person(sequence([[hitting(t)]]), 0).body[wrist]?.y as number),
      ),
    );
    expect(Math.max(...error)).toBeLessThan(0.02); // of a movement of 0.35, with 0.003 of noise
    const quiet = (poses: PoseSequence) =>
      deviation(times.slice(0, 45).map((t) => person(poses, t).body[wrist]?.y as number));
    expect(quiet(smooth) / quiet(raw)).toBeLessThan(0.5);
  });

  test('no lag: time run backwards gives the same movement backwards', () => {
    const uniform = random(7);
    const raw = sequence(times.map((t) => [jittered(hitting(t), 0.003, uniform)]));
    const backwards = { ...raw, frames: raw.frames.toReversed() };
    const there = smoothPoses(raw, { strength: 0.7 });
    const back = smoothPoses(backwards, { strength: 0.7 });
    times.forEach((t) => {
      person(there, t).body.forEach((joint, i) => {
        const other = person(back, length - 1 - t).body[i];
        expect(joint.x).toBeCloseTo(other?.x as number, 6);
        expect(joint.y).toBeCloseTo(other?.y as number, 6);
      });
    });
  });

  test('a steady walk is left where it is', () => {
    const raw = sequence(times.map((t) => [figure(0.2 + 0.005 * t)]));
    const smooth = smoothPoses(raw, { strength: 1 });
    times.forEach((t) => {
      expect(person(smooth, t).body[hip]?.x).toBeCloseTo(person(raw, t).body[hip]?.x as number, 6);
    });
  });

  test('short gaps are filled with a lower score, long ones are not', () => {
    const walk = (t: number) => figure(0.2 + 0.005 * t);
    const frames = times.map((t) => {
      if ((t >= 20 && t < 25) || (t >= 60 && t < 66)) return [];
      const hidden = t >= 40 && t < 43;
      const body = walk(t).body.map((joint, i) => (hidden && i === wrist ? { x: 0, y: 0, score: 0.1 } : joint));
      return [{ ...walk(t), body }];
    });
    const smooth = smoothPoses(sequence(frames), { strength: 0.5 });
    for (let t = 20; t < 25; t++) {
      const joint = person(smooth, t).body[hip];
      expect(joint?.x).toBeCloseTo(walk(t).body[hip]?.x as number, 5);
      expect(joint?.score).toBeGreaterThan(0.3);
      expect(joint?.score).toBeLessThan(0.9);
    }
    for (let t = 40; t < 43; t++)
      expect(person(smooth, t).body[wrist]?.x).toBeCloseTo(walk(t).body[wrist]?.x as number, 5);
    for (let t = 60; t < 66; t++) expect(smooth.frames[t]?.people).toEqual([]);
  });

  test('a missing joint stays missing, with its place and score', () => {
    const absent = { x: 0.123, y: 1.2, score: 0.05 };
    const frames = times.map(() => [
      { ...figure(0.5), body: figure(0.5).body.map((joint, i) => (i === 10 ? absent : joint)) },
    ]);
    const smooth = smoothPoses(sequence(frames), { strength: 1 });
    for (const t of times) expect(person(smooth, t).body[10]).toEqual(absent);
  });

  test('a wrist that lay on the root of its hand goes on lying there', () => {
    const uniform = random(8);
    const frames = times.map((t) => {
      const { body } = jittered(figure(0.3 + 0.002 * t), 0.003, uniform);
      const root = body[wrist] as { x: number; y: number; score: number };
      const hand = Array.from({ length: 21 }, (_, i) => ({ ...root, x: root.x - 0.002 * i }));
      const found = t % 30 > 3; // the hand is missing now and then
      const shown = body.map((joint, i) => (i === wrist && !found ? { ...joint, x: joint.x + 0.03 } : joint));
      return [{ body: shown, leftHand: null, rightHand: found ? hand : null, face: null }];
    });
    const smooth = smoothPoses(sequence(frames), { strength: 0.5 });
    for (const t of times.slice(4)) {
      const { body, rightHand } = person(smooth, t);
      expect(rightHand?.[0]?.x, `frame ${t}`).toBeCloseTo(body[wrist]?.x as number, 6);
      expect(rightHand?.[0]?.y).toBeCloseTo(body[wrist]?.y as number, 6);
    }
  });

  test('strength 0 changes nothing; several people are refused', () => {
    const clip = sequence([[figure(0.2), figure(0.8)]]);
    expect(smoothPoses(clip, { strength: 0 })).toBe(clip);
    expect(() => smoothPoses(clip, { strength: 0.5 })).toThrow(/one person/);
  });
});

describe('localFit', () => {
  const noisy = (sigma: number, seed: number, place: (t: number) => number) => {
    const uniform = random(seed);
    return times.map((t) => ({ x: place(t) + sigma * normal(uniform), y: sigma * normal(uniform), weight: 1 }));
  };

  test('noise is estimated within a quarter, whatever parabola it rides on', () => {
    for (const place of [() => 0, (t: number) => 0.01 * t, (t: number) => 0.0003 * (t - 60) ** 2])
      expect(noiseOf(noisy(0.01, 9, place)) / 0.01).toBeGreaterThan(0.75);
    for (const place of [() => 0, (t: number) => 0.01 * t, (t: number) => 0.0003 * (t - 60) ** 2])
      expect(noiseOf(noisy(0.01, 9, place)) / 0.01).toBeLessThan(1.25);
  });

  test('points of little weight hardly count', () => {
    const track = times.map((t) => (t % 7 === 3 ? { x: 0.02, y: 0, weight: 0.01 } : { x: 0, y: 0, weight: 1 }));
    expect(Math.abs(localFit(track, 8, 1)[60]?.x ?? 1)).toBeLessThan(0.002);
  });

  test('a slip of one frame is put back, a step is not', () => {
    const still = noisy(0.001, 10, () => 0);
    const slipped = still.map((point, t) => (t === 60 ? { ...point, x: 0.05 } : point));
    expect(Math.abs(localFit(slipped, 8, 1)[60]?.x ?? 1)).toBeLessThan(0.002);
    const stepped = still.map((point, t) => (t >= 60 ? { ...point, x: point.x + 0.05 } : point));
    const fitted = localFit(stepped, 8, 1);
    times.forEach((t) => {
      expect(Math.abs((fitted[t]?.x as number) - (t >= 60 ? 0.05 : 0))).toBeLessThan(0.005);
    });
  });

  test('a point alone stays where it is', () => {
    const track = times.map((t) => (t === 50 ? { x: 0.5, y: 0.25, weight: 1 } : undefined));
    expect(localFit(track, 8, 1)).toEqual(track);
  });
});
