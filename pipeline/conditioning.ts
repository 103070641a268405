import type { ModelFolder } from '../models/checkpoint/model-folder.js';
import { buildImageEncoder } from '../models/graphs/image-encoder.js';
import { buildVaeEncode } from '../models/graphs/vae-encode.js';
import type { Residency } from '../models/onnx/built-graph.js';
import type { Precision } from '../models/onnx/graph.js';
import { requireNumbers } from '../models/require-numbers.js';
import type { Engine } from '../models/runtime/engine.js';
import { clipPreprocessing } from '../models/svd/clip-preprocessing.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import { clipPixelValues } from '../stages/reference/clip-pixel-values.js';
import { vaeImageTensor } from '../stages/reference/vae-image-tensor.js';
import type { RgbImage } from '../stages/types.js';
import { runOnce } from './run-once.js';

/** What the denoiser knows of the reference picture. */
export type Conditioning = {
  /** CLIP image embedding, [1, 1, D]. */
  readonly imageEmbeds: FloatTensor;
  /** Mode of the VAE's latent distribution of the noised picture, not scaled, [L, h, w]. */
  readonly imageLatents: FloatTensor;
};

export type ConditioningOptions = {
  readonly model: Pick<ModelFolder, 'imageEncoder' | 'vae' | 'featureExtractor'>;
  readonly residency: Residency;
  /** Of the image encoder; float32 when left out. */
  readonly precision?: Precision | undefined;
  /** The picture at the size of the video. */
  readonly picture: RgbImage;
  /** What CLIP looks at, at any size; `picture` when left out. */
  readonly clipPicture?: RgbImage | undefined;
  /** Unit noise [1, 3, H, W] added to the picture, times `noiseAugStrength`. */
  readonly augNoise: FloatTensor;
  readonly noiseAugStrength: number;
  readonly signal?: AbortSignal | undefined;
};

/** Runs the image encoder and the VAE encoder once; both leave the engine afterwards. */
export async function encodeReference(engine: Engine, options: ConditioningOptions): Promise<Conditioning> {
  const { model, residency, precision, picture, signal } = options;
  const target = engine.info.provider;
  const encoder = buildImageEncoder({ ...model.imageEncoder, residency, precision, target });
  const pixels = clipPixelValues(options.clipPicture ?? picture, clipPreprocessing(model.featureExtractor.config));
  const embeds = only(await runOnce(engine, encoder, { pixel_values: pixels }, signal));

  const { height, width } = picture;
  const vae = buildVaeEncode({ ...model.vae, height, width, residency, target });
  const image = vaeImageTensor(picture, options.augNoise, options.noiseAugStrength);
  const latents = only(await runOnce(engine, vae, { image }, signal));
  requireNumbers(embeds.data, 'the image encoder', 'reference picture');
  requireNumbers(latents.data, 'the VAE encoder', 'reference picture');
  return {
    imageEmbeds: floatTensor([1, 1, embeds.data.length], embeds.data),
    imageLatents: floatTensor(latents.dims.slice(1), latents.data),
  };
}

function only(outputs: Record<string, FloatTensor>): FloatTensor {
  const [output] = Object.values(outputs);
  if (!output) throw new Error('the graph has no output');
  return output;
}
