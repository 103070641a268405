import type { Field, Layer, Rgb } from './field.js';
import { fieldOf } from './field.js';
import { locate, normalize, type Vec3 } from './vec.js';

/** A figure ready to be looked at: a fine field for its surface, a coarse one for the shadows it throws. */
export type Solidity = { readonly fine: Field; readonly coarse: Field };

export function solidityOf(layers: readonly Layer[]): Solidity {
  return { fine: fieldOf(layers, 0.03, 0.05), coarse: fieldOf(layers, 0.06, 0.1) };
}

export type Lights = {
  /** Towards the key light. */
  readonly key: Vec3;
  readonly keyColor: Rgb;
  readonly rim: Vec3;
  readonly rimColor: Rgb;
  readonly sky: Rgb;
  readonly bounce: Rgb;
};

/** Distance along the ray to the figure, or undefined. */
export function march({ fine }: Solidity, from: Vec3, ray: Vec3): number | undefined {
  const span = boxSpan(fine, from, ray);
  if (!span) return undefined;
  let t = span[0];
  for (let i = 0; i < 140 && t < span[1]; i++) {
    const d = fine.distance(from[0] + ray[0] * t, from[1] + ray[1] * t, from[2] + ray[2] * t);
    if (d < 0.0004) return t;
    t += d * 0.92;
  }
  return undefined;
}

/** Whether nothing of the figure comes within `radius` of the ray. */
export function misses({ fine }: Solidity, from: Vec3, ray: Vec3, radius: number): boolean {
  const span = boxSpan(fine, from, ray);
  for (let t = span?.[0] ?? 0; span && t < span[1]; ) {
    const d = fine.distance(from[0] + ray[0] * t, from[1] + ray[1] * t, from[2] + ray[2] * t);
    if (d < radius) return false;
    t += d - radius * 0.5;
  }
  return true;
}

/** Colour of the figure's surface at `p`, seen along `ray`; undefined when nothing is there after all. */
export function surfaceColor(s: Solidity, lights: Lights, p: Vec3, ray: Vec3): Rgb | undefined {
  const hit = s.fine.hit(...p);
  if (!hit) return undefined;
  const { material } = hit.layer;
  const at = locate(hit.solid.bone, p);
  const n = normalAt(
    s.fine,
    p,
    material.relief && ((q) => material.relief?.(locate(hit.solid.bone, q), hit.solid.part) ?? 0),
  );
  const base = material.paint(at, hit.solid.part);

  const wrap = material.soft * 0.5;
  const facing = n[0] * lights.key[0] + n[1] * lights.key[1] + n[2] * lights.key[2];
  const lit = Math.max(0, (facing + wrap) / (1 + wrap));
  const off: Vec3 = [p[0] + n[0] * 0.006, p[1] + n[1] * 0.006, p[2] + n[2] * 0.006];
  const shadow = lit > 0 ? softShadow(s.coarse, off, lights.key) : 0;
  const open = openness(s, p, n);
  const up = n[1] * 0.5 + 0.5;

  // Highlight of the key light (Blinn), rims by grazing angle from the back light.
  const half = normalize([lights.key[0] - ray[0], lights.key[1] - ray[1], lights.key[2] - ray[2]]);
  const spec =
    Math.max(0, n[0] * half[0] + n[1] * half[1] + n[2] * half[2]) ** material.shine * material.gloss * shadow;
  const graze = (1 - Math.max(0, -(n[0] * ray[0] + n[1] * ray[1] + n[2] * ray[2]))) ** 3;
  const back = Math.max(0, n[0] * lights.rim[0] + n[1] * lights.rim[1] + n[2] * lights.rim[2]) ** 0.7;
  const rim = graze * back * (0.5 + 0.5 * open) * (0.6 + material.soft);

  const glow = material.glow ?? 0;
  const channel = (k: 0 | 1 | 2): number => {
    // Skin lets red light through where it turns away from the light.
    const bleed = material.soft * (k === 0 ? 0.09 : k === 1 ? 0.02 : 0.01) * (1 - Math.abs(facing));
    const direct = (lit * shadow + bleed) * lights.keyColor[k];
    const ambient = (lights.sky[k] * up + lights.bounce[k] * (1 - up)) * open;
    return (
      base[k] * (direct + ambient + glow) +
      (spec + rim * 0.55) * (0.25 + 0.75 * base[k]) * lights.rimColor[k] +
      spec * 0.5
    );
  };
  return [channel(0), channel(1), channel(2)];
}

/** 0 in full shadow to 1 in full light, with a penumbra that widens with distance. */
export function softShadow(field: Field, p: Vec3, light: Vec3): number {
  const span = boxSpan(field, p, light);
  if (!span) return 1;
  let open = 1;
  let t = Math.max(span[0], 0.012);
  for (let i = 0; i < 48 && t < span[1]; i++) {
    const d = field.distance(p[0] + light[0] * t, p[1] + light[1] * t, p[2] + light[2] * t);
    open = Math.min(open, 0.5 + (0.5 * d * 9) / Math.min(t, 0.85));
    if (open <= 0) return 0;
    t += Math.max(0.009, d);
  }
  return open >= 1 ? 1 : open * open * (3 - 2 * open);
}

/** 1 on an open surface, less in folds and where parts meet. */
export function openness({ fine, coarse }: Solidity, p: Vec3, n: Vec3): number {
  let closed = 0;
  for (const [h, weight, field] of [
    [0.01, 9, fine],
    [0.03, 6, fine],
    [0.05, 3.6, fine],
    [0.1, 2, coarse],
  ] as const) {
    const d = field.distance(p[0] + n[0] * h, p[1] + n[1] * h, p[2] + n[2] * h);
    closed += Math.max(0, h - d) * weight;
  }
  return Math.max(0.12, 1 - closed);
}

function normalAt(field: Field, p: Vec3, relief: ((p: Vec3) => number) | undefined): Vec3 {
  const e = relief ? 0.0022 : 0.0012;
  const f = (sx: number, sy: number, sz: number): number => {
    const q: Vec3 = [p[0] + sx * e, p[1] + sy * e, p[2] + sz * e];
    return field.distance(...q) - (relief ? relief(q) : 0);
  };
  const [a, b, c, d] = [f(1, -1, -1), f(-1, -1, 1), f(-1, 1, -1), f(1, 1, 1)];
  return normalize([a - b - c + d, -a - b + c + d, -a + b - c + d]);
}

/** Where a ray enters and leaves the field's box. */
function boxSpan({ min, max }: Field, from: Vec3, ray: Vec3): readonly [number, number] | undefined {
  let near = 0;
  let far = Infinity;
  for (const k of [0, 1, 2] as const) {
    if (Math.abs(ray[k]) < 1e-9) {
      if (from[k] < min[k] || from[k] > max[k]) return undefined;
      continue;
    }
    const a = (min[k] - from[k]) / ray[k];
    const b = (max[k] - from[k]) / ray[k];
    near = Math.max(near, Math.min(a, b));
    far = Math.min(far, Math.max(a, b));
  }
  return near < far ? [near, far] : undefined;
}
