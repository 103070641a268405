import { readConfig } from './config-reader.js';

export type VaeConfig = {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly latentChannels: number;
  /** Channels of each resolution level, finest first. */
  readonly blockOutChannels: readonly number[];
  readonly layersPerBlock: number;
  /** Latents of the denoiser are the decoder's times this. */
  readonly scalingFactor: number;
  /** Pixels per latent, in rows and in columns. */
  readonly pixelsPerLatent: number;
};

/**
 * Reads the `config.json` of an `AutoencoderKLTemporalDecoder`. Throws PantomimeError (`model.vae-config`) that lists
 * everything in it that is not supported.
 */
export function parseVaeConfig(json: unknown): VaeConfig {
  const config = readConfig(json, { code: 'model.vae-config', network: 'VAE', where: 'vae/config.json' });
  config.name('_class_name', 'AutoencoderKLTemporalDecoder', ['AutoencoderKLTemporalDecoder']);
  const blockOutChannels = config.counts('block_out_channels', [64]);
  for (const width of blockOutChannels) {
    if (width % 32 !== 0) config.problem(`block_out_channels has ${width}, expected multiples of 32`);
  }
  const types = config.raw('down_block_types') ?? ['DownEncoderBlock2D'];
  if (
    !Array.isArray(types) ||
    types.length !== blockOutChannels.length ||
    types.some((type) => type !== 'DownEncoderBlock2D')
  ) {
    config.problem(`down_block_types is not ${blockOutChannels.length} times DownEncoderBlock2D`);
  }
  const result = {
    inChannels: config.count('in_channels', 3),
    outChannels: config.count('out_channels', 3),
    latentChannels: config.count('latent_channels', 4),
    blockOutChannels,
    layersPerBlock: config.count('layers_per_block', 1),
    scalingFactor: config.number('scaling_factor', 0.18215),
    pixelsPerLatent: 2 ** (blockOutChannels.length - 1),
  };
  if (result.inChannels !== 3 || result.outChannels !== 3) config.problem('in_channels and out_channels are not 3');
  config.finish();
  return result;
}
