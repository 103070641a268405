import { mkdir } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import sharp from 'sharp';
import { PantomimeError } from '../models/errors.js';
import { drawCast } from '../samples/cast/draw.js';
import { castMember } from '../samples/cast/member.js';
import { castReference } from '../samples/cast/motion.js';
import { checkOutput } from './check-output.js';
import { writeAtomic } from './files.js';

/** A character of the kind that the embedded model knows. */
export type CharacterOptions = {
  /** Who it is: every whole number is somebody. */
  readonly seed: number;
  /** PNG file to write. */
  readonly output: string;
  /** Pixels. Default 256x384, twice the size of the embedded model's videos. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Replace a file of that name. Default false. */
  readonly overwrite?: boolean | undefined;
};

/** Largest side of a drawn picture. */
const maxSide = 2048;
const minSide = 64;

/**
 * Draws the character of a seed, standing at ease in front of its wall, and writes it as PNG. The same seed and size give the
 * same picture. Returns its path. Throws PantomimeError of kind `usage` or `input`.
 */
export async function drawCharacter(options: CharacterOptions): Promise<string> {
  const { seed, output, width = 256, height = 384, overwrite = false } = options;
  requireWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  requireWhole('width', width, minSide, maxSide);
  requireWhole('height', height, minSide, maxSide);
  const path = resolve(output);
  if (extname(path).toLowerCase() !== '.png') {
    throw new PantomimeError({
      code: 'options.output-format',
      kind: 'usage',
      what: 'characters are written as PNG',
      where: '--out',
      got: output,
      hint: 'a name that ends in .png',
    });
  }
  await checkOutput(dirname(path), path, { overwrite });
  const { image } = drawCast(castMember(seed), castReference(seed), { width, height });
  const png = await sharp(image.data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  await mkdir(dirname(path), { recursive: true });
  await writeAtomic(path, png);
  return path;
}

function requireWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new PantomimeError({
    code: 'options.value',
    kind: 'usage',
    what: `${name} does not fit`,
    where: `--${name}`,
    got: String(value),
    expected: `a whole number from ${least} to ${most}`,
  });
}
