import type { Layer, Rgb } from './field.js';
import { blend, shaded, step } from './paint.js';
import { type Lights, march, misses, openness, softShadow, solidityOf, surfaceColor } from './shade.js';
import { add, cross, dot, normalize, scale, sub, type Vec3 } from './vec.js';

/** A pinhole camera that sees `height` metres at the figure's distance. */
export type Camera = { readonly eye: Vec3; readonly target: Vec3; readonly height: number };

/** A studio: a floor that rounds into a wall, in three colours. */
export type Backdrop = { readonly wallTop: Rgb; readonly wallLow: Rgb; readonly floor: Rgb };

export const camera: Camera = { eye: [0, 1.18, 6], target: [0, 1.02, 0], height: 2.32 };

export const lights: Lights = {
  key: normalize([-0.5, 1.2, 0.85]),
  keyColor: [2.15, 2.0, 1.82],
  rim: normalize([0.75, 0.5, -0.55]),
  rimColor: [0.9, 1.0, 1.25],
  sky: [0.66, 0.74, 0.9],
  bounce: [0.42, 0.36, 0.32],
};

function axes({ eye, target }: Camera) {
  const ahead = normalize(sub(target, eye));
  const right = normalize(cross(ahead, [0, 1, 0]));
  return { ahead, right, up: cross(right, ahead) };
}

/** A world point in the picture: 0..1 from the left and from the top. `aspect` is width / height. */
export function project(p: Vec3, aspect: number, view = camera): readonly [x: number, y: number] {
  const { ahead, right, up } = axes(view);
  const d = sub(p, view.eye);
  const half = (view.height / 2) * (dot(d, ahead) / Math.hypot(...sub(view.target, view.eye)));
  return [0.5 + dot(d, right) / (2 * half * aspect), 0.5 - dot(d, up) / (2 * half)];
}

/** Side of the squares that are tested as a whole for being empty. */
const tile = 8;

/** A rendered picture: tight RGB24, sRGB. */
export type Picture = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** Render the figure in its studio with up to `samples` x `samples` (at least 2 x 2) rays a pixel. Deterministic. */
export function render(
  layers: readonly Layer[],
  backdrop: Backdrop,
  width: number,
  height: number,
  samples: number,
): Picture {
  const solidity = solidityOf(layers);
  const { ahead, right, up } = axes(camera);
  const focus = Math.hypot(...sub(camera.target, camera.eye));
  const data = new Uint8Array(width * height * 3);
  const pixel = camera.height / height;
  const rayAt = (x: number, y: number): Vec3 =>
    normalize(
      add(add(scale(ahead, focus), scale(right, (x - width / 2) * pixel)), scale(up, (height / 2 - y) * pixel)),
    );
  for (let top = 0; top < height; top += tile)
    for (let left = 0; left < width; left += tile) {
      // The far corner of the tile, at the figure's farthest, is this far off the ray through its middle.
      const radius = tile * 0.75 * pixel;
      const empty = misses(solidity, camera.eye, rayAt(left + tile / 2, top + tile / 2), radius);
      for (let row = top; row < Math.min(top + tile, height); row++)
        for (let col = left; col < Math.min(left + tile, width); col++) {
          const [r, g, b] = pixelColor(col, row, empty);
          const to = (row * width + col) * 3;
          data[to] = r;
          data[to + 1] = g;
          data[to + 2] = b;
        }
    }
  return { width, height, data };

  function pixelColor(col: number, row: number, empty: boolean): readonly [number, number, number] {
    // The studio is smooth: one look a pixel is enough.
    let behind: Rgb | undefined;
    const sums: [number, number, number] = [0, 0, 0];
    const look = (x: number, y: number): Rgb => {
      const ray = rayAt(col + x, row + y);
      const t = empty ? undefined : march(solidity, camera.eye, ray);
      let seen = t === undefined ? undefined : surfaceColor(solidity, lights, add(camera.eye, scale(ray, t)), ray);
      if (!seen) {
        behind ??= studio(ray);
        seen = behind;
      }
      const shown: Rgb = [display(seen[0]), display(seen[1]), display(seen[2])];
      for (const k of [0, 1, 2] as const) sums[k] += shown[k];
      return shown;
    };
    const at = (k: number): number => (k + 0.5) / samples;
    let taken = empty ? 1 : 2;
    const first = look(empty ? 0.5 : at(0), empty ? 0.5 : at(0));
    if (!empty) {
      // Two looks that agree are enough; edges get all.
      const second = look(at(samples - 1), at(samples - 1));
      const apart = Math.max(...[0, 1, 2].map((k) => Math.abs((first[k] ?? 0) - (second[k] ?? 0))));
      for (let k = 1; apart > 0.02 && k < samples ** 2 - 1; k++, taken++)
        look(at(k % samples), at(Math.floor(k / samples)));
    }
    const level = 255 / taken;
    return [Math.round(sums[0] * level), Math.round(sums[1] * level), Math.round(sums[2] * level)];
  }

  function studio(ray: Vec3): Rgb {
    const { p, n } = studioPoint(ray);
    const wall = step(0.0, 0.8, p[1]);
    const base = blend(backdrop.floor, blend(backdrop.wallLow, backdrop.wallTop, step(0.2, 2.6, p[1])), wall);
    // A pool of light around the figure, darker towards the corners.
    const pool = 1 - 0.42 * step(0.5, 3.1, Math.hypot(p[0], (p[1] - 1.1) * 0.8, p[2] * 0.5));
    const shadow = softShadow(solidity.coarse, add(p, scale(n, 0.004)), lights.key);
    const near = p[1] < 0.02 ? openness(solidity, p, n) : 1;
    const strength = pool * (0.42 + 0.58 * shadow) * (0.35 + 0.65 * near);
    return shaded(base, strength);
  }
}

const wallAt = -2.7;
const cove = 1.3;

/** Where a ray meets floor, cove or wall, and which way the surface looks there. */
function studioPoint(ray: Vec3): { p: Vec3; n: Vec3 } {
  const { eye } = camera;
  const floor = ray[1] < 0 ? add(eye, scale(ray, -eye[1] / ray[1])) : undefined;
  if (floor && floor[2] > wallAt + cove) return { p: floor, n: [0, 1, 0] };
  const wall = add(eye, scale(ray, (wallAt - eye[2]) / ray[2]));
  if (wall[1] > cove) return { p: wall, n: [0, 0, 1] };
  // Far side of a cylinder along x of radius `cove`.
  const [y, z] = [eye[1] - cove, eye[2] - wallAt - cove];
  const a = ray[1] ** 2 + ray[2] ** 2;
  const b = y * ray[1] + z * ray[2];
  const t = (-b + Math.sqrt(Math.max(0, b * b - a * (y * y + z * z - cove * cove)))) / a;
  const p = add(eye, scale(ray, t));
  return { p, n: normalize([0, cove - p[1], wallAt + cove - p[2]]) };
}

/** Scene light to display value: a filmic shoulder, then the sRGB curve. */
function display(x: number): number {
  const c = Math.max(0, x * 0.62);
  const film = Math.min(1, (c * (2.51 * c + 0.03)) / (c * (2.43 * c + 0.59) + 0.14));
  return film <= 0.0031308 ? film * 12.92 : 1.055 * film ** (1 / 2.4) - 0.055;
}
