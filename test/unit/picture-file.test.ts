import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { coverWindow } from '#dist/stages/reference/cover.js';
import { loadReferencePicture } from '#dist/stages/reference/load-picture.js';
import { readPictureInfo } from '#dist/stages/reference/picture-info.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-picture-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);

/** Left half red, right half blue, 64x32. */
function halves(): Sharp {
  const data = Buffer.alloc(64 * 32 * 3);
  for (let i = 0; i < 64 * 32; i++) data[i * 3 + (i % 64 < 32 ? 0 : 2)] = 200;
  return sharp(data, { raw: { width: 64, height: 32, channels: 3 } });
}

async function texels(name: string, width: number, height: number, points: [number, number][]) {
  const image = await loadReferencePicture(path(name), { width, height });
  expect(image.data.length).toBe(width * height * 3);
  return points.map(([x, y]) => [...image.data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]);
}

const near = (got: number[] | undefined, want: number[], tolerance = 6) =>
  want.forEach((value, i) => {
    expect(Math.abs(got![i]! - value)).toBeLessThanOrEqual(tolerance);
  });

async function failure(name: string): Promise<PantomimeError> {
  const error = await loadReferencePicture(path(name), { width: 64, height: 64 }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PantomimeError);
  return error as PantomimeError;
}

describe('reference pictures of every kind', () => {
  it('turns by EXIF orientation', async () => {
    await halves().withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toFile(path('turned.jpg'));
    expect(await readPictureInfo(path('turned.jpg'))).toEqual({ width: 32, height: 64, format: 'jpeg' });
    const [top, bottom] = await texels('turned.jpg', 32, 64, [
      [16, 4],
      [16, 60],
    ]);
    near(top, [200, 0, 0], 12);
    near(bottom, [0, 0, 200], 12);
  });

  it('lays transparent parts on white, or on the colour asked for', async () => {
    await sharp({ create: { width: 16, height: 16, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toFile(path('clear.png'));
    const [white] = await texels('clear.png', 16, 16, [[8, 8]]);
    expect(white).toEqual([255, 255, 255]);
    const green = await loadReferencePicture(path('clear.png'), {
      width: 16,
      height: 16,
      background: { r: 0, g: 200, b: 0 },
    });
    expect([...green.data.subarray(0, 3)]).toEqual([0, 200, 0]);
  });

  it('reads 16-bit, grey, grey with alpha, palette and CMYK', async () => {
    await halves().toColourspace('rgb16').png().toFile(path('deep.png'));
    expect((await sharp(path('deep.png')).metadata()).depth).toBe('ushort');
    near((await texels('deep.png', 64, 32, [[4, 4]]))[0], [200, 0, 0]);
    const grey = { width: 8, height: 8 };
    await sharp(Buffer.alloc(64, 90), { raw: { ...grey, channels: 1 } })
      .png()
      .toFile(path('grey.png'));
    near((await texels('grey.png', 8, 8, [[4, 4]]))[0], [90, 90, 90], 1);
    await sharp(Buffer.alloc(128, 255), { raw: { ...grey, channels: 2 } })
      .png()
      .toFile(path('grey-alpha.png'));
    near((await texels('grey-alpha.png', 8, 8, [[4, 4]]))[0], [255, 255, 255], 1);
    await halves().png({ palette: true }).toFile(path('palette.png'));
    near((await texels('palette.png', 64, 32, [[60, 4]]))[0], [0, 0, 200]);
    await halves().toColourspace('cmyk').jpeg({ quality: 95 }).toFile(path('cmyk.jpg'));
    expect((await sharp(path('cmyk.jpg')).metadata()).space).toBe('cmyk');
    const [red] = await texels('cmyk.jpg', 64, 32, [[4, 4]]);
    expect(red![0]! - red![2]!).toBeGreaterThan(100);
  });

  it('converts wide-gamut pictures to sRGB', async () => {
    const flat = sharp({ create: { width: 16, height: 16, channels: 3, background: { r: 180, g: 60, b: 60 } } });
    await flat.withIccProfile('p3').png().toFile(path('p3.png'));
    const stored = await sharp(path('p3.png'), { ignoreIcc: true }).raw().toBuffer();
    expect(Math.abs(stored[0]! - 180)).toBeGreaterThan(4);
    near((await texels('p3.png', 16, 16, [[8, 8]]))[0], [180, 60, 60], 2);
  });

  it('takes the first frame of an animation', async () => {
    const frames = Buffer.concat([Buffer.alloc(16 * 16 * 3, 250), Buffer.alloc(16 * 16 * 3, 5)]);
    await sharp(frames, { raw: { width: 16, height: 32, channels: 3, pageHeight: 16 } })
      .gif()
      .toFile(path('moving.gif'));
    expect((await sharp(path('moving.gif')).metadata()).pages).toBe(2);
    expect(await readPictureInfo(path('moving.gif'))).toEqual({ width: 16, height: 16, format: 'gif' });
    near((await texels('moving.gif', 16, 16, [[8, 8]]))[0], [250, 250, 250], 3);
  });

  it('does not multiply an extreme aspect ratio', async () => {
    await sharp({ create: { width: 20000, height: 1, channels: 3, background: 'red' } })
      .png()
      .toFile(path('thread.png'));
    near((await texels('thread.png', 64, 128, [[30, 60]]))[0], [255, 0, 0], 1);
  });
});

describe('files that are no usable picture', () => {
  it('missing, a folder, text, empty, SVG, cut off', async () => {
    expect((await failure('nothing.png')).code).toBe('picture.missing');
    expect((await failure('.')).code).toBe('picture.not-a-picture');
    await writeFile(path('text.png'), 'not a picture');
    await writeFile(path('empty.png'), '');
    await writeFile(path('drawing.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const noise = Buffer.from(Uint8Array.from({ length: 128 * 128 * 3 }, (_, i) => (i * 7919) % 251));
    const whole = await sharp(noise, { raw: { width: 128, height: 128, channels: 3 } })
      .png()
      .toBuffer();
    await writeFile(path('cut.png'), whole.subarray(0, whole.length / 2));
    for (const name of ['text.png', 'empty.png', 'drawing.svg', 'cut.png']) {
      const error = await failure(name);
      expect(error.code).toBe('picture.not-a-picture');
      expect(error.kind).toBe('input');
      expect(error.message).toContain(name);
    }
  });

  it('a small file that claims to be huge', async () => {
    const header = Buffer.alloc(25);
    header.writeUInt32BE(13, 0);
    header.write('IHDR', 4);
    header.writeUInt32BE(30_000, 8);
    header.writeUInt32BE(30_000, 12);
    header.set([8, 2, 0, 0, 0], 16);
    header.writeUInt32BE(crc32(header.subarray(4, 21)), 21);
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const data = Buffer.from('00000000494441540000000000000000', 'hex');
    await writeFile(path('bomb.png'), Buffer.concat([signature, header, data]));
    expect((await failure('bomb.png')).code).toBe('picture.too-big');
  });
});

describe('coverWindow', () => {
  it('fits one side, rounds the other up, crops at even halves', () => {
    expect(coverWindow({ width: 1000, height: 700 }, { width: 576, height: 1024 })).toEqual({
      scaledWidth: 1463,
      scaledHeight: 1024,
      left: 444,
      top: 0,
      width: 576,
      height: 1024,
    });
    expect(coverWindow({ width: 64, height: 131 }, { width: 64, height: 64 }).top).toBe(34);
    expect(coverWindow({ width: 64, height: 65 }, { width: 64, height: 64 }).top).toBe(0);
  });
});
