import { Conv2d, LayerNorm, Linear } from '../blocks/layers.js';
import type { Value } from '../onnx/graph.js';
import { Module, Parameter } from '../onnx/module.js';
import {
  add,
  attention,
  concat,
  expand,
  gelu,
  quickGelu,
  reshape,
  slice,
  toPrecision,
  transpose,
} from '../onnx/ops.js';
import type { ClipVisionConfig } from './clip-config.js';

/*
 * CLIPVisionModelWithProjection: a vision transformer whose class token, projected, is the picture's embedding.
 * Property names are the keys of image_encoder/model.safetensors (`pre_layrnorm` is spelt so there).
 */

/** A table of vectors. */
class Embedding extends Module {
  readonly weight: Parameter;

  constructor(count: number, width: number) {
    super();
    this.weight = new Parameter([count, width]);
  }
}

/** Pictures [N, 3, S, S] -> tokens [N, 1 + patches, C], class token first. */
class Embeddings extends Module {
  readonly class_embedding: Parameter;
  readonly patch_embedding: Conv2d;
  readonly position_embedding: Embedding;

  constructor({ hiddenSize, channels, imageSize, patchSize }: ClipVisionConfig) {
    super();
    const patches = Math.floor(imageSize / patchSize) ** 2;
    this.class_embedding = new Parameter([hiddenSize]);
    this.patch_embedding = new Conv2d(channels, hiddenSize, {
      kernel: patchSize,
      stride: patchSize,
      padding: 0,
      bias: false,
    });
    this.position_embedding = new Embedding(patches + 1, hiddenSize);
  }

  forward(pixels: Value): Value {
    const { graph } = pixels;
    const patches = this.patch_embedding.forward(toPrecision(pixels));
    const [samples = 0, width = 0] = patches.dims;
    const tokens = transpose(reshape(patches, [samples, width, -1]), [0, 2, 1]);
    const classToken = expand(reshape(graph.parameter(this.class_embedding), [1, 1, width]), [samples, 1, width]);
    return graph.tap(this, add(concat([classToken, tokens], 1), graph.parameter(this.position_embedding.weight)));
  }
}

class Attention extends Module {
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly q_proj: Linear;
  readonly out_proj: Linear;
  readonly #heads: number;

  constructor({ hiddenSize, heads }: ClipVisionConfig) {
    super();
    this.k_proj = new Linear(hiddenSize, hiddenSize);
    this.v_proj = new Linear(hiddenSize, hiddenSize);
    this.q_proj = new Linear(hiddenSize, hiddenSize);
    this.out_proj = new Linear(hiddenSize, hiddenSize);
    this.#heads = heads;
  }

  forward(x: Value): Value {
    const mixed = attention(this.q_proj.forward(x), this.k_proj.forward(x), this.v_proj.forward(x), this.#heads);
    return x.graph.tap(this, this.out_proj.forward(mixed));
  }
}

class Mlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly #activate: (x: Value) => Value;

  constructor({ hiddenSize, intermediateSize, activation }: ClipVisionConfig) {
    super();
    this.fc1 = new Linear(hiddenSize, intermediateSize);
    this.fc2 = new Linear(intermediateSize, hiddenSize);
    this.#activate = activation === 'gelu' ? gelu : quickGelu;
  }

  forward(x: Value): Value {
    return x.graph.tap(this, this.fc2.forward(this.#activate(this.fc1.forward(x))));
  }
}

class EncoderLayer extends Module {
  readonly self_attn: Attention;
  readonly layer_norm1: LayerNorm;
  readonly mlp: Mlp;
  readonly layer_norm2: LayerNorm;

  constructor(config: ClipVisionConfig) {
    super();
    this.self_attn = new Attention(config);
    this.layer_norm1 = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.mlp = new Mlp(config);
    this.layer_norm2 = new LayerNorm(config.hiddenSize, config.layerNormEps);
  }

  forward(x: Value): Value {
    const h = add(x, this.self_attn.forward(this.layer_norm1.forward(x)));
    return x.graph.tap(this, add(h, this.mlp.forward(this.layer_norm2.forward(h))));
  }
}

class Encoder extends Module {
  readonly layers: readonly EncoderLayer[];

  constructor(config: ClipVisionConfig) {
    super();
    this.layers = Array.from({ length: config.layers }, () => new EncoderLayer(config));
  }

  forward(x: Value): Value {
    return this.layers.reduce((state, layer) => layer.forward(state), x);
  }
}

/** [N, 3, S, S] -> normalised class token [N, C]. */
class VisionModel extends Module {
  readonly embeddings: Embeddings;
  readonly pre_layrnorm: LayerNorm;
  readonly encoder: Encoder;
  readonly post_layernorm: LayerNorm;

  constructor(config: ClipVisionConfig) {
    super();
    this.embeddings = new Embeddings(config);
    this.pre_layrnorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
    this.encoder = new Encoder(config);
    this.post_layernorm = new LayerNorm(config.hiddenSize, config.layerNormEps);
  }

  forward(pixels: Value): Value {
    const tokens = this.encoder.forward(this.pre_layrnorm.forward(this.embeddings.forward(pixels)));
    const [samples = 0, , width = 0] = tokens.dims;
    return this.post_layernorm.forward(reshape(slice(tokens, 1, 0, 1), [samples, width]));
  }
}

/** Pixel values [N, 3, S, S] -> embeddings [N, D]. */
export class ClipVision extends Module {
  readonly vision_model: VisionModel;
  readonly visual_projection: Linear;

  constructor(config: ClipVisionConfig) {
    super();
    this.vision_model = new VisionModel(config);
    this.visual_projection = new Linear(config.hiddenSize, config.projectionDim, { bias: false });
  }

  forward(pixels: Value): Value {
    return this.visual_projection.forward(this.vision_model.forward(pixels));
  }
}
