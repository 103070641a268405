import { describe, expect, it } from 'vitest';
import { formatRational, nearestCommonRate, parseRational, rational, toNumber } from '#dist/stages/ffmpeg/rational.js';

describe('rational', () => {
  it('is in lowest terms and positive', () => {
    expect(rational(60000, 2002)).toEqual({ num: 30000, den: 1001 });
    expect(rational(24)).toEqual({ num: 24, den: 1 });
    for (const [num, den] of [
      [0, 1],
      [1, 0],
      [-1, 2],
      [1.5, 1],
      [Number.NaN, 1],
      [2 ** 60, 1],
    ] as const) {
      expect(() => rational(num, den)).toThrow(RangeError);
    }
  });

  it('reads what people and ffmpeg write', () => {
    expect(parseRational('30000/1001')).toEqual({ num: 30000, den: 1001 });
    expect(parseRational('29.97')).toEqual({ num: 2997, den: 100 });
    expect(parseRational('4:3')).toEqual({ num: 4, den: 3 });
    expect(parseRational(' 25 ')).toEqual({ num: 25, den: 1 });
    for (const text of ['0/0', '0/1', '', undefined, 'N/A', '-25', '1/0', '1e3', '99999999999999999999']) {
      expect(parseRational(text)).toBeUndefined();
    }
    expect(formatRational({ num: 24000, den: 1001 })).toBe('24000/1001');
  });

  it('finds the rate that was meant', () => {
    expect(nearestCommonRate(29.9, 0.02)).toEqual({ num: 30000, den: 1001 });
    expect(nearestCommonRate(30.1, 0.02)).toEqual({ num: 30, den: 1 });
    expect(nearestCommonRate(23.9, 0.02)).toEqual({ num: 24000, den: 1001 });
    expect(toNumber(nearestCommonRate(7.3, 0.02))).toBeCloseTo(7.3, 9);
    expect(toNumber(nearestCommonRate(0.0001, 0.02))).toBe(0.001);
  });
});
