import sharp from 'sharp';
import { forEachDot, textColumns, textRows } from './drawing/bitmap-text.js';
import type { RgbImage } from './types.js';

export type SheetRow = { readonly label: string; readonly images: readonly RgbImage[] };

export type ContactSheetOptions = {
  /** Usually driving, pose and result, each with the same sampled frames. Rows may have their own aspect ratio. */
  readonly rows: readonly SheetRow[];
  /** The character's picture, shown once on the left. */
  readonly reference?: RgbImage | undefined;
  /** What stands above the columns, e.g. times. */
  readonly captions?: readonly string[] | undefined;
  /** Width of a picture in the sheet. Default 160. */
  readonly cellWidth?: number | undefined;
};

const background = [17, 20, 24] as const;
const ink = [205, 210, 216] as const;
const gutter = 4;
const margin = 12;
/** Pixels a dot of the letters takes. */
const dotSize = 2;

/** Up to `columns` frame numbers spread evenly over a clip, with its first and last frame. */
export function sampleColumns(frameCount: number, columns = 8): number[] {
  const count = Math.min(frameCount, columns);
  if (count <= 1) return count === 1 ? [0] : [];
  return Array.from({ length: count }, (_, i) => Math.round((i * (frameCount - 1)) / (count - 1)));
}

/** A PNG that shows a clip at a glance: a row for each kind of picture, a column for each sampled frame. */
export async function contactSheet(options: ContactSheetOptions): Promise<Buffer> {
  const { rows, reference, captions = [], cellWidth = 160 } = options;
  const columns = Math.max(0, ...rows.map((row) => row.images.length));
  if (columns === 0) throw new RangeError('a contact sheet needs at least one picture');
  const cellHeights = rows.map(({ images: [first] }) => {
    return first ? heightFor(first, cellWidth) : textRows * dotSize;
  });
  const labelWidth = Math.max(0, ...rows.map((row) => textColumns(row.label) * dotSize));
  const labelLeft = margin + (reference ? cellWidth + margin : 0);
  const left = labelLeft + (labelWidth > 0 ? labelWidth + margin : 0);
  const top = margin + (reference || captions.length > 0 ? textRows * dotSize + margin / 2 : 0);
  const width = left + columns * cellWidth + (columns - 1) * gutter + margin;
  const gridHeight = cellHeights.reduce((sum, one) => sum + one, 0) + (rows.length - 1) * gutter;
  const referenceHeight = reference ? Math.min(heightFor(reference, cellWidth), gridHeight) : 0;
  const height = top + gridHeight + margin;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set(background, i);
  const canvas = { width, height, data };

  const writeAbove = (caption: string, x: number) =>
    write(canvas, caption, x + Math.floor((cellWidth - textColumns(caption) * dotSize) / 2), margin - 2);
  for (const [column, caption] of captions.slice(0, columns).entries()) {
    writeAbove(caption, left + column * (cellWidth + gutter));
  }
  if (reference) {
    writeAbove('reference', margin);
    paste(canvas, await fitInto(reference, cellWidth, referenceHeight), margin, top);
  }
  let y = top;
  for (const [index, { label, images }] of rows.entries()) {
    const cellHeight = cellHeights[index] ?? 0;
    write(canvas, label, labelLeft, y + Math.floor((cellHeight - textRows * dotSize) / 2));
    for (const [column, image] of images.entries()) {
      const cell = await fitInto(image, cellWidth, cellHeight);
      paste(canvas, cell, left + column * (cellWidth + gutter), y);
    }
    y += cellHeight + gutter;
  }
  return await sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

function heightFor({ width, height }: RgbImage, cellWidth: number): number {
  return Math.min(Math.max(Math.round((cellWidth * height) / width), textRows * dotSize), cellWidth * 3);
}

async function fitInto({ width, height, data }: RgbImage, toWidth: number, toHeight: number): Promise<RgbImage> {
  const [r, g, b] = background;
  const scaled = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(toWidth, toHeight, { fit: 'contain', background: { r, g, b } })
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width: toWidth, height: toHeight, data: scaled };
}

function paste(canvas: RgbImage, image: RgbImage, left: number, top: number): void {
  for (let y = 0; y < image.height; y += 1) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    canvas.data.set(row, ((top + y) * canvas.width + left) * 3);
  }
}

function write({ width, height, data }: RgbImage, text: string, left: number, top: number): void {
  forEachDot(text, (column, row) => {
    for (let dy = 0; dy < dotSize; dy += 1) {
      for (let dx = 0; dx < dotSize; dx += 1) {
        const [x, y] = [left + column * dotSize + dx, top + row * dotSize + dy];
        if (x >= 0 && x < width && y >= 0 && y < height) data.set(ink, (y * width + x) * 3);
      }
    }
  });
}
