/**
 * A character of the cast and a clip of the same one in motion, as files: a driving clip whose truth is known.
 *
 *     npm run build && node dist/samples/write-cast-clip.js SEED [--frames 48] [--out FOLDER]
 *
 * Writes `SEED.png` (at ease) and `SEED.mp4` (12 frames a second, lossless), at twice the size of the embedded model's videos.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { encodeVideo } from '../stages/encode.js';
import { locateFfmpeg } from '../stages/ffmpeg/locate.js';
import type { RgbImage } from '../stages/types.js';
import { drawCast } from './cast/draw.js';
import { castMember } from './cast/member.js';
import { castMotion } from './cast/motion.js';
import { referencePicture, referenceSize } from './references.js';

const frameRate = { num: 12, den: 1 };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { frames: { type: 'string', default: '48' }, out: { type: 'string', default: '.' } },
});
const [seed, count] = [Number(positionals[0]), Number(values.frames)];
if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is a whole number, not ${positionals[0]}`);
if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`--frames is a whole number, not ${values.frames}`);

async function* frames(): AsyncGenerator<RgbImage, void> {
  const [member, motion] = [castMember(seed), castMotion(seed)];
  for (let i = 0; i < count; i++)
    yield drawCast(member, motion((i * frameRate.den) / frameRate.num), referenceSize).image;
}

await mkdir(values.out, { recursive: true });
const picture = join(values.out, `${seed}.png`);
await sharp(referencePicture(seed).image.data, { raw: { ...referenceSize, channels: 3 } })
  .png()
  .toFile(picture);
const out = join(values.out, `${seed}.mp4`);
const { ffmpeg } = await locateFfmpeg();
await encodeVideo({ frames: frames(), ...referenceSize, frameRate, out, tools: { ffmpeg }, crf: 0 });
process.stderr.write(`${picture}\n${out}\n`);
