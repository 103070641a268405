import type { RgbImage } from '#dist/stages/types.js';

/**
 * Test pictures that say what they are, so that a wrong index, turn or mirror is seen after any lossy codec: a red, green,
 * blue and white corner (top left, top right, bottom left, bottom right) and the frame's number as 8 bars, black or white.
 */

export type Rgb = readonly [number, number, number];

export const corners = {
  topLeft: [255, 0, 0],
  topRight: [0, 255, 0],
  bottomLeft: [0, 0, 255],
  bottomRight: [255, 255, 255],
} as const satisfies Record<string, Rgb>;

const bits = 8;

/** Picture number `index` (0-255). Sides of 32 and more survive 4:2:0 and H.264. */
export function codedFrame(index: number, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3).fill(90);
  const paint = (x0: number, y0: number, x1: number, y1: number, color: Rgb) => {
    for (let y = Math.round(y0); y < Math.round(y1); y += 1) {
      for (let x = Math.round(x0); x < Math.round(x1); x += 1) data.set(color, (y * width + x) * 3);
    }
  };
  const [w, h] = [width / 4, height / 4];
  paint(0, 0, w, h, corners.topLeft);
  paint(width - w, 0, width, h, corners.topRight);
  paint(0, height - h, w, height, corners.bottomLeft);
  paint(width - w, height - h, width, height, corners.bottomRight);
  for (let bit = 0; bit < bits; bit += 1) {
    const level = (index >> bit) & 1 ? 255 : 0;
    paint((width * bit) / bits, height * 0.375, (width * (bit + 1)) / bits, height * 0.625, [level, level, level]);
  }
  return { width, height, data };
}

/** Mean colour of a 3x3 patch around (x, y), given in fractions of the picture. */
export function colorAt({ width, height, data }: RgbImage, x: number, y: number): Rgb {
  const sum = [0, 0, 0];
  const [cx, cy] = [
    Math.min(width - 2, Math.max(1, Math.floor(x * width))),
    Math.min(height - 2, Math.max(1, Math.floor(y * height))),
  ];
  for (let dy = -1; dy <= 1; dy += 1) {
    for (let dx = -1; dx <= 1; dx += 1) {
      for (let c = 0; c < 3; c += 1) sum[c]! += data[((cy + dy) * width + cx + dx) * 3 + c]!;
    }
  }
  return [sum[0]! / 9, sum[1]! / 9, sum[2]! / 9];
}

/** The number written into the picture. */
export function readIndex(image: RgbImage): number {
  let index = 0;
  for (let bit = 0; bit < bits; bit += 1) {
    if (colorAt(image, (bit + 0.5) / bits, 0.5)[1] > 127) index |= 1 << bit;
  }
  return index;
}

/** The largest difference of the four corners from what they should be, in levels; small means upright and unmirrored. */
export function cornerError(image: RgbImage): number {
  const pairs: readonly (readonly [Rgb, Rgb])[] = [
    [colorAt(image, 0.11, 0.11), corners.topLeft],
    [colorAt(image, 0.89, 0.11), corners.topRight],
    [colorAt(image, 0.11, 0.89), corners.bottomLeft],
    [colorAt(image, 0.89, 0.89), corners.bottomRight],
  ];
  return Math.max(...pairs.flatMap(([got, want]) => got.map((value, c) => Math.abs(value - want[c]!))));
}

/** The picture turned counter-clockwise by `degrees`: what a camera stores that says "turn me clockwise by `degrees`". */
export function turnedBack(image: RgbImage, degrees: number): RgbImage {
  let turned = image;
  for (let left = degrees; left > 0; left -= 90) turned = turnedBackOnce(turned);
  return turned;
}

function turnedBackOnce({ width, height, data }: RgbImage): RgbImage {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = (y * width + x) * 3;
      turned.set(data.subarray(from, from + 3), ((width - 1 - x) * height + y) * 3);
    }
  }
  return { width: height, height: width, data: turned };
}
