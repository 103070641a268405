import { ball, cone, type Layer, type Material, type Rgb, type Solid } from './field.js';
import { blend, inside, shaded, step, stroke } from './paint.js';
import type { Skeleton } from './skeleton.js';
import { type Frame, scale, type Vec3 } from './vec.js';

/** What makes a face somebody's. Sizes are those of a head 0.25 m high. */
export type FaceLook = {
  readonly skin: Rgb;
  readonly lips: Rgb;
  readonly brows: Rgb;
  readonly iris: Rgb;
  /** Half-width of the jaw, about 0.06. */
  readonly jaw: number;
  /** Height of the eyes' opening, about 0.012. */
  readonly eyes: number;
  readonly lashes: number;
  readonly browWidth: number;
  readonly lipWidth: number;
  readonly blush: number;
  /** Painted over everything, in head coordinates: a mask, freckles, a beard. */
  readonly over?: (at: Vec3, base: Rgb) => Rgb;
};

const eyeAt: Vec3 = [0.0335, 0.119, 0.0755];

/** A head's coordinates scaled to the standard head, for solids and paint alike. */
export type HeadSpace = {
  readonly ball: (c: Vec3, r: Vec3, o?: Parameters<typeof ball>[3]) => Solid;
  readonly cone: (a: Vec3, b: Vec3, ra: number, rb: number, o?: Parameters<typeof cone>[5]) => Solid;
};

export function headSpace(head: Frame, size: number): HeadSpace {
  return {
    ball: (c, r, o = {}) => ball(head, scale(c, size), scale(r, size), { ...o, blend: (o.blend ?? 0) * size }),
    cone: (a, b, ra, rb, o = {}) =>
      cone(head, scale(a, size), scale(b, size), ra * size, rb * size, { ...o, blend: (o.blend ?? 0) * size }),
  };
}

const both = (make: (side: 1 | -1) => Solid): Solid[] => [make(1), make(-1)];

/** Skull, jaw, nose, lips and ears; join them with the neck in one skin layer. Parts are named `face`. */
export function headSolids({ head, measures }: Skeleton, look: FaceLook): Solid[] {
  const h = headSpace(head, measures.head);
  const part = 'face';
  return [
    h.ball([0, 0.152, -0.008], [0.081, 0.096, 0.098], { part }),
    h.ball([0, 0.088, 0.016], [look.jaw, 0.074, 0.079], { part, blend: 0.03 }),
    h.ball([0, 0.028, 0.056], [look.jaw * 0.58, 0.026, 0.034], { part, blend: 0.035 }),
    ...both((s) => h.ball([s * 0.036, 0.083, 0.058], [0.027, 0.026, 0.027], { part, blend: 0.02 })),
    ...both((s) =>
      h.ball([s * eyeAt[0], eyeAt[1] + 0.001, 0.096], [0.024, 0.015, 0.016], { part, op: 'cut', blend: 0.014 }),
    ),
    h.cone([0, 0.124, 0.089], [0, 0.095, 0.104], 0.006, 0.009, { part, blend: 0.016 }),
    h.ball([0, 0.088, 0.106], [0.012, 0.01, 0.011], { part, blend: 0.01 }),
    ...both((s) => h.ball([s * 0.0115, 0.086, 0.096], [0.0075, 0.007, 0.009], { part, blend: 0.007 })),
    ...both((s) => h.cone([0, 0.0525, 0.0905], [s * 0.019, 0.0535, 0.083], 0.0055, 0.003, { part, blend: 0.008 })),
    ...both((s) => h.ball([s * 0.0815, 0.105, -0.006], [0.011, 0.028, 0.019], { part: 'ear', blend: 0.008 })),
  ];
}

/** Skin with brows, blush and lips painted on the front of the head; other parts are plain skin. */
export function skinMaterial({ pose, measures }: Skeleton, look: FaceLook): Material {
  const browRaise = 0.002 * pose.smile;
  const corner = 0.0005 + 0.006 * pose.smile;
  const paint = (p: Vec3, part: string): Rgb => {
    if (part !== 'face') return part === 'ear' ? blend(look.skin, look.lips, 0.12) : look.skin;
    const at = scale(p, 1 / measures.head);
    let c = look.skin;
    if (at[2] > 0.02) {
      const x = Math.abs(at[0]);
      const y = at[1];
      const cheek = Math.hypot((x - 0.042) / 1.25, y - 0.079);
      c = blend(c, look.lips, look.blush * (1 - step(0, 0.03, cheek)));
      // Shade round the eyes and under the brow gives the face its depth at small sizes.
      const socket = Math.hypot((x - eyeAt[0]) / 1.45, y - eyeAt[1] - 0.003);
      c = blend(c, shaded(look.skin, 0.55), 0.55 * (1 - step(0.012, 0.023, socket)));
      const nostril = Math.hypot((x - 0.006) / 1.4, y - 0.0795);
      c = blend(c, shaded(look.skin, 0.35), 0.8 * inside(nostril - 0.0022, 0.002));
      const brow = Math.min(
        stroke(x, y, [0.0145, 0.143 + browRaise], [0.034, 0.1465 + browRaise], look.browWidth, look.browWidth * 0.95),
        stroke(x, y, [0.034, 0.1465 + browRaise], [0.054, 0.139 + browRaise], look.browWidth, look.browWidth * 0.35),
      );
      c = blend(c, look.brows, 0.95 * inside(brow));
      const w = look.lipWidth + 0.004 * pose.smile;
      // Upper and lower edge of the opening; lips around it thin out towards the corners.
      const full = Math.max(0, 1 - (x / w) ** 2);
      const upper = 0.0525 + corner * (x / w) ** 2;
      const lower = upper - 0.0085 * step(0.3, 1, pose.smile) * full;
      const beyond = Math.max(0, x - w) * 2;
      const lips = Math.max(y - upper - 0.0048 * full, lower - 0.0058 * full - y) + beyond;
      c = blend(c, look.lips, 0.92 * inside(lips - 0.0006, 0.001));
      const gap = Math.max(y - upper, lower - y) + beyond;
      const teeth = blend([0.8, 0.78, 0.75], [0.1, 0.01, 0.015], step(0.0035, 0.006, upper - y));
      c = blend(
        c,
        blend(shaded(look.lips, 0.25), teeth, step(0.0012, 0.003, upper - lower)),
        inside(gap - 0.0007, 0.0008),
      );
      if (look.over) c = look.over(at, c);
    }
    return c;
  };
  return { paint, gloss: 0.12, shine: 18, soft: 0.45 };
}

/** Eyeballs with iris, pupil, glint, lashes and lids (painted: they close with `pose.blink`). */
export function eyeLayer({ head, measures, pose }: Skeleton, look: FaceLook): Layer {
  const h = headSpace(head, measures.head);
  const solids = both((s) =>
    h.ball([s * eyeAt[0], eyeAt[1], eyeAt[2]], [0.0235, 0.0195, 0.0175], { part: s > 0 ? 'left' : 'right' }),
  );
  const white: Rgb = [0.87, 0.88, 0.9];
  const paint = (p: Vec3, part: string): Rgb => {
    const at = scale(p, 1 / measures.head);
    const side = part === 'left' ? 1 : -1;
    const x = at[0] - side * eyeAt[0];
    const y = at[1] - eyeAt[1];
    const out = x * side;
    const gx = x - 0.0045 * pose.gaze[0];
    const gy = y - 0.003 * pose.gaze[1] - 0.0005;
    let c = blend(white, [0.45, 0.36, 0.36], step(0.012, 0.02, Math.abs(x)));
    const r = Math.hypot(gx, gy);
    c = blend(c, blend(look.iris, shaded(look.iris, 0.25), step(0.006, 0.0102, r)), inside(r - 0.0102));
    c = blend(c, [0.005, 0.005, 0.008], inside(r - 0.0052));
    c = shaded(c, 1 - 0.45 * step(0.002, look.eyes, y));
    c = blend(c, [3, 3, 3], inside(Math.hypot(gx + 0.0038, gy - 0.0042) - 0.0022));
    // Lids: an almond that closes from above.
    const wide = 1 - (x / 0.0225) ** 2;
    const top = look.eyes * (1 - 1.75 * pose.blink) * Math.max(0, wide) ** 0.6 + 0.0012 * (out / 0.02);
    const bottom = -0.0105 * Math.max(0, wide) ** 0.8;
    const lid = Math.max(y - top, bottom - y);
    c = blend(c, blend(look.skin, look.lips, 0.18), 1 - inside(lid));
    const lash = Math.abs(y - top - 0.0006) - look.lashes * (0.7 + 0.5 * step(-0.01, 0.018, out));
    return blend(c, shaded(look.brows, 0.35), 0.95 * inside(lash) * step(-0.1, 0.12, wide));
  };
  return { name: 'eyes', material: { paint, gloss: 0.5, shine: 80, soft: 0.2 }, solids };
}
