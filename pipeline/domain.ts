import type { ModelFolder } from '../models/checkpoint/model-folder.js';
import { buildVaeEncode } from '../models/graphs/vae-encode.js';
import type { Engine } from '../models/runtime/engine.js';
import { parseVaeConfig } from '../models/svd/vae-config.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import { psnr } from '../stages/quality/psnr.js';
import { vaeImageTensor } from '../stages/reference/vae-image-tensor.js';
import type { RgbImage } from '../stages/types.js';
import { decodeToPictures } from './decode-to-pictures.js';
import type { MemoryChoice } from './memory-choice.js';
import type { Plan } from './plan.js';
import type { Run } from './run.js';
import { runOnce } from './run-once.js';

/**
 * Warns, before anything expensive is done, when the picture is unlike what the model knows: when the model's VAE cannot give
 * it back as well as the model's card says it should. Gives the PSNR in dB, or undefined where the card sets no limit.
 */
export async function checkDomain(
  run: Run,
  { model, card, options, memory }: Plan,
  engine: Engine,
  picture: RgbImage,
): Promise<number | undefined> {
  const limit = card?.minReconstructionDb;
  if (limit === undefined) return undefined;
  const decibels = await run.stage('domain', 'comparing the picture with what the model knows', () =>
    reconstructionDb(engine, { vae: model.vae, memory, picture, signal: run.signal }),
  );
  if (decibels < limit) {
    run.warn(
      'picture.domain',
      `${options.image}: this picture is unlike those the model knows, and will not come out well: its VAE gives it back with ` +
        `${decibels.toFixed(1)} dB, and ${limit} dB or more is usual`,
      card?.domain,
    );
  }
  return decibels;
}

export type ReconstructionOptions = {
  readonly vae: ModelFolder['vae'];
  readonly memory: Pick<MemoryChoice, 'residency' | 'decodeTile'>;
  /** At the size of the video. */
  readonly picture: RgbImage;
  readonly signal?: AbortSignal | undefined;
};

/** PSNR in dB of a picture that was encoded and decoded by the VAE, as a clip of one frame. */
async function reconstructionDb(engine: Engine, options: ReconstructionOptions): Promise<number> {
  const { vae, memory, picture, signal } = options;
  const { width, height } = picture;
  const { residency, decodeTile: tile } = memory;
  const graph = buildVaeEncode({ ...vae, width, height, residency, target: engine.info.provider });
  const { latents } = await runOnce(engine, graph, { image: vaeImageTensor(picture) }, signal);
  const { dims, data } = latents as FloatTensor;
  const { scalingFactor } = parseVaeConfig(vae.config);
  const scaled = floatTensor(
    dims,
    data.map((value) => value * scalingFactor),
  );
  const alone = { chunk: 1, overlap: 0, mode: 'reference', skip: 0 } as const;
  const decoded = decodeToPictures(engine, scaled, { vae, residency, tile, signal, ...alone });
  for await (const given of decoded) return psnr(picture, given);
  throw new Error('the decoder has given no picture');
}
