import type { RgbImage } from './types.js';

/** Still pictures come again with every frame: their scaled copy is kept as long as they are. */
const scaledStills = new WeakMap<RgbImage, RgbImage>();

/**
 * One picture of several, from left to right, all brought to `height` (default: that of the last one) at their own aspect
 * ratio. The result has even sides, as video wants them; what is left over is black. Pass the same object for a still
 * picture and it is scaled only once.
 */
export function sideBySide(images: readonly RgbImage[], height = images.at(-1)?.height ?? 0): RgbImage {
  if (images.length === 0 || height < 1) throw new RangeError('sideBySide needs at least one picture');
  const parts = images.map((image) => {
    const kept = scaledStills.get(image);
    if (image.height === height) return image;
    if (kept?.height === height) return kept;
    const scaled = scaleRgb(image, Math.max(1, Math.round((image.width * height) / image.height)), height);
    scaledStills.set(image, scaled);
    return scaled;
  });
  const used = parts.reduce((sum, part) => sum + part.width, 0);
  const [width, evenHeight] = [used + (used % 2), height + (height % 2)];
  const data = new Uint8Array(width * evenHeight * 3);
  let left = 0;
  for (const part of parts) {
    for (let y = 0; y < height; y += 1) {
      data.set(part.data.subarray(y * part.width * 3, (y + 1) * part.width * 3), (y * width + left) * 3);
    }
    left += part.width;
  }
  return { width, height: evenHeight, data };
}

/** Bilinear with as wide a filter as the reduction needs, one axis after the other: smooth, and free of aliasing. */
function scaleRgb({ width, height, data }: RgbImage, toWidth: number, toHeight: number): RgbImage {
  const across = filterWeights(width, toWidth);
  const down = filterWeights(height, toHeight);
  const rows = new Float32Array(toWidth * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (const [x, taps] of across.entries()) {
      for (const [from, weight] of taps) {
        const source = (y * width + from) * 3;
        const target = (y * toWidth + x) * 3;
        for (let c = 0; c < 3; c += 1) rows[target + c] = (rows[target + c] ?? 0) + weight * (data[source + c] ?? 0);
      }
    }
  }
  const sum = new Float32Array(toWidth * 3);
  const result = new Uint8Array(toWidth * toHeight * 3);
  for (const [y, taps] of down.entries()) {
    sum.fill(0);
    for (const [from, weight] of taps) {
      const source = from * toWidth * 3;
      for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + weight * (rows[source + i] ?? 0);
    }
    for (let i = 0; i < sum.length; i += 1) result[y * toWidth * 3 + i] = Math.round(sum[i] ?? 0);
  }
  return { width: toWidth, height: toHeight, data: result };
}

/** For each target pixel the source pixels that make it, with weights that add up to 1. */
function filterWeights(from: number, to: number): readonly (readonly (readonly [number, number])[])[] {
  const ratio = from / to;
  const radius = Math.max(1, ratio);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * ratio - 0.5;
    const taps: [number, number][] = [];
    for (let at = Math.ceil(centre - radius); at <= Math.floor(centre + radius); at += 1) {
      const weight = 1 - Math.abs(at - centre) / radius;
      if (weight > 0) taps.push([Math.min(from - 1, Math.max(0, at)), weight]);
    }
    const total = taps.reduce((sum, [, weight]) => sum + weight, 0);
    return taps.map(([at, weight]) => [at, weight / total] as const);
  });
}
