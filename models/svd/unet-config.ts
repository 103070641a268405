import { type ConfigReader, readConfig } from './config-reader.js';

export type DownBlockType = 'CrossAttnDownBlockSpatioTemporal' | 'DownBlockSpatioTemporal';
export type UpBlockType = 'CrossAttnUpBlockSpatioTemporal' | 'UpBlockSpatioTemporal';

/** One resolution level of the UNet, in the order of the down path. */
export type UNetLevel = {
  readonly channels: number;
  readonly layers: number;
  readonly heads: number;
  readonly transformerLayers: number;
  readonly contextWidth: number;
  readonly down: DownBlockType;
  /** The up block at the mirrored place of the up path. */
  readonly up: UpBlockType;
};

export type UNetConfig = {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Width of the image embedding. */
  readonly contextWidth: number;
  readonly additionTimeEmbedDim: number;
  readonly projectionClassEmbeddingsInputDim: number;
  readonly levels: readonly UNetLevel[];
};

const className = 'UNetSpatioTemporalConditionModel';
const downTypes = ['CrossAttnDownBlockSpatioTemporal', 'DownBlockSpatioTemporal'] as const;
const upTypes = ['CrossAttnUpBlockSpatioTemporal', 'UpBlockSpatioTemporal'] as const;
const maxLevels = 8;

/**
 * Reads the `config.json` of a `UNetSpatioTemporalConditionModel`; absent settings have the defaults of that class.
 * Throws one PantomimeError (`model.unet-config`) that lists everything in it that is not supported.
 */
export function parseUNetConfig(json: unknown): UNetConfig {
  const config = readConfig(json, { code: 'model.unet-config', network: 'UNet', where: 'unet/config.json' });
  if (config.raw('_class_name') !== className) config.problem(`_class_name is not ${className}`);
  const channels = config.counts('block_out_channels', [320, 640, 1280, 1280]);
  const levels = channels.length;
  if (levels < 2 || levels > maxLevels)
    config.problem(`block_out_channels has ${levels} levels, expected 2 to ${maxLevels}`);
  for (const width of channels) {
    if (width % 32 !== 0) config.problem(`block_out_channels has ${width}, expected multiples of 32`);
  }
  const layers = perLevel(config, 'layers_per_block', 2, levels);
  const heads = perLevel(config, 'num_attention_heads', [5, 10, 20, 20], levels);
  const transformerLayers = perLevel(config, 'transformer_layers_per_block', 1, levels);
  const contextWidths = perLevel(config, 'cross_attention_dim', 1024, levels);
  channels.forEach((width, i) => {
    const number = heads[i] as number;
    if (width % number !== 0) config.problem(`${width} channels cannot be shared by ${number} attention heads`);
  });
  const contextWidth = contextWidths[0] as number;
  if (contextWidths.some((width) => width !== contextWidth))
    config.problem('cross_attention_dim differs between levels');
  const down = blockTypes(config, 'down_block_types', downTypes, [0, 0, 0, 1], levels);
  const up = blockTypes(config, 'up_block_types', upTypes, [1, 0, 0, 0], levels);

  const inChannels = config.count('in_channels', 8);
  const outChannels = config.count('out_channels', 4);
  const additionTimeEmbedDim = config.count('addition_time_embed_dim', 256);
  const projectionClassEmbeddingsInputDim = config.count('projection_class_embeddings_input_dim', 768);
  if (inChannels !== outChannels * 2)
    config.problem('in_channels is not twice out_channels (latents and image latents)');
  if (additionTimeEmbedDim % 2 !== 0) config.problem('addition_time_embed_dim is odd');
  if (projectionClassEmbeddingsInputDim !== additionTimeEmbedDim * 3)
    config.problem('projection_class_embeddings_input_dim is not three times addition_time_embed_dim');
  config.finish();
  return {
    inChannels,
    outChannels,
    contextWidth,
    additionTimeEmbedDim,
    projectionClassEmbeddingsInputDim,
    levels: channels.map((width, i) => ({
      channels: width,
      layers: layers[i] as number,
      heads: heads[i] as number,
      transformerLayers: transformerLayers[i] as number,
      contextWidth,
      down: down[i] as DownBlockType,
      up: up[levels - 1 - i] as UpBlockType,
    })),
  };
}

/** A setting that is one number for all levels, or a list with one for each. */
function perLevel(config: ConfigReader, key: string, fallback: number | readonly number[], levels: number) {
  if (!Array.isArray(config.raw(key) ?? fallback)) {
    return Array<number>(levels).fill(config.count(key, typeof fallback === 'number' ? fallback : 1));
  }
  const values = config.counts(key, typeof fallback === 'number' ? [fallback] : fallback);
  if (values.length !== levels) config.problem(`${key} has ${values.length} entries for ${levels} levels`);
  return Array.from({ length: levels }, (_, i) => values[i] ?? 1);
}

function blockTypes<T extends string>(
  config: ConfigReader,
  key: string,
  names: readonly [T, T],
  published: readonly (0 | 1)[],
  levels: number,
): readonly T[] {
  const value = config.raw(key) ?? published.map((i) => names[i]);
  const known = Array.isArray(value) && value.every((name): name is T => names.includes(name as T));
  if (known && value.length === levels) return value;
  config.problem(`${key} is not a list of ${levels} times ${names.join(' or ')}`);
  return Array<T>(levels).fill(names[0]);
}
