/**
 * What decoding in tiles costs: frames of drawn characters through the embedded model's VAE and back, decoded whole and in
 * tiles.
 *
 *     npm run build && node test/bench/run.mjs decode-tiles [--characters N] [--frames N] [--width PIXELS] [--height PIXELS]
 *         [--tile PIXELS]...
 *
 * One JSON object a tile on stdout, PSNR in dB: tiles against whole frames, and both against the frames that went in.
 */
import { parseArgs } from 'node:util';
import { modelDirOf } from '#dist/pipeline/embedded-model.js';
import { psnr } from '#dist/stages/quality/psnr.js';
import type { RgbImage } from '#dist/stages/types.js';
import { drawClip, qualitySeeds } from '../support/cast-clip.js';
import { mean } from '../support/cast-quality.js';
import { throughVae } from '../support/cast-run.js';

const { values } = parseArgs({
  options: {
    characters: { type: 'string', default: '4' },
    frames: { type: 'string', default: '4' },
    width: { type: 'string', default: '256' },
    height: { type: 'string', default: '384' },
    tile: { type: 'string', multiple: true, default: ['192', '128', '64'] },
  },
});
const size = { width: Number(values.width), height: Number(values.height) };
const model = modelDirOf('embedded');
const pictures = qualitySeeds
  .slice(0, Number(values.characters))
  .flatMap((seed) => drawClip(seed, Number(values.frames), size).frames);
const decibels = (some: readonly RgbImage[], others: readonly RgbImage[]) =>
  Number(mean(some.map((picture, i) => psnr(picture, others[i] as RgbImage))).toFixed(2));

const whole = await throughVae(model, pictures);
for (const tile of values.tile.map(Number)) {
  const tiled = await throughVae(model, pictures, tile);
  const line = {
    ...{ ...size, tile, frames: pictures.length, tiledAgainstWhole: decibels(tiled, whole) },
    ...{ wholeAgainstTruth: decibels(whole, pictures), tiledAgainstTruth: decibels(tiled, pictures) },
  };
  console.log(JSON.stringify(line));
}
