import { PantomimeError } from '../errors.js';

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
  readonly additionTimeEmbedDim: number;
  readonly projectionClassEmbeddingsInputDim: number;
  readonly levels: readonly UNetLevel[];
};

const maxLevels = 8;
const maxWidth = 65536;

/**
 * Reads the `config.json` of a `UNetSpatioTemporalConditionModel`. Throws one PantomimeError (`model.unet-config`) that
 * lists everything in it that is not supported.
 */
export function parseUNetConfig(json: unknown): UNetConfig {
  const problems: string[] = [];
  const source = typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
  const show = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 100);
  const isCount = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) > 0 && (value as number) <= maxWidth;

  const read = <T>(key: string, fallback: T, accepts: (value: unknown) => value is T, expected: string): T => {
    const value = source[key] ?? fallback;
    if (accepts(value)) return value;
    problems.push(`${key} is ${show(value)}, expected ${expected}`);
    return fallback;
  };
  const count = (key: string, fallback: number) => read(key, fallback, isCount, 'a positive whole number');
  const list = <T>(key: string, fallback: readonly T[], accepts: (value: unknown) => value is T, expected: string) =>
    read(
      key,
      fallback,
      (value): value is readonly T[] => Array.isArray(value) && value.every(accepts),
      `a list of ${expected}`,
    );

  const className = source._class_name;
  if (className !== 'UNetSpatioTemporalConditionModel')
    problems.push(`_class_name is ${show(className)}, expected "UNetSpatioTemporalConditionModel"`);
  const unknown = Object.keys(source).filter((key) => !key.startsWith('_') && !knownKeys.includes(key));
  if (unknown.length > 0) problems.push(`unknown settings ${unknown.slice(0, 10).join(', ')}`);

  const channels = list('block_out_channels', [320, 640, 1280, 1280], isCount, 'channel counts');
  const levels = channels.length;
  if (levels < 2 || levels > maxLevels)
    problems.push(`block_out_channels has ${levels} levels, expected 2 to ${maxLevels}`);
  channels.forEach((width, i) => {
    if (width % 32 !== 0) problems.push(`block_out_channels[${i}] is ${width}, expected a multiple of 32`);
  });

  /** A number for all levels, or one for each. */
  const perLevel = (key: string, fallback: number | readonly number[]): readonly number[] => {
    const value = source[key] ?? fallback;
    if (isCount(value)) return channels.map(() => value);
    if (Array.isArray(value) && value.length === levels && value.every(isCount)) return value;
    problems.push(`${key} is ${show(value)}, expected a positive whole number or ${levels} of them`);
    return channels.map(() => 1);
  };
  const layers = perLevel('layers_per_block', 2);
  const heads = perLevel('num_attention_heads', [5, 10, 20, 20]);
  const transformerLayers = perLevel('transformer_layers_per_block', 1);
  const contextWidth = perLevel('cross_attention_dim', 1024);
  heads.forEach((number, i) => {
    if ((channels[i] ?? 0) % number !== 0) problems.push(`${channels[i]} channels cannot be shared by ${number} heads`);
  });

  const down = list('down_block_types', publishedDown, isOneOf(downTypes), downTypes.join(' or '));
  const up = list('up_block_types', publishedUp, isOneOf(upTypes), upTypes.join(' or '));
  if (down.length !== levels || up.length !== levels)
    problems.push(`${down.length} down and ${up.length} up block types for ${levels} levels`);

  const inChannels = count('in_channels', 8);
  const outChannels = count('out_channels', 4);
  const additionTimeEmbedDim = count('addition_time_embed_dim', 256);
  const projectionClassEmbeddingsInputDim = count('projection_class_embeddings_input_dim', 768);
  if (projectionClassEmbeddingsInputDim !== additionTimeEmbedDim * 3)
    problems.push('projection_class_embeddings_input_dim is not three times addition_time_embed_dim');

  if (problems.length > 0) {
    throw new PantomimeError({
      code: 'model.unet-config',
      kind: 'model',
      what: `this UNet is not supported: ${problems.join('; ')}`,
      where: 'unet/config.json',
      hint: 'Use a Stable Video Diffusion image-to-video checkpoint in diffusers layout.',
    });
  }
  return {
    inChannels,
    outChannels,
    additionTimeEmbedDim,
    projectionClassEmbeddingsInputDim,
    levels: channels.map((width, i) => ({
      channels: width,
      layers: layers[i] as number,
      heads: heads[i] as number,
      transformerLayers: transformerLayers[i] as number,
      contextWidth: contextWidth[i] as number,
      down: down[i] as DownBlockType,
      up: up[levels - 1 - i] as UpBlockType,
    })),
  };
}

const downTypes = ['CrossAttnDownBlockSpatioTemporal', 'DownBlockSpatioTemporal'] as const;
const upTypes = ['CrossAttnUpBlockSpatioTemporal', 'UpBlockSpatioTemporal'] as const;
const publishedDown: readonly DownBlockType[] = [downTypes[0], downTypes[0], downTypes[0], downTypes[1]];
const publishedUp: readonly UpBlockType[] = [upTypes[1], upTypes[0], upTypes[0], upTypes[0]];

const knownKeys: readonly string[] = [
  'addition_time_embed_dim',
  'block_out_channels',
  'cross_attention_dim',
  'down_block_types',
  'in_channels',
  'layers_per_block',
  'num_attention_heads',
  // Sizes the model was trained at; any will do.
  'num_frames',
  'out_channels',
  'projection_class_embeddings_input_dim',
  'sample_size',
  'transformer_layers_per_block',
  'up_block_types',
];

function isOneOf<T extends string>(names: readonly T[]): (value: unknown) => value is T {
  return (value): value is T => names.some((name) => name === value);
}
