import { readFile, stat } from 'node:fs/promises';
import sharp from 'sharp';
import { PantomimeError } from '../../models/errors.js';
import type { RgbImage } from '../types.js';

/** What a reference picture may be at most; a file beyond is refused before it is decoded. */
export const pictureLimits = {
  fileBytes: 256 * 1024 * 1024,
  /** 128 megapixels: 384 MiB of RGB. */
  pixels: 128 * 1024 * 1024,
} as const;

/** Raster formats that are decoded. SVG and PDF are programs more than pictures, and have no size of their own. */
const formats = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif', 'avif', 'jp2', 'jxl']);

/** Colour under transparent parts, bytes of sRGB. */
export type Background = { readonly r: number; readonly g: number; readonly b: number };

const white: Background = { r: 255, g: 255, b: 255 };

export type PictureFile = {
  /** Size as it is looked at: after the turn its EXIF data asks for. */
  readonly width: number;
  readonly height: number;
  readonly format: string;
  /** Decodes the (first) picture: upright, sRGB, 8 bits, transparent parts on `background` (white). */
  readonly decode: (background?: Background) => Promise<RgbImage>;
};

/**
 * Opens a picture file. The bytes are read once, so that what was checked is what is decoded.
 * Throws PantomimeError `picture.missing`, `picture.not-a-picture`, `picture.too-big`; so does `decode`.
 */
export async function openPictureFile(path: string): Promise<PictureFile> {
  const bytes = await readBytes(path);
  const input = () => sharp(bytes, { limitInputPixels: pictureLimits.pixels, failOn: 'error' });
  const metadata = await input()
    .metadata()
    .catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
  const { format, autoOrient, width, height } = metadata;
  if (!formats.has(format)) throw notPicture(path, format);
  if (width * height > pictureLimits.pixels) throw tooBig(path, `${width}x${height}`, pixelLimit);
  const decode = async (background = white): Promise<RgbImage> => {
    const { data, info } = await input()
      .autoOrient()
      .flatten({ background })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
      .catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
    return { width: info.width, height: info.height, data: toRgb(data, info.channels) };
  };
  return { width: autoOrient.width, height: autoOrient.height, format, decode };
}

const pixelLimit = `at most ${pictureLimits.pixels / 1024 / 1024} megapixels`;

async function readBytes(path: string): Promise<Buffer> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw new PantomimeError({
      code: 'picture.missing',
      kind: 'input',
      what: 'there is no such file',
      where: path,
      hint: 'Give the path of a PNG, JPEG or WebP file.',
      cause,
    });
  });
  if (!stats.isFile()) throw notPicture(path, stats.isDirectory() ? 'a folder' : 'a special file');
  if (stats.size === 0) throw notPicture(path, 'an empty file');
  if (stats.size > pictureLimits.fileBytes) {
    throw tooBig(path, `${stats.size} bytes`, `at most ${pictureLimits.fileBytes} bytes`);
  }
  return readFile(path);
}

/** Grey pictures come with one channel, whatever colour space was asked for. */
function toRgb(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const out = new Uint8Array((data.length / channels) * 3);
  for (let i = 0, at = 0; i < data.length; i += channels, at += 3) out.fill(data[i] as number, at, at + 3);
  return out;
}

function unreadable(path: string, cause: unknown): PantomimeError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return /pixel limit/i.test(message)
    ? tooBig(path, 'a bigger picture', pixelLimit)
    : notPicture(path, message.split('\n')[0]?.slice(0, 200), cause);
}

function notPicture(path: string, got: string | undefined, cause?: unknown): PantomimeError {
  return new PantomimeError({
    code: 'picture.not-a-picture',
    kind: 'input',
    what: 'not a picture that can be read',
    where: path,
    got,
    expected: 'PNG, JPEG, WebP, GIF, TIFF, HEIF or AVIF',
    hint: 'Open the picture in another program and save it as PNG.',
    cause,
  });
}

function tooBig(path: string, got: string, expected: string): PantomimeError {
  return new PantomimeError({
    code: 'picture.too-big',
    kind: 'input',
    what: 'the picture is too big',
    where: path,
    got,
    expected,
    hint: 'Scale it down first: the video will be much smaller anyway.',
  });
}
