import type { Rgb } from './field.js';

const toLinear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);

/** `#rrggbb` as linear light. */
export function color(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [toLinear((value >> 16) / 255), toLinear(((value >> 8) & 255) / 255), toLinear((value & 255) / 255)];
}

export const blend = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

export const shaded = (a: Rgb, s: number): Rgb => [a[0] * s, a[1] * s, a[2] * s];

/** 0 below `low`, 1 above `high`, smooth between. */
export function step(low: number, high: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

/** 1 inside a shape whose signed distance is `d`, with a soft rim of width `soft`. */
export const inside = (d: number, soft = 0.0015): number => 1 - step(-soft, soft, d);

/** Distance in the plane from (x, y) to the segment a-b, less a radius going from ra to rb. */
export function stroke(
  x: number,
  y: number,
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
  ra: number,
  rb = ra,
): number {
  const t = Math.min(
    1,
    Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2 + 1e-12)),
  );
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) - ra - (rb - ra) * t;
}

/** Smooth value noise in -1..1, the same everywhere for the same point. */
export function noise(x: number, y: number, z: number): number {
  const [ix, iy, iz] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const ease = (t: number) => t * t * (3 - 2 * t);
  const [u, v, w] = [ease(x - ix), ease(y - iy), ease(z - iz)];
  const line = (j: number, k: number) => lattice(ix, j, k) * (1 - u) + lattice(ix + 1, j, k) * u;
  const sheet = (k: number) => line(iy, k) * (1 - v) + line(iy + 1, k) * v;
  return sheet(iz) * (1 - w) + sheet(iz + 1) * w;
}

function lattice(i: number, j: number, k: number): number {
  let h = Math.imul(i, 0x27d4eb2d) ^ Math.imul(j, 0x165667b1) ^ Math.imul(k, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}
