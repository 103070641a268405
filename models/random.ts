import { createHash } from 'node:crypto';

import type { FloatTensor } from './tensor.js';
import { floatTensor, sizeOf } from './tensor.js';

/**
 * Noise that depends on nothing but its address: a seed, the name of a stream and an index inside it. Frame k of a clip
 * has the same noise however many frames there are and in whatever order they are asked for.
 */
export type Random = {
  /** `count` doubles in [0, 1) belonging to `index`. */
  uniforms(index: number, count: number): Float64Array;
  /** `count` standard normals belonging to `index`. */
  normals(index: number, count: number): Float32Array;
};

/**
 * Counter-based generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). Key and
 * upper half of the counter come from SHA-256 of seed and stream, so streams of one seed are independent; 7 and '7' are
 * the same seed. Normals are by Box-Muller in double precision, rounded to float32 at the end. Only arithmetic that
 * IEEE 754 defines to the last bit is used (not Math.log, Math.cos), so every machine gives the same numbers.
 */
export function createRandom(seed: string | number, stream: string): Random {
  const hash = createHash('sha256')
    .update(JSON.stringify([String(seed), stream]))
    .digest();
  const key = [hash.readUInt32LE(0), hash.readUInt32LE(4)] as const;
  const salt = [hash.readUInt32LE(8), hash.readUInt32LE(12)] as const;
  const block = new Uint32Array(4);

  /** Calls `take` with two numbers in [0, 1) of 53 bits for every pair of the `count` values. */
  const eachPair = (index: number, count: number, take: (at: number, u: number, v: number) => void): void => {
    if (!Number.isInteger(index) || index < 0 || index > 0xffff_ffff) throw new RangeError(`No such index: ${index}`);
    for (let at = 0; at < count; at += 2) {
      block.set([at / 2, index, salt[0], salt[1]]);
      philox(block, key[0], key[1]);
      take(at, toUnit(block[0] as number, block[1] as number), toUnit(block[2] as number, block[3] as number));
    }
  };

  return {
    uniforms(index, count) {
      const values = new Float64Array(count);
      eachPair(index, count, (at, u, v) => {
        values[at] = u;
        if (at + 1 < count) values[at + 1] = v;
      });
      return values;
    },
    normals(index, count) {
      const values = new Float32Array(count);
      eachPair(index, count, (at, u, v) => {
        const radius = Math.sqrt(-2 * logarithm(1 - u));
        const [cosine, sine] = cosSinOfTurn(v);
        values[at] = radius * cosine;
        if (at + 1 < count) values[at + 1] = radius * sine;
      });
      return values;
    },
  };
}

/**
 * Standard normals [frames, ...shape] of `stream`: row i holds the noise of frame `firstFrame + i`.
 */
export function frameNormals(
  seed: string | number,
  stream: string,
  frames: number,
  shape: readonly number[],
  firstFrame = 0,
): FloatTensor {
  const random = createRandom(seed, stream);
  const size = sizeOf(shape);
  const noise = floatTensor([frames, ...shape]);
  for (let i = 0; i < frames; i++) noise.data.set(random.normals(firstFrame + i, size), i * size);
  return noise;
}

/** Ten rounds of Philox over the counter in `block`, in place. Exported for its published test vectors. */
export function philox(block: Uint32Array, key0: number, key1: number): void {
  let [a, b, c, d] = block as unknown as [number, number, number, number];
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd251_1f53, a);
    const low0 = Math.imul(0xd251_1f53, a);
    const high1 = multiplyHigh(0xcd9e_8d57, c);
    const low1 = Math.imul(0xcd9e_8d57, c);
    a = (high1 ^ b ^ key0) >>> 0;
    b = low1 >>> 0;
    c = (high0 ^ d ^ key1) >>> 0;
    d = low0 >>> 0;
    key0 = (key0 + 0x9e37_79b9) >>> 0;
    key1 = (key1 + 0xbb67_ae85) >>> 0;
  }
  block[0] = a;
  block[1] = b;
  block[2] = c;
  block[3] = d;
}

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(x: number, y: number): number {
  const xLow = x & 0xffff;
  const xHigh = x >>> 16;
  const yLow = y & 0xffff;
  const yHigh = y >>> 16;
  const middle = xHigh * yLow + ((xLow * yLow) >>> 16);
  const carry = xLow * yHigh + (middle % 0x1_0000);
  return (xHigh * yHigh + Math.floor(middle / 0x1_0000) + Math.floor(carry / 0x1_0000)) >>> 0;
}

function toUnit(high: number, low: number): number {
  return ((high >>> 5) * 0x400_0000 + (low >>> 6)) * 2 ** -53;
}

/** Natural logarithm of x in (0, 1]: x = m 2^e with m near 1, then the series of artanh((m - 1) / (m + 1)). */
export function logarithm(x: number): number {
  let mantissa = x;
  let exponent = 0;
  // Powers of two are exact, so these loops lose nothing.
  for (; mantissa < 2 ** -16; exponent -= 16) mantissa *= 2 ** 16;
  for (; mantissa < Math.SQRT1_2; exponent -= 1) mantissa *= 2;
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let k = 25; k >= 1; k -= 2) series = series * square + 1 / k;
  return 2 * s * series + exponent * Math.LN2;
}

/** Cosine and sine of `turn` in [0, 1) full turns: the nearest quarter turn is taken off, then Taylor series. */
export function cosSinOfTurn(turn: number): readonly [number, number] {
  const quarter = Math.floor(turn * 4 + 0.5);
  const angle = (turn - quarter / 4) * (2 * Math.PI);
  const square = angle * angle;
  let cosine = 0;
  let sine = 0;
  for (let k = 18; k >= 2; k -= 2) {
    cosine = (1 + cosine) * (-square / (k * (k - 1)));
    sine = (1 + sine) * (-square / (k * (k + 1)));
  }
  cosine += 1;
  sine = (1 + sine) * angle;
  switch (quarter % 4) {
    case 1:
      return [-sine, cosine];
    case 2:
      return [-cosine, -sine];
    case 3:
      return [sine, -cosine];
    default:
      return [cosine, sine];
  }
}
