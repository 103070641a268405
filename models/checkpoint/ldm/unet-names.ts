import { asLinear, nameTable, type Translation } from './translate.js';

/*
 * The UNet as generative-models and ComfyUI name it (VideoUNet): numbered input and output blocks, each a list of a
 * residual block, an attention and a change of size, against the named lists of diffusers.
 */

/** Residual block: place in its sequences -> name. The temporal one has the same below `time_stack`. */
const resnetParts = nameTable({
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
});

const outer = nameTable({
  'input_blocks.0.0': 'conv_in',
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
});

const middle = nameTable({ 0: 'resnets.0', 1: 'attentions.0', 2: 'resnets.1' });

/**
 * Names of a VideoUNet -> names of diffusers' UNetSpatioTemporalConditionModel.
 * @param layers residual blocks of each level on the way down, first level first; one more on the way up
 */
export function unetTranslation(layers: readonly number[]): Translation {
  return (name, location) => {
    const translated = unetName(name, layers);
    if (translated === undefined) return undefined;
    const isProjection = /\.attentions\.\d+\.proj_(in|out)\.weight$/.test(translated);
    return [[translated, isProjection ? asLinear(location) : location]];
  };
}

function unetName(name: string, layers: readonly number[]): string | undefined {
  const [, stem = '', kind = ''] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  const plain = outer.get(stem);
  if (plain !== undefined) return `${plain}.${kind}`;

  const [, side, block, place, rest = ''] = /^(input_blocks|output_blocks)\.(\d+)\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (side === 'input_blocks') return inputName(Number(block), Number(place), rest, layers);
  if (side === 'output_blocks') return outputName(Number(block), Number(place), rest, layers.toReversed());
  const [, part = '', inner = ''] = /^middle_block\.(\d+)\.(.+)$/.exec(name) ?? [];
  const target = middle.get(part);
  return target && inside(`mid_block.${target}`, inner);
}

/** Block 0 is the first convolution; then a level's layers and, but for the last level, its downsampler. */
function inputName(block: number, place: number, rest: string, layers: readonly number[]): string | undefined {
  let index = block - 1;
  for (const [level, count] of layers.entries()) {
    if (index < count) return layerName(`down_blocks.${level}`, index, place, rest);
    index -= count;
    if (index === 0)
      return level < layers.length - 1 ? resampler(`down_blocks.${level}.downsamplers.0`, rest, 'op') : undefined;
    index -= 1;
  }
  return undefined;
}

/** A level's layers; the upsampler is the last part of the last of them, behind the attention where there is one. */
function outputName(block: number, place: number, rest: string, layers: readonly number[]): string | undefined {
  let index = block;
  for (const [level, count] of layers.entries()) {
    if (index < count + 1) {
      const isLast = index === count && level < layers.length - 1;
      const upsampler = isLast && place > 0 && resampler(`up_blocks.${level}.upsamplers.0`, rest, 'conv');
      return upsampler || layerName(`up_blocks.${level}`, index, place, rest);
    }
    index -= count + 1;
  }
  return undefined;
}

function resampler(target: string, rest: string, own: 'op' | 'conv'): string | undefined {
  return rest.startsWith(`${own}.`) ? `${target}.conv.${rest.slice(own.length + 1)}` : undefined;
}

function layerName(block: string, index: number, place: number, rest: string): string | undefined {
  if (place > 1 || index < 0) return undefined;
  return inside(`${block}.${place === 0 ? 'resnets' : 'attentions'}.${index}`, rest);
}

/** Name of a tensor of the residual block or the transformer `target`. */
function inside(target: string, rest: string): string | undefined {
  if (rest === 'time_mixer.mix_factor') return `${target}.${rest}`;
  const inner = target.includes('.resnets.') ? resnetName(rest) : transformerName(rest);
  return inner && `${target}.${inner}`;
}

function resnetName(rest: string): string | undefined {
  const [, temporal, stem = '', kind] = /^(time_stack\.)?(.+)\.(weight|bias)$/.exec(rest) ?? [];
  const part = resnetParts.get(stem);
  return part && `${temporal ? 'temporal' : 'spatial'}_res_block.${part}.${kind}`;
}

function transformerName(rest: string): string | undefined {
  if (/^(norm|proj_in|proj_out)\.(weight|bias)$/.test(rest)) return rest;
  const [, list, layer] = /^(transformer_blocks|time_stack)\.(\d+\..+)$/.exec(rest) ?? [];
  if (list) return `${list === 'time_stack' ? 'temporal_transformer_blocks' : list}.${layer}`;
  const [, place, kind] = /^time_pos_embed\.([02])\.(weight|bias)$/.exec(rest) ?? [];
  return place && `time_pos_embed.linear_${place === '0' ? 1 : 2}.${kind}`;
}
