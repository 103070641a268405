import { z } from 'zod';
import { rational } from '../../stages/ffmpeg/rational.js';
import type { Rational } from '../../stages/types.js';

const timecode = /^(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)$/;

/** A time in seconds: a number, or text as `1:02.5` or `0:01:02.5`. */
export const seconds = z.union([
  z.number().min(0).max(360_000),
  z.string().max(32).regex(timecode).transform(parseTimecode),
]);

function parseTimecode(value: string): number {
  const [, hours = '0', minutes = '0', rest = '0'] = timecode.exec(value) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
}

/** A frame rate: a number such as `29.97`, or an exact fraction such as `30000/1001`. Becomes `{ num, den }` in lowest terms. */
export const rate = z.union([
  z.number().min(0.01).max(1000).transform(rationalFromNumber),
  z
    .string()
    .max(32)
    .regex(/^[1-9]\d{0,8}\/[1-9]\d{0,8}$/)
    .transform((value) => {
      const [num = 0, den = 1] = value.split('/').map(Number);
      return rational(num, den);
    })
    .refine(({ num, den }) => num / den >= 0.01 && num / den <= 1000),
]);

/** Written numbers are decimal fractions, so this is exact for what a person typed: 29.97 is 2997/100, not 30000/1001. */
function rationalFromNumber(value: number): Rational {
  return rational(Math.round(value * 1e6), 1e6);
}

/** Whom to follow: by prominence, size or place, or a place counted from the left, from 1. */
export const subject = z.union([z.enum(['auto', 'largest', 'left', 'right']), z.int().min(1).max(99)]);

const sizeUnits: Readonly<Record<string, number>> = {
  ...{ m: 2 ** 20, mib: 2 ** 20, mb: 1e6 },
  ...{ g: 2 ** 30, gib: 2 ** 30, gb: 1e9 },
};
const fewestBytes = 2 ** 26;
const mostBytes = 2 ** 50;

/** An amount of memory: bytes, or text such as `8g` (of 1024 MB), `7.5GiB`, `8000MB`. Becomes bytes. */
export const memorySize = z.union([
  z.int().min(fewestBytes).max(mostBytes),
  z
    .string()
    .max(32)
    .regex(/^\d{1,7}(?:\.\d{1,6})? ?(?:[mg]|[mg]ib|[mg]b)$/i)
    .transform((value) => {
      const [, amount = '0', unit = ''] = /^([\d.]+) ?(\w+)$/.exec(value) ?? [];
      return Math.round(Number(amount) * (sizeUnits[unit.toLowerCase()] as number));
    })
    .refine((bytes) => bytes >= fewestBytes && bytes <= mostBytes),
]);

const deviceId = z.int().min(0).max(255);

/** Numbers of devices, none of them twice: `0,1`, `0` or `[0, 1]`. */
export const deviceList = z
  .union([
    z.array(deviceId).min(1).max(64),
    deviceId.transform((id) => [id]),
    z
      .string()
      .max(300)
      .regex(/^\d{1,3}(?:,\d{1,3})*$/)
      .transform((value) => value.split(',').map(Number)),
  ])
  .refine((ids) => ids.length <= 64 && ids.every((id, i) => id <= 255 && ids.indexOf(id) === i));
