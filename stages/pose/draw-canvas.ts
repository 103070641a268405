import { combineRows, linearTaps } from './opencv-linear.js';

/**
 * A big drawing canvas of which only the texels that a later bilinear reduction reads are kept.
 *
 * The published drawing paints a canvas whose short side is 2160 and shrinks it without antialiasing, so each output value
 * depends on 2x2 texels only. Shapes are rasterised in full canvas coordinates, by the rules of OpenCV, but a row or column
 * that no output pixel reads takes no memory and no time.
 */
export type SampledCanvas = {
  readonly width: number;
  readonly height: number;
  readonly columns: SampledAxis;
  readonly rows: SampledAxis;
  /** Kept texels, row-major `[rows.slots, columns.slots]`, packed red | green << 8 | blue << 16. */
  readonly texels: Uint32Array;
  /** First and last slot painted in each kept row; first > last when none was. */
  readonly firstPainted: Int32Array;
  readonly lastPainted: Int32Array;
};

/** One axis of the canvas, and how OpenCV's `INTER_LINEAR` reads it. A slot is a kept row or column. */
export type SampledAxis = {
  /** Number of kept coordinates. */
  readonly slots: number;
  /** `slotFrom[c]` is the first slot at or after canvas coordinate c; `size + 1` entries. */
  readonly slotFrom: Int32Array;
  /** Per output coordinate: the two slots it reads and their weights in units of 1/2048. */
  readonly tap0: Int32Array;
  readonly tap1: Int32Array;
  readonly weight0: Int32Array;
  readonly weight1: Int32Array;
};

/** An empty (black) canvas of `canvasWidth` x `canvasHeight` that will be reduced to `width` x `height`. */
export function sampledCanvas(canvasWidth: number, canvasHeight: number, width: number, height: number): SampledCanvas {
  const columns = sampledAxis(canvasWidth, width, true);
  const rows = sampledAxis(canvasHeight, height, false);
  return {
    width: canvasWidth,
    height: canvasHeight,
    columns,
    rows,
    texels: new Uint32Array(columns.slots * rows.slots),
    firstPainted: new Int32Array(rows.slots).fill(columns.slots),
    lastPainted: new Int32Array(rows.slots).fill(-1),
  };
}

/** Paints texels x1..x2 (both included) of row y, clipped to the canvas. */
export function paintSpan(canvas: SampledCanvas, y: number, x1: number, x2: number, color: number): void {
  const { columns, rows } = canvas;
  if (y < 0 || y >= canvas.height || x2 < 0 || x1 >= canvas.width || x1 > x2) return;
  const row = rows.slotFrom[y] as number;
  if (row === rows.slotFrom[y + 1]) return;
  const first = columns.slotFrom[Math.max(x1, 0)] as number;
  const last = (columns.slotFrom[Math.min(x2, canvas.width - 1) + 1] as number) - 1;
  if (first > last) return;
  canvas.texels.fill(color, row * columns.slots + first, row * columns.slots + last + 1);
  if (first < (canvas.firstPainted[row] as number)) canvas.firstPainted[row] = first;
  if (last > (canvas.lastPainted[row] as number)) canvas.lastPainted[row] = last;
}

/**
 * Reduces the canvas to `width` x `height` as OpenCV's 8-bit `INTER_LINEAR` does: weights rounded to 11 bits, rows first
 * summed exactly, then combined with the truncations of its vertical pass. Returns tight RGB bytes.
 */
export function reduceCanvas(canvas: SampledCanvas, width: number, height: number): Uint8Array {
  const { columns, rows, texels } = canvas;
  const out = new Uint8Array(width * height * 3);
  const { tap0, tap1, weight0, weight1 } = columns;
  let from = 0;
  for (let y = 0; y < height; y++) {
    const row0 = rows.tap0[y] as number;
    const row1 = rows.tap1[y] as number;
    const first = Math.min(canvas.firstPainted[row0] as number, canvas.firstPainted[row1] as number);
    const last = Math.max(canvas.lastPainted[row0] as number, canvas.lastPainted[row1] as number);
    if (first > last) continue;
    const b0 = rows.weight0[y] as number;
    const b1 = rows.weight1[y] as number;
    const base0 = row0 * columns.slots;
    const base1 = row1 * columns.slots;
    // Rows next to each other start at nearly the same column, so the search walks from the last answer.
    while (from > 0 && (tap1[from - 1] as number) >= first) from--;
    while ((tap1[from] as number) < first) from++;
    for (let x = from; x < width && (tap0[x] as number) <= last; x++) {
      const left = tap0[x] as number;
      const right = tap1[x] as number;
      const p00 = texels[base0 + left] as number;
      const p01 = texels[base0 + right] as number;
      const p10 = texels[base1 + left] as number;
      const p11 = texels[base1 + right] as number;
      if ((p00 | p01 | p10 | p11) === 0) continue;
      const a0 = weight0[x] as number;
      const a1 = weight1[x] as number;
      const at = (y * width + x) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const shift = channel * 8;
        const upper = ((p00 >> shift) & 255) * a0 + ((p01 >> shift) & 255) * a1;
        const lower = ((p10 >> shift) & 255) * a0 + ((p11 >> shift) & 255) * a1;
        out[at + channel] = combineRows(upper, lower, b0, b1);
      }
    }
  }
  return out;
}

/** The taps of one axis as slots. */
function sampledAxis(size: number, outputs: number, snap: boolean): SampledAxis {
  const { source0, source1, weight0, weight1 } = linearTaps(size, outputs, snap);
  const slotFrom = new Int32Array(size + 1);
  for (let i = 0; i < outputs; i++) {
    slotFrom[(source0[i] as number) + 1] = 1;
    slotFrom[(source1[i] as number) + 1] = 1;
  }
  for (let c = 0; c < size; c++) slotFrom[c + 1] = (slotFrom[c + 1] as number) + (slotFrom[c] as number);
  const slotOf = (coordinate: number) => slotFrom[coordinate] as number;
  return {
    slots: slotFrom[size] as number,
    slotFrom,
    tap0: source0.map(slotOf),
    tap1: source1.map(slotOf),
    weight0,
    weight1,
  };
}
