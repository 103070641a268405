import { createRandom, frameNormals } from '../models/random.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import { type NoiseLayout, noiseSources } from '../stages/denoise/noise.js';
import { gatherFrames } from '../stages/denoise/sample.js';

export type StartNoiseOptions = {
  readonly seed: number;
  readonly frames: number;
  /** Channels of the latents; 4 in SVD. */
  readonly channels: number;
  /** Size in latents. */
  readonly height: number;
  readonly width: number;
  readonly layout: NoiseLayout;
  readonly chunk: number;
  readonly overlap: number;
  /** Standard deviation of the start; the unit noise is multiplied by it. */
  readonly sigma: number;
};

/** Start latents [frames, L, h, w]. A frame's noise depends on seed and place only, not on how many frames there are. */
export function startLatents(options: StartNoiseOptions): FloatTensor {
  const { seed, frames, channels, height, width, layout, chunk, overlap, sigma } = options;
  const shuffle = createRandom(seed, 'freenoise');
  let drawn = 0;
  const random = () => shuffle.uniforms(drawn++, 1)[0] as number;
  const sources = noiseSources(layout, frames, chunk, Math.max(1, chunk - overlap), random);
  const unit = frameNormals(seed, 'latents', Math.max(...sources) + 1, [channels, height, width]);
  const start = gatherFrames(unit, sources);
  return { ...start, data: start.data.map((value) => value * sigma) };
}

/** Unit noise [1, 3, H, W] for the augmentation of the reference picture. */
export function augmentationNoise(seed: number, height: number, width: number): FloatTensor {
  const noise = frameNormals(seed, 'augmentation', 1, [3, height, width]);
  return floatTensor([1, 3, height, width], noise.data);
}
