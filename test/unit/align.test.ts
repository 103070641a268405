import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { alignPoses } from '#dist/stages/pose/align.js';
import { posesFromPublished } from '#dist/stages/pose/published-pose.js';
import type { Keypoint, Person, PoseFrame, PoseSequence } from '#dist/stages/types.js';

const folder = new URL('../fixtures/pose/', import.meta.url);
const published = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, data: posesFromPublished(JSON.parse(readFileSync(new URL(name, folder), 'utf8')), name) }));

/** A standing figure in units of its own height, feet at y = 1. */
// biome-ignore format: a table
const figure: readonly (readonly [number, number])[] = [
  [0, 0.08], [0, 0.18], [-0.1, 0.18], [-0.14, 0.34], [-0.15, 0.48], [0.1, 0.18], [0.14, 0.34], [0.15, 0.48],
  [-0.06, 0.5], [-0.07, 0.74], [-0.07, 1], [0.06, 0.5], [0.07, 0.74], [0.07, 1],
  [-0.015, 0.065], [0.015, 0.065], [-0.035, 0.075], [0.035, 0.075],
];

type Stance = { x: number; top: number; tall: number; hidden?: readonly number[]; score?: number };

/** The figure in a picture of width x height pixels: `tall` pixels high, head at pixel row `top`, centred on column x. */
function stand(width: number, height: number, { x, top, tall, hidden = [], score = 0.9 }: Stance): Person {
  const point = ([fx, fy]: readonly [number, number], joint: number): Keypoint => ({
    x: (x + fx * tall) / width,
    y: (top + fy * tall) / height,
    score: hidden.includes(joint) ? 0.1 : score,
  });
  return { body: figure.map(point), leftHand: null, rightHand: null, face: null };
}

const size = { width: 640, height: 360 };
const output = { width: 576, height: 1024 };

function clip(frames: readonly (readonly Person[])[]): PoseSequence {
  return {
    version: 1,
    ...size,
    frameRate: { num: 30, den: 1 },
    detector: 'test',
    frames: frames.map((people) => ({ people })),
  };
}

const driver = (stance: Partial<Stance> = {}) =>
  stand(size.width, size.height, { x: 320, top: 60, tall: 200, ...stance });
const character = (stance: Partial<Stance> = {}) => ({
  ...output,
  people: [stand(output.width, output.height, { x: 288, top: 112, tall: 800, ...stance })],
});

/** Greatest distance in pixels between joints of two people. */
function distance(a: Person, b: Person): number {
  return Math.max(
    ...a.body.map(({ x, y }, i) => Math.hypot((x - b.body[i]!.x) * output.width, (y - b.body[i]!.y) * output.height)),
  );
}

const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof PantomimeError) return error.code;
    throw error;
  }
  return 'nothing thrown';
};

describe('reference alignment equals the published fit', () => {
  for (const { name, data } of published) {
    it(`${name}: every keypoint within 1e-6`, () => {
      const { sequence } = alignPoses({ mode: 'reference', reference: data.reference, driving: data.driving });
      expect(sequence.frames.length).toBe(data.aligned.length);
      let points = 0;
      const compare = (got: readonly Keypoint[] | null, want: readonly Keypoint[] | null) =>
        want!.forEach((point, i) => {
          points++;
          expect(Math.abs(got![i]!.x - point.x)).toBeLessThan(1e-6);
          expect(Math.abs(got![i]!.y - point.y)).toBeLessThan(1e-6);
          expect(got![i]!.score).toBe(point.score);
        });
      data.aligned.forEach(({ people }, frame) => {
        people.forEach((want, i) => {
          const got = sequence.frames[frame]!.people[i]!;
          for (const part of ['body', 'leftHand', 'rightHand', 'face'] as const) compare(got[part], want[part]);
        });
      });
      expect(points).toBe(128 * data.aligned.length);
    });
  }

  it('keeps the sample stride of the recorded case', () => {
    const { data } = published.find(({ name }) => name.startsWith('landscape'))!;
    expect(data.sampleStride).toBe(3);
    expect(data.driving.frames.length).toBe(2);
  });
});

describe('where the published fit fails', () => {
  const bystander = driver({ x: 560, tall: 100 });

  it('no frame with exactly one person: an error there, a fit here', () => {
    const driving = clip([
      [driver(), bystander],
      [driver(), bystander],
    ]);
    const run = () => alignPoses({ mode: 'reference', reference: character(), driving });
    expect(codeOf(run)).toBe('pose.align-no-single-person');
    const { sequence, notes } = alignPoses({ mode: 'robust', reference: character(), driving });
    expect(distance(sequence.frames[0]!.people[0]!, character().people[0]!)).toBeLessThan(1e-6);
    expect(notes.join()).toContain('Several people in 2 of 2 driving frames');
  });

  it('no fitted joint visible in the reference: an error there, a noted fall-back here', () => {
    const all = Array.from({ length: 18 }, (_, joint) => joint);
    const armsOnly = character({ hidden: all.filter((joint) => ![3, 4, 6, 7].includes(joint)) });
    const driving = clip([[driver()]]);
    const run = () => alignPoses({ mode: 'reference', reference: armsOnly, driving });
    expect(codeOf(run)).toBe('pose.align-no-reference-joint');
    const { transform, notes, sequence } = alignPoses({ mode: 'robust', reference: armsOnly, driving });
    expect(transform.basis).toBe('body-box');
    expect(transform.scale).toBeCloseTo(4, 9);
    expect(notes.length).toBe(1);
    expect(distance(sequence.frames[0]!.people[0]!, armsOnly.people[0]!)).toBeLessThan(1e-6);
  });

  it('nobody in the reference, or in the video: errors there, the picture laid over here', () => {
    const nobody = { ...output, people: [] };
    const driving = clip([[driver()]]);
    expect(codeOf(() => alignPoses({ mode: 'reference', reference: nobody, driving }))).toBe(
      'pose.align-no-reference-joint',
    );
    expect(codeOf(() => alignPoses({ mode: 'reference', reference: character(), driving: clip([[]]) }))).toBe(
      'pose.align-no-single-person',
    );
    for (const input of [
      { reference: nobody, driving },
      { reference: character(), driving: clip([[]]) },
    ]) {
      const { transform, notes } = alignPoses({ mode: 'robust', ...input });
      expect(transform.basis).toBe('cover');
      expect(notes.length).toBe(1);
    }
  });

  it('one joint at one height: the smallest solution there, as polyfit has it; nothing collapses here', () => {
    const nose = character({ hidden: Array.from({ length: 17 }, (_, i) => i + 1) });
    const { transform } = alignPoses({ mode: 'reference', reference: nose, driving: clip([[driver()]]) });
    const target = nose.people[0]!.body[0]!.y;
    const source = driver().body[0]!.y;
    expect(transform.ay).toBeCloseTo(target / (2 * source), 12);
    expect(transform.by).toBeCloseTo(target / 2, 12);
    const robust = alignPoses({ mode: 'robust', reference: nose, driving: clip([[driver()]]) });
    expect(robust.transform.basis).toBe('cover');
  });

  it('an upside-down driver: a negative scale there, upright here', () => {
    const flipped = { ...driver(), body: driver().body.map((point) => ({ ...point, y: 1 - point.y })) };
    const driving = clip([[flipped]]);
    const there = alignPoses({ mode: 'reference', reference: character(), driving });
    expect(there.transform.ay).toBeLessThan(0);
    expect(there.notes.length).toBe(1);
    const here = alignPoses({ mode: 'robust', reference: character(), driving });
    expect(here.transform.scale).toBeCloseTo(4, 9);
    expect(here.transform.basis).toBe('torso');
  });

  it('a half-body reference: fitted by shoulders and head at the right size', () => {
    const portrait = character({ tall: 1600, top: 200, hidden: [8, 9, 10, 11, 12, 13] });
    const { transform, notes } = alignPoses({ mode: 'robust', reference: portrait, driving: clip([[driver()]]) });
    expect(transform.basis).toBe('shoulders-head');
    expect(transform.scale).toBeCloseTo(8, 9);
    expect(notes.join()).toContain('shoulders and head');
  });

  it('a bystander in some frames: drawn there, left out here, kept when asked', () => {
    const walk = (frame: number) => driver({ x: 200 + 20 * frame });
    const driving = clip(
      Array.from({ length: 9 }, (_, frame) => (frame < 3 ? [walk(frame)] : [bystander, walk(frame)])),
    );
    const there = alignPoses({ mode: 'reference', reference: character(), driving });
    expect(there.sequence.frames[5]!.people.length).toBe(2);
    const here = alignPoses({ mode: 'robust', reference: character(), driving });
    expect(here.sequence.frames.map(({ people }) => people.length)).toEqual(Array(9).fill(1));
    expect(here.transform.scale).toBeCloseTo(4, 9);
    const all = alignPoses({ mode: 'robust', reference: character(), driving, keep: 'all' });
    expect(all.sequence.frames[5]!.people.length).toBe(2);
    const steps = here.sequence.frames.map(({ people }) => people[0]!.body[0]!.x * output.width);
    expect(steps[8]! - steps[0]!).toBeCloseTo(8 * 20 * 4, 6);
  });

  it('a bystander alone in a frame is not the subject', () => {
    const driving = clip([[driver({ x: 150 }), bystander], [bystander], [driver({ x: 155 })]]);
    const { sequence } = alignPoses({ mode: 'robust', reference: character(), driving });
    expect(sequence.frames.map(({ people }) => people.length)).toEqual([1, 0, 1]);
  });

  it('a jumping driver: shrunk there (regression dilution), true to size here', () => {
    const jump = [0, 0, 40, 80, 40, 0, 0, 40, 80, 40, 0, 0];
    const driving = clip(jump.map((up) => [driver({ top: 100 - up })]));
    const there = alignPoses({ mode: 'reference', reference: character(), driving });
    expect(there.transform.scale).toBeLessThan(3.6);
    const here = alignPoses({ mode: 'robust', reference: character(), driving });
    expect(here.transform.scale).toBeCloseTo(4, 9);
    const heads = here.sequence.frames.map(({ people }) => people[0]!.body[0]!.y * output.height);
    expect(heads[0]! - heads[3]!).toBeCloseTo(80 * 4, 6);
  });

  it('misdetections in under half of the frames, unsure joints: no pull on the robust fit', () => {
    const broken = driver({ x: 40, top: 5, tall: 30 });
    const astray = driver({ hidden: [8] });
    const unsure = { ...astray, body: astray.body.map((p, j) => (j === 8 ? { ...p, x: 3, y: -2 } : p)) };
    const driving = clip([[broken], [unsure], [driver()], [broken], [driver()], [unsure], [driver()]]);
    const { transform } = alignPoses({ mode: 'robust', reference: character(), driving });
    expect(transform.scale).toBeCloseTo(4, 9);
    expect(
      Math.abs(alignPoses({ mode: 'reference', reference: character(), driving }).transform.scale - 4),
    ).toBeGreaterThan(0.2);
  });
});

describe('mode none', () => {
  it('keeps coordinates for equal aspect, proportions for others', () => {
    const frame: PoseFrame = { people: [driver()] };
    const driving = { ...clip([]), frames: [frame] };
    const same = alignPoses({ mode: 'none', reference: { width: 1280, height: 720, people: [] }, driving });
    same.sequence.frames[0]!.people[0]!.body.forEach(({ x, y }, joint) => {
      expect(x).toBeCloseTo(frame.people[0]!.body[joint]!.x, 12);
      expect(y).toBeCloseTo(frame.people[0]!.body[joint]!.y, 12);
    });
    const { transform } = alignPoses({ mode: 'none', reference: character(), driving });
    expect((transform.ax * output.width) / size.width).toBeCloseTo((transform.ay * output.height) / size.height, 12);
    expect(0.5 * transform.ax + transform.bx).toBeCloseTo(0.5, 12);
  });
});

describe('published pose format', () => {
  it('refuses other JSON with its place', () => {
    for (const bad of [null, [], {}, { reference: { width: -1, height: 2, pose: {} }, driving: {} }]) {
      expect(codeOf(() => posesFromPublished(bad))).toBe('pose.published-format');
    }
  });
});

it('an unusual change of size is reported, whatever the sizes of the two pictures', () => {
  const small = { width: 72, height: 128 };
  const shrunk = (tall: number) => ({ ...small, people: [stand(72, 128, { x: 36, top: 8, tall })] });
  const landscape = clip([[driver()]]);
  // The same figure in a small picture is nothing special; one that is a tenth of it is.
  expect(alignPoses({ mode: 'robust', reference: shrunk(80), driving: landscape }).notes).toEqual([]);
  expect(alignPoses({ mode: 'robust', reference: shrunk(8), driving: landscape }).notes).toEqual([
    expect.stringMatching(/0\.11 times as large/),
  ]);
});
