import { describe, expect, it } from 'vitest';
import {
  bfloatsToFloats,
  bfloatToFloat,
  floatsToBfloats,
  floatsToHalves,
  floatToBfloat,
  floatToHalf,
  halfToFloat,
  halvesToFloats,
} from '#dist/models/half.js';

/** Every 16-bit pattern. */
const patterns = Uint16Array.from({ length: 0x1_0000 }, (_, bits) => bits);

/** The value of a format with `exponentBits`, straight from its definition. */
function defined(bits: number, exponentBits: number): number {
  const mantissaBits = 15 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> mantissaBits;
  const fraction = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

function nextFloat(value: number, direction: 1 | -1): number {
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = value;
  bits[0] = bits[0]! + direction;
  return float[0]!;
}

const formats = [
  {
    name: 'float16',
    exponentBits: 5,
    toFloat: halfToFloat,
    fromFloat: floatToHalf,
    all: halvesToFloats,
    back: floatsToHalves,
  },
  {
    name: 'bfloat16',
    exponentBits: 8,
    toFloat: bfloatToFloat,
    fromFloat: floatToBfloat,
    all: bfloatsToFloats,
    back: floatsToBfloats,
  },
];

describe.each(formats)('$name', ({ exponentBits, toFloat, fromFloat, all, back }) => {
  it('decodes all 65,536 patterns to the value the format defines', () => {
    const values = all(patterns);
    const wrong = patterns.filter(
      (bits) =>
        !Object.is(values[bits], Math.fround(defined(bits, exponentBits))) || !Object.is(toFloat(bits), values[bits]),
    );
    expect(wrong).toHaveLength(0);
  });

  it('encodes every decoded value back to its pattern, and NaN to a NaN of the same sign', () => {
    const encoded = back(all(patterns));
    const wrong = patterns.filter((bits) => {
      if (!Number.isNaN(defined(bits, exponentBits))) return encoded[bits] !== bits;
      return !Number.isNaN(defined(encoded[bits]!, exponentBits));
    });
    expect(wrong).toHaveLength(0);
  });

  it('rounds between every two neighbours to the nearer, ties to even', () => {
    const wrong: number[] = [];
    const largest = 0x7fff - 2 ** (15 - exponentBits);
    for (let bits = 0; bits < largest; bits++) {
      const low = defined(bits, exponentBits);
      const high = defined(bits + 1, exponentBits);
      const middle = (low + high) / 2;
      // The middle of two subnormal bfloat16 is a float32 too: 16 bits of mantissa are left.
      if (fromFloat(middle) !== (bits % 2 === 0 ? bits : bits + 1)) wrong.push(bits);
      if (fromFloat(nextFloat(middle, -1)) !== bits || fromFloat(nextFloat(middle, 1)) !== bits + 1) wrong.push(bits);
      if (fromFloat(-middle) !== (0x8000 | (bits % 2 === 0 ? bits : bits + 1))) wrong.push(bits);
    }
    expect(wrong).toHaveLength(0);
  });
});

it('overflows to infinity exactly from 65520 on', () => {
  expect(floatToHalf(65519.99)).toBe(0x7bff);
  expect(floatToHalf(65520)).toBe(0x7c00);
  expect(floatToHalf(-1e30)).toBe(0xfc00);
});

it('rounds a double once, not by way of float32', () => {
  // One side of the tie between 1 and the next half; float32 would fall on the tie and go to the even neighbour.
  expect(floatToHalf(1 + 2 ** -11 + 2 ** -40)).toBe(0x3c01);
  expect(floatToHalf(1 + 3 * 2 ** -11 - 2 ** -40)).toBe(0x3c01);
  expect(floatToHalf(-(1 + 2 ** -11 + 2 ** -40))).toBe(0xbc01);
});
