import { readConfig } from './config-reader.js';

export type ClipVisionConfig = {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly channels: number;
  /** Rows and columns of the picture. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly projectionDim: number;
  readonly activation: 'gelu' | 'quick_gelu';
  readonly layerNormEps: number;
};

/**
 * Reads the `config.json` of a `CLIPVisionModelWithProjection`; absent settings have the defaults of its class. Throws
 * PantomimeError (`model.clip-config`) that lists everything in it that is not supported.
 */
export function parseClipVisionConfig(json: unknown): ClipVisionConfig {
  const config = readConfig(json, {
    code: 'model.clip-config',
    network: 'image encoder',
    where: 'image_encoder/config.json',
  });
  const result = {
    hiddenSize: config.count('hidden_size', 768),
    intermediateSize: config.count('intermediate_size', 3072),
    layers: config.count('num_hidden_layers', 12),
    heads: config.count('num_attention_heads', 12),
    channels: config.count('num_channels', 3),
    imageSize: config.count('image_size', 224),
    patchSize: config.count('patch_size', 32),
    projectionDim: config.count('projection_dim', 512),
    activation: config.name('hidden_act', 'quick_gelu', ['gelu', 'quick_gelu']),
    layerNormEps: config.number('layer_norm_eps', 1e-5),
  };
  if (result.hiddenSize % result.heads !== 0)
    config.problem(`hidden_size ${result.hiddenSize} cannot be shared by ${result.heads} heads`);
  if (result.patchSize > result.imageSize) config.problem('patch_size is larger than image_size');
  if (result.layers > 256) config.problem(`num_hidden_layers is ${result.layers}, expected at most 256`);
  if (result.channels !== 3) config.problem(`num_channels is ${result.channels}, expected 3`);
  config.finish();
  return result;
}
