import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import { PantomimeError } from '../models/errors.js';
import type { FrameStream, Rational, RgbImage } from './types.js';

/** Most pictures taken from one folder. */
export const maxPictures = 100_000;
/** Largest picture that is opened, in pixels. */
const maxPicturePixels = 2 ** 26;
const pictureExtensions: ReadonlySet<string> = new Set([
  '.png',
  '.jpg',
  '.jpeg',
  '.webp',
  '.bmp',
  '.tif',
  '.tiff',
  '.avif',
]);

export type ControlFramesOptions = {
  /** Size of the frames; pictures are stretched to it. */
  readonly width: number;
  readonly height: number;
  /** Rate of a picture folder, which has none of its own. Default 30. */
  readonly frameRate?: Rational | undefined;
  /** Take every n-th picture of a folder. Default 1. */
  readonly stride?: number | undefined;
  readonly maxFrames?: number | undefined;
  /** How a video is opened at that size; the pipeline gives probe, plan and decode, which are stages of their own. */
  readonly openVideo: (path: string) => Promise<FrameStream>;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Ready-made control frames: a skeleton video, or a folder of pictures in natural order (`frame-2` before `frame-10`).
 * Transparent parts lie on black. Throws PantomimeError of kind `input` when there is nothing there, and while iterating
 * for a picture that cannot be read.
 */
export async function openControlFrames(source: string, options: ControlFramesOptions): Promise<FrameStream> {
  const info = await stat(source).catch((cause: unknown) => {
    throw new PantomimeError({
      code: 'control.missing',
      kind: 'input',
      what: 'there is no such control video or picture folder',
      where: source,
      cause,
    });
  });
  if (!info.isDirectory()) return await options.openVideo(source);

  const { width, height, frameRate = { num: 30, den: 1 }, stride = 1, maxFrames = maxPictures, signal } = options;
  const all = await listPictures(source);
  const names = all.filter((_, index) => index % stride === 0).slice(0, maxFrames);
  async function* frames(): AsyncGenerator<RgbImage, void, void> {
    for (const name of names) {
      signal?.throwIfAborted();
      yield await readPicture(join(source, name), width, height);
    }
  }
  return {
    width,
    height,
    frameRate: { num: frameRate.num, den: frameRate.den * stride },
    frameCount: names.length,
    frames: { [Symbol.asyncIterator]: frames },
  };
}

async function listPictures(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .filter((name) => pictureExtensions.has(extname(name).toLowerCase()));
  if (names.length === 0 || names.length > maxPictures) {
    throw new PantomimeError({
      code: names.length === 0 ? 'control.no-pictures' : 'control.too-many-pictures',
      kind: 'input',
      what: 'this folder cannot serve as a control video',
      where: folder,
      got: `${names.length} pictures among ${entries.length} entries`,
      expected: `1 to ${maxPictures} files of ${[...pictureExtensions].join(' ')}`,
    });
  }
  const natural = new Intl.Collator('en', { numeric: true });
  // Names that differ only in what the collator ignores still need one order on every machine.
  return names.sort((a, b) => natural.compare(a, b) || (a < b ? -1 : 1));
}

async function readPicture(path: string, width: number, height: number): Promise<RgbImage> {
  try {
    const picture = sharp(path, { limitInputPixels: maxPicturePixels, failOn: 'error' });
    const { data, info } = await picture
      .autoOrient()
      .toColourspace('srgb')
      .flatten({ background: '#000' })
      .resize(width, height, { fit: 'fill' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width, height, data: info.channels === 3 ? data : grayToRgb(data, info.channels) };
  } catch (cause) {
    throw new PantomimeError({
      code: 'control.bad-picture',
      kind: 'input',
      what: 'this picture cannot be read',
      where: path,
      got: (cause as Error).message,
      cause,
    });
  }
}

function grayToRgb(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i += 1) rgb.fill(data[i * channels] ?? 0, i * 3, i * 3 + 3);
  return rgb;
}
