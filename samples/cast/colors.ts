import type { Chance } from './chance.js';

/** Display red, green, blue, 0..1. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** How far two colours are apart to the eye, roughly: 0 the same, about 1 black and white. */
export function apart(a: Rgb, b: Rgb): number {
  const [r, g, u] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  const light = 0.3 * r + 0.59 * g + 0.11 * u;
  return Math.sqrt(light * light + 0.35 * ((r - light) ** 2 + (g - light) ** 2 + (u - light) ** 2));
}

/** Hue 0..1, saturation and value 0..1. */
export function fromHsv(hue: number, saturation: number, value: number): Rgb {
  const channel = (shift: number): number => {
    const k = (shift + hue * 6) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

const mixed = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

const skins: readonly Rgb[] = [
  [0.98, 0.84, 0.75],
  [0.93, 0.75, 0.62],
  [0.85, 0.65, 0.5],
  [0.72, 0.51, 0.37],
  [0.56, 0.38, 0.27],
  [0.42, 0.28, 0.2],
];

export function randomSkin(chance: Chance): Rgb {
  const at = chance.next() * (skins.length - 1);
  const low = Math.floor(at);
  return mixed(skins[low] as Rgb, skins[low + 1] as Rgb, at - low);
}

const hairs: readonly Rgb[] = [
  [0.09, 0.07, 0.07],
  [0.2, 0.12, 0.08],
  [0.36, 0.21, 0.12],
  [0.55, 0.34, 0.17],
  [0.82, 0.64, 0.36],
  [0.6, 0.24, 0.1],
  [0.66, 0.65, 0.66],
  [0.28, 0.3, 0.36],
];

/** Hair that stands out from the skin; now and then dyed. */
export function randomHair(chance: Chance, skin: Rgb): Rgb {
  for (let tries = 0; ; tries++) {
    const color = chance.happens(0.1)
      ? fromHsv(chance.next(), chance.between(0.45, 0.75), chance.between(0.45, 0.8))
      : mixed(chance.pick(hairs), chance.pick(hairs), 0.2 * chance.next());
    if (apart(color, skin) > 0.18 || tries > 30) return color;
  }
}

export function randomCloth(chance: Chance): Rgb {
  if (chance.happens(0.22)) {
    const grey = chance.pick([0.12, 0.2, 0.45, 0.8, 0.93]);
    return [grey, grey * 0.99, grey * chance.between(0.95, 1.05)];
  }
  return fromHsv(chance.next(), chance.between(0.3, 0.82), chance.between(0.28, 0.88));
}

/** Walls are calm: little saturation, neither black nor white. */
export function randomWall(chance: Chance): Rgb {
  return fromHsv(chance.next(), chance.between(0.03, 0.4), chance.between(0.3, 0.88));
}
