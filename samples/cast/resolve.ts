import type { RgbImage } from '../../stages/types.js';
import type { Shape } from './shape.js';
import type { Canvas } from './sweep.js';
import { planeOf, type View } from './view.js';

/** Display levels to light and back: shading is done in light, averaging in what is seen. */
const gamma = 2.2;
const displayed = Float32Array.from({ length: 1025 }, (_, i) => 255 * (i / 1024) ** (1 / gamma));

/** Numbers kept for a shape while its samples are coloured. */
const fields = 16;

/**
 * Colours what the canvas holds with soft light and averages 2 x 2 samples into `image`, over what is there. `parts`
 * gets the label of at least half of a pixel's samples.
 */
export function resolve(
  canvas: Canvas,
  shapes: readonly Shape[],
  view: View,
  light: number,
  image: RgbImage,
  parts: Uint8Array,
): void {
  const { width: wide, owner, depth, normal } = canvas;
  const { width, height, data } = image;
  const looks = looksOf(shapes, view);
  const labels = Uint8Array.from([0, ...shapes.map(({ material }) => material.label)]);
  // Key light from above one side, a weak fill from the other side.
  const size = Math.hypot(0.75, 0.75, 0.75);
  const [kx, ky, kz] = [(0.75 * light) / size, -0.75 / size, 0.75 / size];
  const near = view.scale * 0.012;
  const far = view.scale * 0.16;
  const step = Math.max(1, Math.round(view.scale * 0.018));
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const corner = row * 2 * wide + column * 2;
      if (!(owner[corner] || owner[corner + 1] || owner[corner + wide] || owner[corner + wide + 1])) continue;
      let red = 0;
      let green = 0;
      let blue = 0;
      let hits = 0;
      let label = 0;
      for (let k = 0; k < 4; k++) {
        const at = corner + (k & 1) + (k >> 1) * wide;
        const mine = owner[at] as number;
        if (mine === 0) continue;
        hits++;
        label = labels[mine] as number;
        const from = mine * fields;
        const z = depth[at] as number;
        const nx = normal[at * 3] as number;
        const ny = normal[at * 3 + 1] as number;
        const nz = normal[at * 3 + 2] as number;
        // What stands close in front takes light away: arms stay apart from the trunk.
        let hidden = 0;
        for (let side = 0; side < 4; side++) {
          const other = at + (side === 0 ? step : side === 1 ? -step : side === 2 ? step * wide : -step * wide);
          if (other < 0 || other >= owner.length || owner[other] === 0) continue;
          const ahead = (depth[other] as number) - z;
          if (ahead > near && ahead < far) hidden += 1 - (ahead - near) / (far - near);
        }
        const key = Math.max(0, (nx * kx + ny * ky + nz * kz) * 0.85 + 0.15);
        const fill = Math.max(0, nz * 0.8 - nx * light * 0.4);
        const sky = 0.5 - 0.5 * ny;
        const half = Math.max(0, nx * kx * 0.5 + ny * ky * 0.6 + nz * (kz * 0.5 + 0.55));
        const cubed = half * half * half;
        const gloss = (looks[from + 4] as number) * cubed * cubed * cubed * cubed;
        const glow = looks[from + 3] as number;
        const level = (0.72 * key + 0.24 * fill + 0.2 * sky + 0.08) * (1 - 0.13 * hidden) * (1 - glow) + glow;
        let base = from;
        const period = looks[from + 15] as number;
        if (period >= 0) {
          const x = (at % wide) + 0.5;
          const y = Math.floor(at / wide) + 0.5;
          let u = (looks[from + 8] as number) * x + (looks[from + 9] as number) * y + (looks[from + 10] as number) * z;
          u -= looks[from + 11] as number;
          if (period > 0) u -= Math.floor(u / period) * period;
          if (u > (looks[from + 12] as number) && u < (looks[from + 13] as number)) base = from + 5;
        }
        const offset = base === from ? 0 : 5;
        red += shown((looks[from + offset] as number) * level + gloss);
        green += shown((looks[from + offset + 1] as number) * level + gloss);
        blue += shown((looks[from + offset + 2] as number) * level + gloss);
      }
      const to = row * width + column;
      const rest = 4 - hits;
      data[to * 3] = (red + rest * (data[to * 3] as number)) / 4 + 0.5;
      data[to * 3 + 1] = (green + rest * (data[to * 3 + 1] as number)) / 4 + 0.5;
      data[to * 3 + 2] = (blue + rest * (data[to * 3 + 2] as number)) / 4 + 0.5;
      if (hits >= 2) parts[to] = label;
    }
}

const shown = (light: number): number => displayed[light >= 1 ? 1024 : Math.round(light * 1024)] as number;

/**
 * For each owner: 0-2 colour as light, 3 glow, 4 gloss, 5-7 the pattern's colour, 8-11 its axis and origin, 12 and 13 its
 * band, 15 its period (-1: no pattern).
 */
function looksOf(shapes: readonly Shape[], view: View): Float64Array {
  const looks = new Float64Array((shapes.length + 1) * fields);
  shapes.forEach(({ material }, i) => {
    const from = (i + 1) * fields;
    const { color, glow, gloss, pattern } = material;
    for (let k = 0; k < 3; k++) looks[from + k] = (color[k] as number) ** gamma;
    looks[from + 3] = glow;
    looks[from + 4] = gloss;
    looks[from + 15] = pattern ? pattern.period : -1;
    if (!pattern) return;
    for (let k = 0; k < 3; k++) looks[from + 5 + k] = (pattern.color[k] as number) ** gamma;
    looks.set(planeOf(pattern.frame, pattern.axis, 0, view), from + 8);
    looks[from + 12] = pattern.low;
    looks[from + 13] = pattern.high;
  });
  return looks;
}
