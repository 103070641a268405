import type { ModelFolder } from '../models/checkpoint/model-folder.js';
import { buildVaeDecode } from '../models/graphs/vae-decode.js';
import { buildVaeEncode } from '../models/graphs/vae-encode.js';
import type { Residency } from '../models/onnx/built-graph.js';
import type { Engine } from '../models/runtime/engine.js';
import type { FloatTensor } from '../models/tensor.js';
import { quantise } from '../stages/decode-latents.js';
import { psnr } from '../stages/quality/psnr.js';
import { vaeImageTensor } from '../stages/reference/vae-image-tensor.js';
import type { RgbImage } from '../stages/types.js';
import type { Plan } from './plan.js';
import type { Run } from './run.js';
import { runOnce } from './run-once.js';

/**
 * Warns, before anything expensive is done, when the picture is unlike what the model knows: when the model's VAE cannot give
 * it back as well as the model's card says it should. Gives the PSNR in dB, or undefined where the card sets no limit.
 */
export async function checkDomain(
  run: Run,
  { model, card, options, residency }: Plan,
  engine: Engine,
  picture: RgbImage,
): Promise<number | undefined> {
  const limit = card?.minReconstructionDb;
  if (limit === undefined) return undefined;
  const decibels = await run.stage('domain', 'comparing the picture with what the model knows', () =>
    reconstructionDb(engine, { vae: model.vae, residency, picture, signal: run.signal }),
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
  readonly residency: Residency;
  /** At the size of the video. */
  readonly picture: RgbImage;
  readonly signal?: AbortSignal | undefined;
};

/** PSNR in dB of a picture that was encoded and decoded by the VAE, as a clip of one frame. */
async function reconstructionDb(engine: Engine, options: ReconstructionOptions): Promise<number> {
  const { vae, residency, picture, signal } = options;
  const { width, height } = picture;
  const how = { ...vae, width, height, residency, target: engine.info.provider };
  const encoded = await runOnce(engine, buildVaeEncode(how), { image: vaeImageTensor(picture) }, signal);
  const latents = encoded.latents as FloatTensor;
  const { frames } = await runOnce(engine, buildVaeDecode({ ...how, frames: 1 }), { latents }, signal);
  return psnr(picture, quantise((frames as FloatTensor).data, width, height));
}
