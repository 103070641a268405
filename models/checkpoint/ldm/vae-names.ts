import { asLinear, nameTable, type Translation } from './translate.js';

/*
 * The VAE as generative-models names it (Encoder, VideoDecoder): levels counted from the finest on both ways, attention
 * as 1x1 convolutions, temporal layers below `time_stack`.
 */

const temporalParts = nameTable({
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
});

const attentionParts = nameTable({
  norm: 'group_norm',
  q: 'to_q',
  k: 'to_k',
  v: 'to_v',
  proj_out: 'to_out.0',
});

const outer = nameTable({
  conv_in: 'conv_in',
  norm_out: 'conv_norm_out',
  conv_out: 'conv_out',
  'conv_out.time_mix_conv': 'time_conv_out',
});

/**
 * Names of the VAE -> names of diffusers' AutoencoderKLTemporalDecoder; `quant_conv` is the same in both.
 * @param levels resolutions, the length of `block_out_channels`
 */
export function vaeTranslation(levels: number): Translation {
  return (name, location) => {
    if (/^quant_conv\.(weight|bias)$/.test(name)) return [[name, location]];
    const [, side, rest = ''] = /^(encoder|decoder)\.(.+)$/.exec(name) ?? [];
    if (side !== 'encoder' && side !== 'decoder') return undefined;
    const inner = innerName(side, rest, levels);
    if (inner === undefined) return undefined;
    return [[`${side}.${inner}`, inner.includes('.attentions.') ? asLinear(location) : location]];
  };
}

type Side = 'encoder' | 'decoder';

function innerName(side: Side, rest: string, levels: number): string | undefined {
  const [, stem = '', kind] = /^(.+)\.(weight|bias)$/.exec(rest) ?? [];
  const plain = outer.get(stem);
  if (plain !== undefined) return side === 'encoder' && plain === 'time_conv_out' ? undefined : `${plain}.${kind}`;

  const [, part, inAttention = ''] = /^mid\.attn_1\.(\w+)\.(weight|bias)$/.exec(rest) ?? [];
  if (part !== undefined) {
    const name = attentionParts.get(part);
    return name && `mid_block.attentions.0.${name}.${inAttention}`;
  }
  const [, half, inMiddle = ''] = /^mid\.block_([12])\.(.+)$/.exec(rest) ?? [];
  if (half !== undefined) return resnetName(side, `mid_block.resnets.${Number(half) - 1}`, inMiddle);

  const [, way, level, inner = ''] = /^(up|down)\.(\d+)\.(.+)$/.exec(rest) ?? [];
  if (way !== (side === 'encoder' ? 'down' : 'up') || Number(level) >= levels) return undefined;
  const block = way === 'down' ? `down_blocks.${level}` : `up_blocks.${levels - 1 - Number(level)}`;
  const [, resampled] = /^(?:up|down)sample\.conv\.(weight|bias)$/.exec(inner) ?? [];
  if (resampled) return `${block}.${way}samplers.0.conv.${resampled}`;
  const [, index, inBlock = ''] = /^block\.(\d+)\.(.+)$/.exec(inner) ?? [];
  return index && resnetName(side, `${block}.resnets.${index}`, inBlock);
}

/** The encoder has plain residual blocks, the decoder pairs of a spatial and a temporal one. */
function resnetName(side: Side, target: string, rest: string): string | undefined {
  const spatial = side === 'encoder' ? target : `${target}.spatial_res_block`;
  if (/^(norm[12]|conv[12])\.(weight|bias)$/.test(rest)) return `${spatial}.${rest}`;
  const [, shortcut] = /^nin_shortcut\.(weight|bias)$/.exec(rest) ?? [];
  if (shortcut) return `${spatial}.conv_shortcut.${shortcut}`;
  if (side === 'encoder') return undefined;
  if (rest === 'mix_factor') return `${target}.time_mixer.mix_factor`;
  const [, stem = '', kind] = /^time_stack\.(.+)\.(weight|bias)$/.exec(rest) ?? [];
  const part = temporalParts.get(stem);
  return part && `${target}.temporal_res_block.${part}.${kind}`;
}
