import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { readStoredTensor } from '#dist/models/checkpoint/read-tensor.js';
import type { SafetensorsEntry } from '#dist/models/checkpoint/write-safetensors.js';

/*
 * Stable Video Diffusion as its authors published it, told from the other side than the loader does: for each tensor of
 * diffusers, where it stands in VideoUNet, VideoDecoder and OpenCLIP of generative-models. Two layers a level.
 */

/** A tensor of the single file, and the diffusers tensors it is made of. */
export type LdmTensor = {
  readonly name: string;
  readonly from: readonly string[];
  readonly form?: 'fused' | 'transposed' | 'pointwise';
};

const replaceAll = (text: string, pairs: readonly (readonly [string, string])[]): string =>
  pairs.reduce((result, [from, to]) => result.replace(from, to), text);

const sequences = [
  ['norm1', 'in_layers.0'],
  ['conv1', 'in_layers.2'],
  ['time_emb_proj', 'emb_layers.1'],
  ['norm2', 'out_layers.0'],
  ['conv2', 'out_layers.3'],
] as const;

export function ldmUnetName(name: string): string {
  const [block = '', number = '', list = '', index = '', ...rest] = name.startsWith('mid_block')
    ? ['mid_block', '', ...name.split('.').slice(1)]
    : name.split('.');
  const inner = rest.join('.');
  const inResnet = replaceAll(inner, [
    ['spatial_res_block.', ''],
    ['temporal_res_block.', 'time_stack.'],
    ['conv_shortcut', 'skip_connection'],
    ...sequences,
  ]);
  const inTransformer = replaceAll(inner, [
    ['temporal_transformer_blocks', 'time_stack'],
    ['time_pos_embed.linear_1', 'time_pos_embed.0'],
    ['time_pos_embed.linear_2', 'time_pos_embed.2'],
  ]);
  const [level, layer] = [Number(number), Number(index)];
  switch (`${block} ${list}`) {
    case 'down_blocks resnets':
      return `input_blocks.${1 + 3 * level + layer}.0.${inResnet}`;
    case 'down_blocks attentions':
      return `input_blocks.${1 + 3 * level + layer}.1.${inTransformer}`;
    case 'down_blocks downsamplers':
      return `input_blocks.${3 + 3 * level}.0.${inner.replace('conv', 'op')}`;
    case 'mid_block resnets':
      return `middle_block.${layer * 2}.${inResnet}`;
    case 'mid_block attentions':
      return `middle_block.1.${inTransformer}`;
    case 'up_blocks resnets':
      return `output_blocks.${3 * level + layer}.0.${inResnet}`;
    case 'up_blocks attentions':
      return `output_blocks.${3 * level + layer}.1.${inTransformer}`;
    case 'up_blocks upsamplers':
      // The deepest level has no attention between.
      return `output_blocks.${3 * level + 2}.${level === 0 ? 1 : 2}.${inner}`;
    default:
      return replaceAll(name, [
        ['conv_in', 'input_blocks.0.0'],
        ['time_embedding.linear_1', 'time_embed.0'],
        ['time_embedding.linear_2', 'time_embed.2'],
        ['add_embedding.linear_1', 'label_emb.0.0'],
        ['add_embedding.linear_2', 'label_emb.0.2'],
        ['conv_norm_out', 'out.0'],
        ['conv_out', 'out.2'],
      ]);
  }
}

export const ldmUnet = (names: Iterable<string>): LdmTensor[] =>
  [...names].map((name) => ({ name: `model.diffusion_model.${ldmUnetName(name)}`, from: [name] }));

export function ldmVae(names: Iterable<string>, levels: number): LdmTensor[] {
  return [...names].map((name) => {
    const prefix = name.startsWith('decoder.') ? 'first_stage_model.' : 'conditioner.embedders.3.encoder.';
    let own = name
      .replace(/^encoder\.down_blocks\.(\d)\.resnets/, 'encoder.down.$1.block')
      .replace(/^decoder\.up_blocks\.(\d)\.resnets/, (_, level) => `decoder.up.${levels - 1 - level}.block`)
      .replace(/^encoder\.down_blocks\.(\d)\.downsamplers\.0/, 'encoder.down.$1.downsample')
      .replace(/^decoder\.up_blocks\.(\d)\.upsamplers\.0/, (_, level) => `decoder.up.${levels - 1 - level}.upsample`)
      .replace(/mid_block\.resnets\.(\d)/, (_, half) => `mid.block_${Number(half) + 1}`)
      .replace('mid_block.attentions.0.group_norm', 'mid.attn_1.norm')
      .replace('mid_block.attentions.0.to_out.0', 'mid.attn_1.proj_out')
      .replace(/mid_block\.attentions\.0\.to_([qkv])/, 'mid.attn_1.$1')
      .replace('spatial_res_block.', '')
      .replace('time_mixer.', '')
      .replace('conv_shortcut', 'nin_shortcut')
      .replace('conv_norm_out', 'norm_out')
      .replace('time_conv_out', 'conv_out.time_mix_conv');
    if (own.includes('temporal_res_block')) own = replaceAll(own, [['temporal_res_block', 'time_stack'], ...sequences]);
    const isPointwise = /attn_1\.(q|k|v|proj_out)\.weight$/.test(own);
    return { name: prefix + own, from: [name], ...(isPointwise ? { form: 'pointwise' as const } : {}) };
  });
}

export function openClipVision(names: Iterable<string>): LdmTensor[] {
  const prefix = 'conditioner.embedders.0.open_clip.model.visual.';
  return [...names].flatMap((name): LdmTensor[] => {
    if (/\.[kv]_proj\./.test(name)) return [];
    const own = name
      .replace('vision_model.encoder.layers.', 'transformer.resblocks.')
      .replace('vision_model.embeddings.class_embedding', 'class_embedding')
      .replace('vision_model.embeddings.patch_embedding', 'conv1')
      .replace('vision_model.embeddings.position_embedding.weight', 'positional_embedding')
      .replace('vision_model.pre_layrnorm', 'ln_pre')
      .replace('vision_model.post_layernorm', 'ln_post')
      .replace('layer_norm', 'ln_')
      .replace('mlp.fc1', 'mlp.c_fc')
      .replace('mlp.fc2', 'mlp.c_proj')
      .replace('self_attn.out_proj', 'attn.out_proj')
      .replace('self_attn.q_proj.', 'attn.in_proj_');
    if (name === 'visual_projection.weight') return [{ name: `${prefix}proj`, from: [name], form: 'transposed' }];
    if (!name.includes('q_proj')) return [{ name: prefix + own, from: [name] }];
    const from = ['q_proj', 'k_proj', 'v_proj'].map((part) => name.replace('q_proj', part));
    return [{ name: prefix + own, from, form: 'fused' }];
  });
}

/** Shape of a tensor of the single file, from the shapes of the diffusers tensors. */
export function ldmShape({ from, form }: LdmTensor, shapeOf: (name: string) => readonly number[]): readonly number[] {
  const [first = 1, ...rest] = shapeOf(from[0]!);
  switch (form) {
    case 'fused':
      return [first * 3, ...rest];
    case 'transposed':
      return [...rest, first];
    case 'pointwise':
      return [first, ...rest, 1, 1];
    default:
      return [first, ...rest];
  }
}

/** The tensors of the single file, with the values of those in `checkpoint`. */
export async function ldmEntries(tensors: readonly LdmTensor[], checkpoint: Checkpoint): Promise<SafetensorsEntry[]> {
  return Promise.all(
    tensors.map(async (tensor) => {
      const parts = await Promise.all(tensor.from.map((name) => readStoredTensor(checkpoint.tensors.get(name)!)));
      const [first] = parts;
      const shape = ldmShape(tensor, (name) => checkpoint.tensors.get(name)!.shape);
      const values = first!.data as Uint16Array;
      const [rows = 1, columns = 1] = first!.dims;
      const data =
        tensor.form === 'transposed'
          ? values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
          : Buffer.concat(parts.map((part) => Buffer.from(part.data.buffer)));
      return { name: tensor.name, dtype: first!.dtype, shape, data };
    }),
  );
}
