import type { Graph, Value } from '../onnx/graph.js';
import { Module, Parameter } from '../onnx/module.js';
import { add, dim, mul, reshape, scalar, sigmoid, silu, sub, transpose } from '../onnx/ops.js';
import { GroupNorm, Linear, TemporalConv } from './layers.js';
import { Resnet } from './resnet.js';

/** Learned blend of a spatial and a temporal branch. The VAE decoder has the two the other way round (`switched`). */
export class AlphaBlender extends Module {
  readonly mix_factor = new Parameter([1]);
  readonly #switched: boolean;

  constructor(options: { readonly switched?: boolean } = {}) {
    super();
    this.#switched = options.switched ?? false;
  }

  /** Weights of the two branches; they add up to 1. */
  weights(graph: Graph): { readonly spatial: Value; readonly temporal: Value } {
    const alpha = sigmoid(graph.parameter(this.mix_factor));
    const rest = sub(scalar(alpha, 1), alpha);
    return this.#switched ? { spatial: rest, temporal: alpha } : { spatial: alpha, temporal: rest };
  }

  forward(spatial: Value, temporal: Value): Value {
    const weights = this.weights(spatial.graph);
    return spatial.graph.tap(this, add(mul(spatial, weights.spatial), mul(temporal, weights.temporal)));
  }
}

export type TemporalResnetOptions = {
  readonly channels: number;
  readonly eps: number;
  readonly embedding?: number | undefined;
};

/** Residual block along time; its norms see all frames of a batch entry together. Works on [B, C, F, H * W]. */
export class TemporalResnet extends Module {
  readonly norm1: GroupNorm;
  readonly conv1: TemporalConv;
  readonly time_emb_proj: Linear | undefined;
  readonly norm2: GroupNorm;
  readonly conv2: TemporalConv;

  constructor({ channels, eps, embedding }: TemporalResnetOptions) {
    super();
    this.norm1 = new GroupNorm(32, channels, eps);
    this.conv1 = new TemporalConv(channels, channels);
    this.time_emb_proj = embedding === undefined ? undefined : new Linear(embedding, channels);
    this.norm2 = new GroupNorm(32, channels, eps);
    this.conv2 = new TemporalConv(channels, channels);
  }

  /** What the block adds to x. `embedding` [1 or B, D] has been through SiLU already. */
  residual(x: Value, embedding?: Value): Value {
    let h = this.conv1.forward(silu(this.norm1.forward(x)));
    if (this.time_emb_proj && embedding) {
      const shift = this.time_emb_proj.forward(embedding);
      h = add(h, reshape(shift, [dim(shift, 0), dim(shift, 1), 1, 1]));
    }
    return this.conv2.forward(silu(this.norm2.forward(h)));
  }
}

export type SpatioTemporalResnetOptions = {
  readonly inputs: number;
  readonly outputs: number;
  readonly eps: number;
  readonly temporalEps?: number;
  readonly embedding?: number | undefined;
  readonly switched?: boolean;
};

/** A residual block per frame, then one along time, blended. [B * F, C, H, W] -> [B * F, O, H, W]. */
export class SpatioTemporalResnet extends Module {
  readonly spatial_res_block: Resnet;
  readonly temporal_res_block: TemporalResnet;
  readonly time_mixer: AlphaBlender;

  constructor({ inputs, outputs, eps, temporalEps = eps, embedding, switched = false }: SpatioTemporalResnetOptions) {
    super();
    this.spatial_res_block = new Resnet({ inputs, outputs, eps, embedding });
    this.temporal_res_block = new TemporalResnet({ channels: outputs, eps: temporalEps, embedding });
    this.time_mixer = new AlphaBlender({ switched });
  }

  forward(x: Value, frames: number, embedding?: Value): Value {
    const spatial = this.spatial_res_block.forward(x, embedding);
    const [samples = 0, channels = 0] = spatial.dims;
    const videos = reshape(spatial, [samples / frames, frames, channels, -1]);
    const residual = this.temporal_res_block.residual(transpose(videos, [0, 2, 1, 3]), embedding);
    // a * s + (1 - a) * (s + r) = s + (1 - a) * r
    const { temporal } = this.time_mixer.weights(x.graph);
    const change = reshape(transpose(mul(residual, temporal), [0, 2, 1, 3]), spatial.dims);
    return x.graph.tap(this, add(spatial, change));
  }
}
