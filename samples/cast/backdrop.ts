import type { RgbImage } from '../../stages/types.js';
import type { Skeleton } from '../dancer/skeleton.js';
import type { Backdrop, CastMember } from './member.js';
import type { View } from './view.js';

const empty = new WeakMap<Backdrop, { readonly width: number; readonly height: number; readonly data: Uint8Array }>();

/** Wall, floor, ornament, and the soft shadow under the feet. */
export function paintBackdrop({ backdrop }: CastMember, skeleton: Skeleton, view: View, image: RgbImage): void {
  const { width, height, data } = image;
  let room = empty.get(backdrop);
  if (!room || room.width !== width || room.height !== height) {
    room = { width, height, data: emptyRoom(backdrop, width, height) };
    empty.set(backdrop, room);
  }
  data.set(room.data);
  const { left, right, pelvis } = skeleton;
  for (const { foot } of [left, right]) {
    const lift = Math.max(0, foot.origin[1] - skeleton.measures.ankle);
    const fade = Math.max(0.15, 1 - lift * 3);
    const ahead = 0.04;
    darken(
      image,
      view,
      [foot.origin[0] + foot.y[0] * ahead, foot.origin[2] + foot.y[2] * ahead],
      0.15 + lift * 0.3,
      0.5 * fade,
    );
  }
  darken(image, view, [pelvis.origin[0], pelvis.origin[2]], 0.38, 0.22);
}

/** A soft round shadow on the floor at (x, z), of this radius in metres. */
function darken(
  { width, height, data }: RgbImage,
  view: View,
  [x, z]: readonly [number, number],
  radius: number,
  strength: number,
): void {
  const [cx, cy] = view.point([x, 0, z]);
  const rx = radius * view.scale;
  const ry = rx * 0.3;
  const top = Math.max(0, Math.floor(cy - ry));
  const bottom = Math.min(height - 1, Math.ceil(cy + ry));
  const first = Math.max(0, Math.floor(cx - rx));
  const last = Math.min(width - 1, Math.ceil(cx + rx));
  for (let row = top; row <= bottom; row++)
    for (let column = first; column <= last; column++) {
      const d = ((column + 0.5 - cx) / rx) ** 2 + ((row + 0.5 - cy) / ry) ** 2;
      if (d >= 1) continue;
      const keep = 1 - strength * (1 - d) * (1 - d);
      const at = (row * width + column) * 3;
      for (let k = 0; k < 3; k++) data[at + k] = (data[at + k] as number) * keep;
    }
}

function emptyRoom(b: Backdrop, width: number, height: number): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  const aspect = width / height;
  for (let row = 0; row < height; row++) {
    const y = (row + 0.5) / height;
    const onFloor = smooth(b.horizon - 0.012, b.horizon + 0.012, y);
    const floorLight = 0.86 + 0.14 * ((y - b.horizon) / (1 - b.horizon));
    for (let column = 0; column < width; column++) {
      const x = (column + 0.5) / width;
      const inOrnament = ornamentAt(b, x, y, aspect);
      // Darker corners keep the eye on the figure.
      const corner = 1 - 0.22 * ((x - 0.5) ** 2 + 0.5 * (y - 0.5) ** 2);
      for (let k = 0; k < 3; k++) {
        const wall = (b.top[k] as number) + ((b.low[k] as number) - (b.top[k] as number)) * (y / b.horizon);
        const painted = wall + ((b.tint[k] as number) - wall) * inOrnament;
        const floor = (b.floor[k] as number) * floorLight;
        data[(row * width + column) * 3 + k] = 255 * corner * (painted + (floor - painted) * onFloor) + 0.5;
      }
    }
  }
  return data;
}

/** How much of the ornament's tint shows at a place, 0..1. */
function ornamentAt({ ornament, at, size }: Backdrop, x: number, y: number, aspect: number): number {
  const [dx, dy] = [(x - at[0]) * aspect, y - at[1]];
  const edge = 0.006;
  switch (ornament) {
    case 'none':
      return 0;
    case 'circle':
      return smooth(size + edge, size - edge, Math.hypot(dx, dy));
    case 'bar':
      return smooth(size * 0.35 + edge, size * 0.35 - edge, Math.abs(dx + dy * 0.4));
    case 'window': {
      const inside = smooth(edge, -edge, Math.max(Math.abs(dx) - size * 0.6, Math.abs(dy) - size * 0.85));
      const frame = Math.min(Math.abs(dx), Math.abs(dy + size * 0.1));
      return inside * smooth(0.004, 0.012, frame);
    }
  }
}

function smooth(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
