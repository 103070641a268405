import { type FloatTensor, floatTensor } from '../models/tensor.js';

/** Decodes latents [frames, C, h, w] to pixels [frames, 3, H, W]. */
type Decode = (latents: FloatTensor) => Promise<FloatTensor>;

export type TileOptions = {
  /** Sides of a tile in latents; a picture's side that is shorter is not parted. */
  readonly rows: number;
  readonly columns: number;
  /** Pixels per latent, in rows and in columns. */
  readonly pixelsPerLatent: number;
};

/** Share of a tile that it has in common with the next one at least. */
const overlapShare = 0.25;

/** Where the tiles of one side begin: all of one length, evenly spread. In latents. */
export function tileStarts(length: number, tile: number): number[] {
  if (tile >= length) return [0];
  const overlap = Math.floor(tile * overlapShare);
  const count = Math.ceil((length - overlap) / (tile - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tile)) / (count - 1)));
}

/**
 * Weight of every tile at every place of one side: a linear ramp over what a tile has in common with its neighbour, so that its
 * rim, which knows least of the picture around it, counts least. The weights of each place sum to 1.
 * @returns one array of `tile` weights a tile
 */
export function tileWeights(starts: readonly number[], tile: number): Float64Array[] {
  const end = (starts.at(-1) as number) + tile;
  const sums = new Float64Array(end);
  const weights = starts.map((start, k) => {
    const before = k === 0 ? 0 : (starts[k - 1] as number) + tile - start;
    const after = k === starts.length - 1 ? 0 : start + tile - (starts[k + 1] as number);
    return Float64Array.from({ length: tile }, (_, i) => {
      const weight = Math.min(1, (i + 0.5) / before, (tile - i - 0.5) / after);
      sums[start + i] = (sums[start + i] as number) + weight;
      return weight;
    });
  });
  return weights.map((own, k) => own.map((weight, i) => weight / (sums[(starts[k] as number) + i] as number)));
}

/**
 * Decodes in overlapping tiles, blended linearly where they meet: memory is that of one tile, and all have one size. A decoder's
 * norms and its attention see the whole of what they are given, so that tiles differ a little in tone from the whole picture;
 * the blend hides their joints. One tile that holds everything gives what `decode` gives.
 * @param decode takes latents [frames, C, rows, columns], each side cut to the picture's
 */
export function decodeInTiles(decode: Decode, { rows, columns, pixelsPerLatent: scale }: TileOptions): Decode {
  return async (latents) => {
    const [frames = 0, , h = 0, w = 0] = latents.dims;
    const [tileRows, tileColumns] = [Math.min(rows, h), Math.min(columns, w)];
    if (tileRows === h && tileColumns === w) return decode(latents);
    const [tops, lefts] = [tileStarts(h, tileRows), tileStarts(w, tileColumns)];
    const inPixels = (starts: readonly number[]) => starts.map((start) => start * scale);
    const down = tileWeights(inPixels(tops), tileRows * scale);
    const across = tileWeights(inPixels(lefts), tileColumns * scale);
    const whole = floatTensor([frames, 3, h * scale, w * scale]);
    for (const [j, top] of tops.entries()) {
      for (const [i, left] of lefts.entries()) {
        const pixels = await decode(cut(latents, top, left, tileRows, tileColumns));
        addWeighted(pixels, whole, top * scale, left * scale, down[j] as Float64Array, across[i] as Float64Array);
      }
    }
    return whole;
  };
}

/** Rows and columns of planes [..., h, w]. */
function cut(planes: FloatTensor, top: number, left: number, rows: number, columns: number): FloatTensor {
  const [frames = 0, channels = 0, h = 0, w = 0] = planes.dims;
  const part = floatTensor([frames, channels, rows, columns]);
  for (let plane = 0; plane < frames * channels; plane++) {
    for (let row = 0; row < rows; row++) {
      const from = (plane * h + top + row) * w + left;
      part.data.set(planes.data.subarray(from, from + columns), (plane * rows + row) * columns);
    }
  }
  return part;
}

/** Adds planes [..., rows, columns] to larger ones, each row and column times its weight. */
function addWeighted(
  part: FloatTensor,
  into: FloatTensor,
  top: number,
  left: number,
  down: Float64Array,
  across: Float64Array,
): void {
  const [, , height = 0, width = 0] = into.dims;
  const [rows, columns] = [down.length, across.length];
  const planes = part.data.length / (rows * columns);
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0; row < rows; row++) {
      const to = (plane * height + top + row) * width + left;
      const from = (plane * rows + row) * columns;
      for (let i = 0; i < columns; i++) {
        const weight = (down[row] as number) * (across[i] as number);
        into.data[to + i] = (into.data[to + i] as number) + weight * (part.data[from + i] as number);
      }
    }
  }
}
