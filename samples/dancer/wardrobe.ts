import type { Material, Rgb } from './field.js';
import { blend, inside, noise, shaded } from './paint.js';

/** Cloth with fine folds; `folds` is their height in metres. */
export const cloth = (paint: Material['paint'], folds: number, extra: Partial<Material> = {}): Material => ({
  paint,
  relief: (p) => folds * (noise(p[0] * 16, p[1] * 26, p[2] * 16) + 0.5 * noise(p[0] * 34 + 9, p[1] * 50, p[2] * 34)),
  gloss: 0.05,
  shine: 10,
  soft: 0.18,
  ...extra,
});

/** Hair in strands that run along y of its bone, from `base` to `light`. */
export const hair = (base: Rgb, light: Rgb): Material => ({
  paint: (p) => blend(base, light, 0.5 + 0.5 * noise(p[0] * 90, p[1] * 14, p[2] * 60)),
  relief: (p) => 0.0016 * noise(p[0] * 120, p[1] * 18, p[2] * 80),
  gloss: 0.22,
  shine: 14,
  soft: 0.5,
});

/** A sneaker: pale sole, laces, a stripe on the side. `ankle` is the height of the foot bone over the floor. */
export const sneaker = (upper: Rgb, sole: Rgb, accent: Rgb, ankle: number): Material => ({
  paint: (p, part) => {
    const height = p[2] + ankle;
    if (part === 'sole' || height < 0.022) return sole;
    if (p[1] > 0.03 && p[1] < 0.09 && Math.abs(p[0]) < 0.017 && Math.sin(p[1] * 330) > 0.2) return shaded(sole, 0.75);
    const stripe = Math.abs(height - 0.05 - 0.25 * p[1]) - 0.008;
    return p[1] < 0.03 ? blend(upper, accent, inside(stripe, 0.002)) : upper;
  },
  gloss: 0.18,
  shine: 24,
  soft: 0.15,
});
