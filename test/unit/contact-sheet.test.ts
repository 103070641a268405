import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { contactSheet, sampleColumns } from '#dist/stages/contact-sheet.js';
import { forEachDot, textColumns, textRows } from '#dist/stages/drawing/bitmap-text.js';
import { sideBySide } from '#dist/stages/side-by-side.js';
import type { RgbImage } from '#dist/stages/types.js';

function flat(width: number, height: number, color: readonly [number, number, number]): RgbImage {
  return { width, height, data: new Uint8Array(width * height * 3).map((_, i) => color[i % 3]!) };
}
const pixel = ({ width, data }: RgbImage, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('sampleColumns', () => {
  it('spreads over the clip from its first to its last frame', () => {
    expect(sampleColumns(0)).toEqual([]);
    expect(sampleColumns(1)).toEqual([0]);
    expect(sampleColumns(3)).toEqual([0, 1, 2]);
    expect(sampleColumns(8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(sampleColumns(100)).toEqual([0, 14, 28, 42, 57, 71, 85, 99]);
    expect(sampleColumns(240, 3)).toEqual([0, 120, 239]);
  });
});

describe('contactSheet', () => {
  it('puts every picture into its cell, and captions beside them', async () => {
    const [red, green, blue] = [flat(90, 160, [255, 0, 0]), flat(90, 160, [0, 255, 0]), flat(320, 160, [0, 0, 255])];
    const png = await contactSheet({
      rows: [
        { label: 'driving', images: [red, green] },
        { label: 'result', images: [blue] },
      ],
      captions: ['0.00 s', '1.25 s'],
      cellWidth: 90,
    });
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    const sheet = { width: info.width, height: info.height, data };
    const left = 12 + textColumns('driving') * 2 + 12;
    const top = 12 + textRows * 2 + 6;
    expect([sheet.width, sheet.height]).toEqual([left + 90 + 4 + 90 + 12, top + 160 + 4 + 45 + 12]);
    expect(pixel(sheet, left, top)).toEqual([255, 0, 0]);
    expect(pixel(sheet, left + 89, top + 159)).toEqual([255, 0, 0]);
    expect(pixel(sheet, left + 94, top)).toEqual([0, 255, 0]);
    expect(pixel(sheet, left + 183, top + 159)).toEqual([0, 255, 0]);
    expect(pixel(sheet, left, top + 164)).toEqual([0, 0, 255]);
    expect(pixel(sheet, left + 94, top + 164)).toEqual(pixel(sheet, 0, 0));
    // The label's dots, and nothing else, are in its strip.
    let lit = 0;
    for (let y = top; y < top + 160; y += 1)
      for (let x = 0; x < left; x += 1) lit += pixel(sheet, x, y)[0]! > 200 ? 1 : 0;
    let dots = 0;
    forEachDot('driving', () => (dots += 1));
    expect(lit).toBe(dots * 4);
  });

  it('shows the reference once, left of the rows', async () => {
    const rows = [{ label: 'pose', images: [flat(90, 160, [255, 0, 0])] }];
    const png = await contactSheet({ rows, reference: flat(45, 80, [0, 0, 255]), cellWidth: 90 });
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    const sheet = { width: info.width, height: info.height, data };
    const top = 12 + textRows * 2 + 6;
    expect([sheet.width, sheet.height]).toEqual([
      12 + 90 + 12 + textColumns('pose') * 2 + 12 + 90 + 12,
      top + 160 + 12,
    ]);
    expect(pixel(sheet, 12, top)).toEqual([0, 0, 255]);
    expect(pixel(sheet, 101, top + 159)).toEqual([0, 0, 255]);
    expect(pixel(sheet, sheet.width - 13, top)).toEqual([255, 0, 0]);
  });

  it('refuses to draw nothing', async () => {
    await expect(contactSheet({ rows: [{ label: 'x', images: [] }] })).rejects.toThrow(RangeError);
  });
});

describe('bitmap text', () => {
  it('has a different shape for every letter and digit', () => {
    const shapes = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-+/=()%#_'].map((letter) => {
      const dots: string[] = [];
      forEachDot(letter, (column, row) => dots.push(`${column},${row}`));
      return dots.join(' ');
    });
    expect(new Set(shapes).size).toBe(shapes.length);
  });
});

describe('sideBySide', () => {
  it('puts pictures of one height together without touching them', () => {
    const both = sideBySide([flat(3, 4, [1, 2, 3]), flat(5, 4, [7, 8, 9])]);
    expect([both.width, both.height]).toEqual([8, 4]);
    expect(pixel(both, 2, 3)).toEqual([1, 2, 3]);
    expect(pixel(both, 3, 0)).toEqual([7, 8, 9]);
  });

  it('scales to a common height and pads to even sides with black', () => {
    const both = sideBySide([flat(40, 80, [200, 100, 50]), flat(10, 15, [10, 20, 30])]);
    expect([both.width, both.height]).toEqual([8 + 10, 16]);
    expect(pixel(both, 0, 0)).toEqual([200, 100, 50]);
    expect(pixel(both, 7, 14)).toEqual([200, 100, 50]);
    expect(pixel(both, 8, 14)).toEqual([10, 20, 30]);
    expect(pixel(both, 0, 15)).toEqual([0, 0, 0]);
    expect(sideBySide([flat(3, 5, [9, 9, 9])], 5).width).toBe(4);
  });

  it('keeps shapes in place and averages what it makes smaller', () => {
    // A fine checkerboard becomes grey; a left-to-right ramp stays one.
    const checker = flat(64, 64, [0, 0, 0]);
    const ramp = flat(64, 64, [0, 0, 0]);
    for (let y = 0; y < 64; y += 1) {
      for (let x = 0; x < 64; x += 1) {
        checker.data.fill((x + y) % 2 ? 255 : 0, (y * 64 + x) * 3, (y * 64 + x) * 3 + 3);
        ramp.data.fill(x * 4, (y * 64 + x) * 3, (y * 64 + x) * 3 + 3);
      }
    }
    const grey = sideBySide([checker], 16);
    for (const value of grey.data) expect(Math.abs(value - 127.5)).toBeLessThan(6);
    const small = sideBySide([ramp], 32);
    for (let x = 2; x < 30; x += 1)
      expect(Math.abs(pixel(small, x, 16)[0]! - (x * 2 + 0.5) * 4)).toBeLessThanOrEqual(1);
    const large = sideBySide([ramp], 128);
    for (let x = 4; x < 124; x += 1)
      expect(Math.abs(pixel(large, x, 64)[0]! - (x / 2 - 0.25) * 4)).toBeLessThanOrEqual(1);
  });

  it('scales a still picture once', () => {
    const still = flat(20, 20, [50, 60, 70]);
    const first = sideBySide([still, flat(10, 10, [0, 0, 0])]);
    still.data.fill(0);
    expect(sideBySide([still, flat(10, 10, [0, 0, 0])]).data).toEqual(first.data);
  });
});
