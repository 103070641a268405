import { bytesPerStoredElement, type TensorLocation } from '../checkpoint.js';
import { type Named, nameTable, type Translation } from './translate.js';

/*
 * The picture half of OpenCLIP against CLIPVisionModelWithProjection: queries, keys and values are one tensor there, and
 * the projection is stored for the other side of the product.
 */

const outer = nameTable({
  class_embedding: 'vision_model.embeddings.class_embedding',
  positional_embedding: 'vision_model.embeddings.position_embedding.weight',
  'conv1.weight': 'vision_model.embeddings.patch_embedding.weight',
  'ln_pre.weight': 'vision_model.pre_layrnorm.weight',
  'ln_pre.bias': 'vision_model.pre_layrnorm.bias',
  'ln_post.weight': 'vision_model.post_layernorm.weight',
  'ln_post.bias': 'vision_model.post_layernorm.bias',
});

const layerParts = nameTable({
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'attn.out_proj': 'self_attn.out_proj',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
});

/** Names of OpenCLIP's vision tower (below `visual.`) -> names of transformers. */
export const openClipTranslation: Translation = (name, location) => {
  const plain = outer.get(name);
  if (plain !== undefined) return [[plain, location]];
  if (name === 'proj') return [['visual_projection.weight', transposed(location)]];
  const [, layer, rest = ''] = /^transformer\.resblocks\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (layer === undefined) return undefined;
  const target = `vision_model.encoder.layers.${layer}`;
  const [, fused] = /^attn\.in_proj_(weight|bias)$/.exec(rest) ?? [];
  if (fused) return thirds(location, (part) => `${target}.self_attn.${part}_proj.${fused}`);
  const [, stem = '', kind] = /^(.+)\.(weight|bias)$/.exec(rest) ?? [];
  const part = layerParts.get(stem);
  return part === undefined ? undefined : [[`${target}.${part}.${kind}`, location]];
};

function transposed(location: TensorLocation): TensorLocation {
  return { ...location, shape: location.shape.toReversed(), transposed: true };
}

/** Rows of a fused tensor: first third queries, then keys, then values. Undefined when they cannot be shared out. */
function thirds(location: TensorLocation, nameOf: (part: string) => string): readonly Named[] | undefined {
  const [rows = 0, ...rest] = location.shape;
  if (rows % 3 !== 0 || location.byteLength % (3 * bytesPerStoredElement[location.dtype]) !== 0) return undefined;
  const byteLength = location.byteLength / 3;
  return ['q', 'k', 'v'].map((part, i) => [
    nameOf(part),
    { ...location, shape: [rows / 3, ...rest], offset: location.offset + i * byteLength, byteLength },
  ]);
}
