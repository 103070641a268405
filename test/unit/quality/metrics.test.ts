import { describe, expect, it } from 'vitest';
import { colorError } from '#dist/stages/quality/color-error.js';
import { flicker, flickerRatio, staticBackground } from '#dist/stages/quality/flicker.js';
import { areaOf, dilate, erode, intersection, type Mask, maskWhere } from '#dist/stages/quality/mask.js';
import { pck, share } from '#dist/stages/quality/pck.js';
import { meanSquaredError, mostDecibels, psnr } from '#dist/stages/quality/psnr.js';
import { ssim } from '#dist/stages/quality/ssim.js';
import type { Keypoint, RgbImage } from '#dist/stages/types.js';

type Color = readonly [number, number, number];

function picture(width: number, height: number, colorAt: (x: number, y: number) => Color): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(colorAt(x, y), (y * width + x) * 3);
  return { width, height, data };
}

/** A mask drawn with `#`. */
function mask(...rows: string[]): Mask {
  const data = Uint8Array.from(rows.join(''), (dot) => (dot === '#' ? 1 : 0));
  return { width: rows[0]!.length, height: rows.length, data };
}
const gray = (level: number): Color => [level, level, level];

describe('PCK', () => {
  const at = (x: number, y: number, score = 1): Keypoint => ({ x, y, score });
  // 100 pixels wide and 200 high: the box of the visible points is 40 by 120 pixels, so the size is 120.
  const size = { width: 100, height: 200 };
  const truth = [at(0.3, 0.2), at(0.7, 0.2), at(0.5, 0.8), at(0, 1, 0.3)];

  it('is 1 for the truth itself, and does not count what is not to be seen', () => {
    expect(pck(truth, truth, 0.1, size)).toEqual({ hits: 3, visible: 3 });
    expect(pck(truth, [at(0.5, 0.5, 0)], 0.1, size)).toEqual({ hits: 0, visible: 0 });
  });
  it('counts distances in pixels against the longer side of the box', () => {
    const moved = (dx: number, dy: number) => truth.map((point) => at(point.x + dx / 100, point.y + dy / 200));
    expect(pck(moved(11.9, 0), truth, 0.1, size).hits).toBe(3);
    expect(pck(moved(0, 11.9), truth, 0.1, size).hits).toBe(3);
    expect(pck(moved(12.1, 0), truth, 0.1, size).hits).toBe(0);
    expect(pck(moved(8, 8), truth, 0.1, size).hits).toBe(3);
    expect(pck(moved(9, 9), truth, 0.1, size).hits).toBe(0);
  });
  it('takes what was not found as missed', () => {
    expect(pck(undefined, truth, 0.1, size)).toEqual({ hits: 0, visible: 3 });
    expect(pck([at(0.3, 0.2, 0.3), ...truth.slice(1)], truth, 0.1, size)).toEqual({ hits: 2, visible: 3 });
  });
  it('may count some points only, and adds up', () => {
    const some = pck([at(0.3, 0.2), at(0.3, 0.2), at(0.5, 0.8)], truth, 0.1, size, [1, 2]);
    expect(some).toEqual({ hits: 1, visible: 2 });
    expect(share([some, { hits: 2, visible: 2 }])).toBe(0.75);
    expect(share([])).toBeNaN();
  });
});

describe('PSNR', () => {
  const black = picture(4, 4, () => gray(0));
  it('is that of the mean squared error', () => {
    const other = picture(4, 4, (x) => (x === 0 ? gray(20) : gray(0)));
    expect(meanSquaredError(black, other)).toBe(100);
    expect(psnr(black, other)).toBeCloseTo(28.1308, 4);
  });
  it('does not overflow', () => {
    expect(
      psnr(
        black,
        picture(4, 4, () => gray(255)),
      ),
    ).toBe(0);
  });
  it('looks at the mask only, and is bounded', () => {
    const other = picture(4, 4, (x) => (x < 2 ? [30, 0, 0] : gray(9)));
    const left = mask('##..', '##..', '##..', '##..');
    expect(meanSquaredError(black, other, left)).toBe(300);
    expect(psnr(black, black)).toBe(mostDecibels);
    expect(psnr(black, other, mask('....', '....', '....', '....'))).toBeNaN();
  });
  it('refuses other sizes', () => {
    expect(() =>
      psnr(
        black,
        picture(4, 5, () => gray(0)),
      ),
    ).toThrow(RangeError);
  });
});

describe('SSIM', () => {
  const pattern = picture(24, 20, (x, y) => gray((37 * x + 91 * y) % 256));
  it('is 1 for equal pictures and less for others', () => {
    expect(ssim(pattern, pattern)).toBeCloseTo(1, 12);
    expect(
      ssim(
        pattern,
        picture(24, 20, (x, y) => gray(255 - ((37 * x + 91 * y) % 256))),
      ),
    ).toBeLessThan(0);
  });
  it('of flat pictures is that of their levels alone', () => {
    const [a, b, c1] = [100, 150, 6.5025];
    const flat = (level: number) => picture(12, 12, () => gray(level));
    expect(ssim(flat(a), flat(b))).toBeCloseTo((2 * a * b + c1) / (a * a + b * b + c1), 9);
  });
  it('refuses what is smaller than a window', () => {
    const small = picture(10, 20, () => gray(0));
    expect(() => ssim(small, small)).toThrow(RangeError);
  });
});

describe('colour error', () => {
  const region = mask('.....', '.###.', '.###.', '.###.', '.....');
  const truth = picture(5, 5, () => [100, 50, 200]);
  it('is the mean absolute difference of the mean colours, not of the pixels', () => {
    expect(
      colorError(
        picture(5, 5, () => [110, 45, 200]),
        truth,
        region,
      ),
    ).toBe(5);
    const checks = picture(5, 5, (x, y) => ((x + y) % 2 ? [90, 50, 200] : [110, 50, 200]));
    const wide = mask('####', '####', '####', '####');
    const part = ({ data }: RgbImage) => ({ width: 4, height: 4, data: data.slice(0, 48) });
    expect(colorError(part(checks), part(truth), wide)).toBeLessThan(1);
  });
  it('leaves the border of the region out, unless nothing else is there', () => {
    const bordered = picture(5, 5, (x, y) => (x === 2 && y === 2 ? [100, 50, 200] : gray(0)));
    expect(colorError(bordered, truth, region)).toBe(0);
    expect(colorError(bordered, truth, mask('.....', '.....', '...#.', '.....', '.....'))).toBeCloseTo(350 / 3, 9);
    expect(colorError(bordered, truth, mask('.....', '.....', '.....', '.....', '.....'))).toBeUndefined();
  });
});

describe('flicker', () => {
  it('is what neighbouring frames differ by inside the region', () => {
    const frames = [10, 12, 9].map((level) => picture(3, 1, (x) => (x === 0 ? gray(level) : gray(level * 20))));
    expect(flicker(frames, mask('#..'))).toBe(2.5);
    expect(flicker(frames.slice(0, 1), mask('#..'))).toBeUndefined();
    expect(flicker(frames, mask('...'))).toBeUndefined();
  });
  it('is looked for where no frame has a figure nearby', () => {
    const figures = [mask('#.......', '........'), mask('..#.....', '........')];
    expect(staticBackground(figures, 2)).toEqual(mask('.....###', '.....###'));
  });
  it('has a ratio even where the truth stands perfectly still', () => {
    expect(flickerRatio(0.05, 0)).toBe(1);
    expect(flickerRatio(0.5, 0)).toBe(5);
    expect(flickerRatio(0.6, 0.4)).toBeCloseTo(1.5, 12);
  });
});

describe('masks', () => {
  it('grow and shrink by squares; the edge of the picture is no border', () => {
    expect(dilate(mask('....', '.#..', '....', '....'), 1)).toEqual(mask('###.', '###.', '###.', '....'));
    expect(erode(mask('###.', '###.', '###.', '....'), 1)).toEqual(mask('##..', '##..', '....', '....'));
  });
  it('come from labels and meet', () => {
    const labels = { width: 3, height: 1, data: Uint8Array.of(0, 2, 5) };
    expect(maskWhere(labels, (label) => label !== 0)).toEqual(mask('.##'));
    expect(areaOf(intersection([mask('.##'), mask('##.')]))).toBe(1);
    expect(() => intersection([])).toThrow(RangeError);
  });
});
