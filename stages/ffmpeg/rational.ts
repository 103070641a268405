import type { Rational } from '../types.js';

/** `num / den` in lowest terms. Throws RangeError unless both are positive whole numbers. */
export function rational(num: number, den = 1): Rational {
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den) || num <= 0 || den <= 0) {
    throw new RangeError(`${num}/${den} is not a positive fraction`);
  }
  const divisor = greatestCommonDivisor(num, den);
  return { num: num / divisor, den: den / divisor };
}

/** Read `30000/1001`, `25` or `29.97`; undefined when it is no positive number. */
export function parseRational(text: string | undefined): Rational | undefined {
  const match = /^\s*(\d+(?:\.\d{1,6})?)\s*(?:[/:]\s*(\d+))?\s*$/.exec(text ?? '');
  if (!match) return undefined;
  const [whole = '', fraction = ''] = (match[1] ?? '').split('.');
  const scale = 10 ** fraction.length;
  const num = Number(whole + fraction);
  const den = Number(match[2] ?? 1) * scale;
  return num > 0 && den > 0 && Number.isSafeInteger(num) && Number.isSafeInteger(den) ? rational(num, den) : undefined;
}

/** The fraction as a double, for estimates and messages only. */
export function toNumber({ num, den }: Rational): number {
  return num / den;
}

/** As ffmpeg reads it: `30000/1001`. */
export function formatRational({ num, den }: Rational): string {
  return `${num}/${den}`;
}

/** Rates that cameras and editors write; NTSC ones are exact. */
const commonRates: readonly Rational[] = [
  [12, 1],
  [15000, 1001],
  [15, 1],
  [24000, 1001],
  [24, 1],
  [25, 1],
  [30000, 1001],
  [30, 1],
  [48, 1],
  [50, 1],
  [60000, 1001],
  [60, 1],
  [120000, 1001],
  [120, 1],
].map(([num = 1, den = 1]) => ({ num, den }));

/** The common rate nearest to `rate` (frames per second) within `tolerance` (relative), else a fraction of at most 1/1000. */
export function nearestCommonRate(rate: number, tolerance: number): Rational {
  const off = (candidate: Rational) => Math.abs(toNumber(candidate) / rate - 1);
  const best = commonRates.reduce((a, b) => (off(b) < off(a) ? b : a));
  return off(best) <= tolerance ? best : rational(Math.max(1, Math.round(rate * 1000)), 1000);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
