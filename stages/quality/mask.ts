/** Which pixels count: one byte a pixel, 0 or 1, row by row. */
export type Mask = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** Pixels of a label map for which `counts` says so. */
export function maskWhere(
  labels: { readonly width: number; readonly height: number; readonly data: Uint8Array },
  counts: (label: number) => boolean,
): Mask {
  const { width, height, data } = labels;
  return { width, height, data: data.map((label) => (counts(label) ? 1 : 0)) };
}

/** The mask less `radius` pixels at its borders (square neighbourhood). The picture's own edge is no border. */
export function erode(mask: Mask, radius: number): Mask {
  return inverted(dilate(inverted(mask), radius));
}

/** The mask and everything up to `radius` pixels beside it, diagonals included (square neighbourhood). */
export function dilate(mask: Mask, radius: number): Mask {
  const { width, height } = mask;
  const across = spread(mask.data, width, height, 1, width, radius);
  return { width, height, data: spread(across, height, width, width, 1, radius) };
}

/** Pixels that are in all masks. Throws RangeError when there is none or sizes differ. */
export function intersection(masks: readonly Mask[]): Mask {
  const [first] = masks;
  if (!first) throw new RangeError('no masks');
  const data = new Uint8Array(first.data);
  for (const mask of masks) {
    if (mask.data.length !== data.length) throw new RangeError('masks of different sizes');
    for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) & (mask.data[i] as number);
  }
  return { width: first.width, height: first.height, data };
}

/** How many pixels count. */
export function areaOf(mask: Mask): number {
  return mask.data.reduce((sum, value) => sum + value, 0);
}

function inverted({ width, height, data }: Mask): Mask {
  return { width, height, data: data.map((value) => 1 - value) };
}

/** Widens along lines of `length` pixels that lie `step` apart; `lines` of them, `lineStep` apart. */
function spread(from: Uint8Array, length: number, lines: number, step: number, lineStep: number, radius: number) {
  const to = new Uint8Array(from.length);
  for (let line = 0; line < lines; line++) {
    const start = line * lineStep;
    for (let i = 0; i < length; i++) {
      if (!from[start + i * step]) continue;
      for (let k = Math.max(0, i - radius); k <= Math.min(length - 1, i + radius); k++) to[start + k * step] = 1;
    }
  }
  return to;
}
