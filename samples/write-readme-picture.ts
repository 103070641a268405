/**
 * The moving picture at the top of the README: reference, poses and result of finished runs, side by side.
 *
 *     npm run build && node dist/samples/write-readme-picture.js RUN_FOLDER... [--out docs/demo.webp]
 *
 * Takes `comparison.mp4` of each run; several runs are put below one another. Animated WebP or GIF, by the name of the output.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { decodeFrames, planDecode } from '../stages/decode.js';
import { locateFfmpeg } from '../stages/ffmpeg/locate.js';
import { probe } from '../stages/probe.js';
import type { RgbImage } from '../stages/types.js';

/** Most frames shown; longer runs are cut. */
const maxFrames = 48;

async function framesOf(runDir: string): Promise<{ readonly frames: readonly RgbImage[]; readonly delayMs: number }> {
  const tools = await locateFfmpeg();
  const info = await probe(join(runDir, 'comparison.mp4'), tools);
  const stream = decodeFrames(info, planDecode(info, { maxFrames }), tools);
  const frames: RgbImage[] = [];
  for await (const frame of stream.frames) frames.push(frame);
  return { frames, delayMs: Math.round((1000 * stream.frameRate.den) / stream.frameRate.num) };
}

/** Pictures of one width below one another. */
function stacked(images: readonly RgbImage[]): RgbImage {
  const [first] = images as [RgbImage];
  if (images.some(({ width }) => width !== first.width)) throw new RangeError('the runs differ in width');
  const data = Buffer.concat(images.map((image) => image.data));
  return { width: first.width, height: images.reduce((sum, { height }) => sum + height, 0), data };
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: 'docs/demo.webp' } },
});
if (positionals.length === 0) throw new RangeError('no run folder was named');
const runs = await Promise.all(positionals.map(framesOf));
const count = Math.min(...runs.map(({ frames }) => frames.length));
const pages = Array.from({ length: count }, (_, i) => stacked(runs.map(({ frames }) => frames[i] as RgbImage)));
const [{ width, height }] = pages as [RgbImage];
const delay = pages.map(() => runs[0]?.delayMs ?? 83);
const animation = sharp(Buffer.concat(pages.map(({ data }) => data)), {
  raw: { width, height: height * count, channels: 3, pageHeight: height },
});
const written = values.out.endsWith('.gif')
  ? animation.gif({ loop: 0, delay, effort: 10 })
  : animation.webp({ loop: 0, delay, quality: 80, effort: 6, smartSubsample: true });
const { size } = await written.toFile(values.out);
process.stderr.write(`${values.out}: ${width}x${height}, ${count} frames, ${Math.ceil(size / 1024)} KB\n`);
