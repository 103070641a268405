import { fileURLToPath } from 'node:url';
import type { CastPicture } from './cast/draw.js';
import { drawCast } from './cast/draw.js';
import { castMember } from './cast/member.js';
import { castReference } from './cast/motion.js';

/** The characters of `samples/reference/`, by the seeds that draw them. No training has seen them: see samples/README.md. */
export const references = [
  { name: 'ida', seed: 2_000_000_015 },
  { name: 'kofi', seed: 2_000_000_023 },
  { name: 'rune', seed: 2_000_000_018 },
] as const;

/** Size of the reference pictures: twice that of the embedded model's videos. */
export const referenceSize = { width: 256, height: 384 } as const;

/** Where the picture of a character lies; this file is dist/samples/references.js. */
export const referencePath = (name: string): string =>
  fileURLToPath(new URL(`../../samples/reference/${name}.png`, import.meta.url));

/** A character standing at ease. */
export const referencePicture = (seed: number): CastPicture =>
  drawCast(castMember(seed), castReference(seed), referenceSize);
