import { drawCast } from '#dist/samples/cast/draw.js';
import { castMember } from '#dist/samples/cast/member.js';
import { castMotion } from '#dist/samples/cast/motion.js';
import { castPerson } from '#dist/samples/cast/person.js';
import { type ClipFrame, type ClipMetricsOptions, clipMetrics } from '#dist/stages/quality/clip-metrics.js';
import type { Person, RgbImage } from '#dist/stages/types.js';
import { castRate, firstUnseenSeed } from './cast-clip.js';

/** A drawn frame of a clip, what was asked for and what a perfect detector finds in it. */
export type Shot = { readonly image: RgbImage; readonly pose: Person; readonly found: Person };

type DrawnPose = ReturnType<ReturnType<typeof castMotion>>;

const size = { width: 64, height: 96 };
const count = 48;

/**
 * Windows meet at no regular distance here, so that what happens at joints is not periodic, and what is periodic does not
 * happen at joints. Each pair of joints has frames of two windows between.
 */
export const layout: ClipMetricsOptions = {
  framesPerSec: castRate,
  joints: [8, 13, 20, 24, 31, 37],
  shared: [8, 9, 10, 11, 12, 20, 21, 22, 23, 31, 32, 33, 34, 35, 36],
  windowPeriod: 9,
  decodePeriod: 4,
};

/** A character in motion; the drawing of frame `t` may be changed in place (pixels to the right) and pose. */
function draw(seed: number, right: (t: number) => number, repose: (pose: DrawnPose) => DrawnPose): Shot[] {
  const member = castMember(seed);
  const motion = castMotion(seed);
  return Array.from({ length: count }, (_, t) => {
    const asked = motion(t / castRate);
    const placement = { ...member.placement, x: member.placement.x + right(t) / size.width };
    const drawn = { ...size, placement };
    const pose = repose(asked);
    return {
      image: drawCast(member, pose, drawn).image,
      pose: castPerson(member, asked, size),
      found: castPerson(member, pose, drawn),
    };
  });
}

const seed = firstUnseenSeed;
const still = () => 0;

/** The clip without a defect. */
export const cleanClip: readonly Shot[] = draw(seed, still, (pose) => pose);

/** How many joints lie at or before the frame: which window it is of. */
const windowOf = (t: number): number => layout.joints.filter((joint) => joint <= t).length;

/** A number from -1 to 1 that only the indices decide (a multiply-and-shift hash). */
function chance(...indices: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const index of indices) {
    hash = Math.imul(hash ^ (index + 0x7f4a7c15), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  return (Math.imul(hash, 0xc2b2ae35) >>> 8) / 2 ** 23 - 1;
}

/**
 * Adds levels to every value of a frame. Fractions are dithered with a pattern that is the same in every frame, so that a slow
 * change does not come in jumps, and adding nothing changes nothing.
 */
function brightened(shots: readonly Shot[], by: (t: number, x: number, y: number, channel: number) => number): Shot[] {
  return shots.map((shot, t) => {
    const data = shot.image.data.map((value, i) => {
      const pixel = Math.floor(i / 3);
      const [x, y] = [pixel % size.width, Math.floor(pixel / size.width)];
      const dither = (chance(x, y, i % 3) + 1) / 2;
      return Math.max(0, Math.min(255, Math.floor(value + by(t, x, y, i % 3) + dither)));
    });
    return { ...shot, image: { ...size, data } };
  });
}

/** Patches of 16 pixels, new in each frame, that pass smoothly into each other: -1..1. */
function patches(t: number, x: number, y: number): number {
  const [u, v] = [x / 16, y / 16];
  const [i, j] = [Math.floor(u), Math.floor(v)];
  const ease = (s: number) => s * s * (3 - 2 * s);
  const [a, b] = [ease(u - i), ease(v - j)];
  const upper = chance(t, i, j) * (1 - a) + chance(t, i + 1, j) * a;
  const lower = chance(t, i, j + 1) * (1 - a) + chance(t, i + 1, j + 1) * a;
  return upper * (1 - b) + lower * b;
}

function blurred({ data }: RgbImage, deviation: number): RgbImage {
  const reach = Math.ceil(3 * deviation);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-((k - reach) ** 2) / (2 * deviation ** 2)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const inside = (value: number, end: number) => Math.max(0, Math.min(end - 1, value));
  const along = (from: ArrayLike<number>, dx: number, dy: number): Float64Array =>
    Float64Array.from({ length: data.length }, (_, i) => {
      const pixel = Math.floor(i / 3);
      const [x, y] = [pixel % size.width, Math.floor(pixel / size.width)];
      let sum = 0;
      for (const [k, weight] of weights.entries()) {
        const [column, row] = [inside(x + dx * (k - reach), size.width), inside(y + dy * (k - reach), size.height)];
        sum += weight * (from[(row * size.width + column) * 3 + (i % 3)] as number);
      }
      return sum / total;
    });
  return { ...size, data: Uint8Array.from(along(along(data, 1, 0), 0, 1), Math.round) };
}

/** Both arms turned in the picture's plane. */
function armsTurned(pose: DrawnPose, degrees: number): DrawnPose {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const turned = ([x, y, z]: readonly [number, number, number]) => [cos * x - sin * y, sin * x + cos * y, z] as const;
  const arm = (of: DrawnPose['leftArm']) => ({ ...of, upper: turned(of.upper), fore: turned(of.fore) });
  return { ...pose, leftArm: arm(pose.leftArm), rightArm: arm(pose.rightArm) };
}

/** The shots for which it says so, blurred. */
const blurOf = (which: (t: number) => boolean) => (deviation: number) =>
  cleanClip.map((shot, t) => (which(t) ? { ...shot, image: blurred(shot.image, deviation) } : shot));

/** Clips with one defect of a known size each; what the size is of is said at each. */
export const defects = {
  /** Pixels by which the figure jumps at each joint, to and fro. */
  'jump of the figure': (pixels: number) =>
    draw(
      seed,
      (t) => (windowOf(t) % 2 ? pixels / 2 : -pixels / 2),
      (p) => p,
    ),
  /** Levels by which the brightness jumps at each joint, up and down. */
  'jump of brightness': (levels: number) => brightened(cleanClip, (t) => (windowOf(t) % 2 ? levels / 2 : -levels / 2)),
  /** Levels by which one frame in nine, the window period, is brighter. */
  'beat of windows': (levels: number) => brightened(cleanClip, (t) => (t % 9 === 5 ? levels : 0)),
  /** Levels between one decoded chunk of four frames and the next. */
  'steps of decoding': (levels: number) =>
    brightened(cleanClip, (t) => (Math.floor((t + 2) / 4) % 2 ? levels / 2 : -levels / 2)),
  /** Levels of patches that are new in each frame. */
  flicker: (levels: number) => brightened(cleanClip, (t, x, y) => levels * patches(t, x, y)),
  /** Levels by which red has risen and blue has fallen at the end. */
  drift: (levels: number) => brightened(cleanClip, (t, _x, _y, channel) => ((1 - channel) * levels * t) / (count - 1)),
  /** Deviation in pixels of a blur of the frames that windows share. */
  blur: blurOf((t) => layout.shared.includes(t)),
  /** Degrees by which both arms are turned. */
  'wrong pose': (degrees: number) => draw(seed, still, (pose) => armsTurned(pose, degrees)),
} as const satisfies Readonly<Record<string, (size: number) => readonly Shot[]>>;

export type Defect = keyof typeof defects;

/** What the collector says of a clip, in self-reenactment against the clean one. */
export function measured(shots: readonly Shot[], options: ClipMetricsOptions = layout) {
  const collector = clipMetrics(options);
  shots.forEach((shot, t) => {
    const frame: ClipFrame = { ...shot, truth: cleanClip[t]!.image };
    collector.add(frame);
  });
  return collector.result();
}
