import { expect, it } from 'vitest';
import { type FloatTensor, floatTensor } from '#dist/models/tensor.js';
import { decodeInTiles, tileStarts, tileWeights } from '#dist/stages/decode-tiles.js';

const pixelsPerLatent = 2;

/** A stand-in for the network: every latent becomes 2x2 pixels of three channels, moved by `shift` of the call. */
function decoder(shift: (call: number) => number = () => 0) {
  const sizes: string[] = [];
  const decode = async (latents: FloatTensor) => {
    const [frames = 0, channels = 0, h = 0, w = 0] = latents.dims;
    const pixels = floatTensor([frames, 3, 2 * h, 2 * w]);
    const at = (frame: number, y: number, x: number) =>
      latents.data[(frame * channels * h + Math.floor(y / 2)) * w + Math.floor(x / 2)] as number;
    pixels.data.forEach((_, i) => {
      const [x, y, frame] = [i % (2 * w), Math.floor(i / (2 * w)) % (2 * h), Math.floor(i / (12 * w * h))];
      pixels.data[i] = at(frame, y, x) + shift(sizes.length);
    });
    sizes.push(`${h}x${w}`);
    return pixels;
  };
  return { decode, sizes };
}

/** Latents [2, 4, h, w] that differ everywhere. */
function latents(h: number, w: number): FloatTensor {
  const size = 2 * 4 * h * w;
  return floatTensor(
    [2, 4, h, w],
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.37)),
  );
}

it('tiles of one length cover every side, and overlap by a quarter or more', () => {
  for (let length = 1; length <= 60; length++) {
    for (let tile = 1; tile <= 20; tile++) {
      const starts = tileStarts(length, tile);
      expect(starts[0]).toBe(0);
      if (tile >= length) expect(starts).toEqual([0]);
      else expect((starts.at(-1) as number) + tile).toBe(length);
      for (let i = 1; i < starts.length; i++) {
        const shared = starts[i - 1]! + tile - starts[i]!;
        expect(shared).toBeGreaterThanOrEqual(Math.floor(tile / 4));
        expect(shared).toBeLessThan(tile);
      }
    }
  }
});

it('weights of every place sum to 1, and a rim counts least', () => {
  for (const [length, tile] of [
    [17, 8],
    [15, 8],
    [60, 16],
    [9, 8],
    [8, 8],
  ] as const) {
    const starts = tileStarts(length, tile);
    const weights = tileWeights(starts, tile);
    const sums = new Float64Array(length);
    for (const [k, own] of weights.entries()) for (const [i, weight] of own.entries()) sums[starts[k]! + i]! += weight;
    for (const sum of sums) expect(sum).toBeCloseTo(1, 12);
    if (starts.length > 1) expect(weights[0]!.at(-1)).toBeLessThan(0.3);
  }
});

it.each([
  [16, 16],
  [13, 7],
  [5, 31],
])('%i x %i latents come back whole, by decodes of one size', async (h, w) => {
  const whole = await decoder().decode(latents(h, w));
  const { decode, sizes } = decoder();
  const tiled = await decodeInTiles(decode, { rows: 6, columns: 6, pixelsPerLatent })(latents(h, w));
  expect(new Set(sizes)).toEqual(new Set([`${Math.min(h, 6)}x${Math.min(w, 6)}`]));
  expect(tiled.dims).toEqual(whole.dims);
  expect(Math.max(...tiled.data.map((value, i) => Math.abs(value - whole.data[i]!)))).toBeLessThan(1e-6);
});

it('a tile as large as the picture is the picture, to the bit', async () => {
  const { decode, sizes } = decoder();
  const input = latents(6, 5);
  const tiled = await decodeInTiles(decode, { rows: 6, columns: 9, pixelsPerLatent })(input);
  expect(tiled.data).toEqual((await decoder().decode(input)).data);
  expect(sizes).toEqual(['6x5']);
});

it('a tone that jumps from tile to tile becomes ramps without a seam', async () => {
  const flat = floatTensor([1, 4, 24, 24]);
  const { decode, sizes } = decoder((call) => call % 2);
  const { data } = await decodeInTiles(decode, { rows: 12, columns: 12, pixelsPerLatent })(flat);
  expect(sizes.length).toBeGreaterThan(4);
  let steepest = 0;
  for (let y = 0; y < 48; y++)
    for (let x = 1; x < 48; x++) steepest = Math.max(steepest, Math.abs(data[y * 48 + x]! - data[y * 48 + x - 1]!));
  // Half of each tile of 24 pixels is shared with its neighbour.
  expect(steepest).toBeLessThan(1 / 10);
  expect(Math.max(...data)).toBeGreaterThan(0.9);
});
