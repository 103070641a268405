import type { Keypoint, Person, PoseSequence } from '#dist/stages/types.js';

/** Joints of a standing figure about its middle: x in heights to the image's right, y in heights downwards. */
const shape: readonly (readonly [number, number])[] = [
  ...([
    [0, -0.42],
    [0, -0.32],
    [-0.1, -0.32],
    [-0.14, -0.17],
    [-0.15, -0.02],
  ] as const),
  ...([
    [0.1, -0.32],
    [0.14, -0.17],
    [0.15, -0.02],
    [-0.06, 0],
    [-0.07, 0.24],
    [-0.07, 0.48],
  ] as const),
  ...([
    [0.06, 0],
    [0.07, 0.24],
    [0.07, 0.48],
    [-0.02, -0.45],
    [0.02, -0.45],
    [-0.05, -0.43],
    [0.05, -0.43],
  ] as const),
];

/** A figure of `height` about (x, y) in a square picture, its arms and legs swung by `swing`. */
export function figure(x: number, y = 0.5, height = 0.6, swing = 0): Person {
  const moving = new Set([3, 4, 6, 7, 9, 10, 12, 13]);
  const body = shape.map(
    ([dx, dy], i): Keypoint => ({
      x: x + height * (dx + (moving.has(i) ? 0.05 * Math.sin(swing + i) : 0)),
      y: y + height * dy,
      score: 0.9,
    }),
  );
  return { body, leftHand: null, rightHand: null, face: null };
}

/** A square 30 fps sequence of these people. */
export function sequence(frames: readonly (readonly Person[])[]): PoseSequence {
  return {
    version: 1,
    width: 512,
    height: 512,
    frameRate: { num: 30, den: 1 },
    detector: 'test',
    frames: frames.map((people) => ({ people })),
  };
}

/** Mean x of a figure's body. */
export function middleX(person: Person | undefined): number {
  if (!person) return Number.NaN;
  return person.body.reduce((sum, { x }) => sum + x, 0) / person.body.length;
}

/** Repeatable numbers in 0..1 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers from uniform ones. */
export function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
