import type { Value } from '../onnx/graph.js';
import { Module, unused } from '../onnx/module.js';
import { add, floats, reshape, transpose } from '../onnx/ops.js';
import { SelfAttention, SingleTokenAttention } from './attention.js';
import { sinusoids, TimestepEmbedding } from './embeddings.js';
import { FeedForward } from './feed-forward.js';
import { GroupNorm, LayerNorm, Linear } from './layers.js';
import { addPerBatch } from './per-sample.js';
import { AlphaBlender } from './temporal-resnet.js';

/** Attention among the pixels of a frame, to the context, feed-forward. [N, H * W, C], context [B, 1, D]. */
class TransformerBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn1: SelfAttention;
  /** Norm of the queries of attn2, which are never computed. */
  readonly norm2: LayerNorm;
  readonly attn2: SingleTokenAttention;
  readonly norm3: LayerNorm;
  readonly ff: FeedForward;

  constructor(channels: number, heads: number, contextWidth: number) {
    super();
    this.norm1 = new LayerNorm(channels);
    this.attn1 = new SelfAttention(channels, heads);
    this.norm2 = unused(new LayerNorm(channels));
    this.attn2 = new SingleTokenAttention(channels, contextWidth);
    this.norm3 = new LayerNorm(channels);
    this.ff = new FeedForward(channels);
  }

  forward(x: Value, context: Value): Value {
    let h = add(x, this.attn1.forward(this.norm1.forward(x)));
    h = addPerBatch(h, this.attn2.forward(context));
    h = add(h, this.ff.forward(this.norm3.forward(h)));
    return x.graph.tap(this, h);
  }
}

/** The same along time, for every pixel on its own, after a feed-forward layer of its own. */
class TemporalTransformerBlock extends TransformerBlock {
  readonly norm_in: LayerNorm;
  readonly ff_in: FeedForward;

  constructor(channels: number, heads: number, contextWidth: number) {
    super(channels, heads, contextWidth);
    this.norm_in = new LayerNorm(channels);
    this.ff_in = new FeedForward(channels);
  }

  /** x [B, F, H * W, C] -> the same. */
  override forward(x: Value, context: Value): Value {
    const [batch = 0, frames = 0, pixels = 0, channels = 0] = x.dims;
    let h = reshape(transpose(x, [0, 2, 1, 3]), [batch * pixels, frames, channels]);
    h = add(h, this.ff_in.forward(this.norm_in.forward(h)));
    h = super.forward(h, context);
    const back = transpose(reshape(h, [batch, pixels, frames, channels]), [0, 2, 1, 3]);
    return x.graph.tap(this, back);
  }
}

export type SpatioTemporalTransformerOptions = {
  readonly channels: number;
  readonly heads: number;
  readonly layers: number;
  readonly contextWidth: number;
};

/** Transformer over pixels and over frames in turns, blended, as a residual. [B * F, C, H, W] -> the same. */
export class SpatioTemporalTransformer extends Module {
  readonly norm: GroupNorm;
  readonly proj_in: Linear;
  readonly transformer_blocks: readonly TransformerBlock[];
  readonly temporal_transformer_blocks: readonly TemporalTransformerBlock[];
  readonly time_pos_embed: TimestepEmbedding;
  readonly time_mixer = new AlphaBlender();
  readonly proj_out: Linear;

  constructor({ channels, heads, layers, contextWidth }: SpatioTemporalTransformerOptions) {
    super();
    const times = Array.from({ length: layers });
    this.norm = new GroupNorm(32, channels, 1e-6);
    this.proj_in = new Linear(channels, channels);
    this.transformer_blocks = times.map(() => new TransformerBlock(channels, heads, contextWidth));
    this.temporal_transformer_blocks = times.map(() => new TemporalTransformerBlock(channels, heads, contextWidth));
    this.time_pos_embed = new TimestepEmbedding(channels, channels * 4, channels);
    this.proj_out = new Linear(channels, channels);
  }

  forward(x: Value, frames: number, context: Value): Value {
    const { graph } = x;
    const [samples = 0, channels = 0, height = 0, width = 0] = x.dims;
    const videos = [samples / frames, frames, height * width, channels];
    const normal = reshape(this.norm.forward(x), [samples, channels, height * width]);
    let h = this.proj_in.forward(transpose(normal, [0, 2, 1]));
    const indices = floats(graph, [frames], Array(frames).keys());
    const position = reshape(this.time_pos_embed.forward(sinusoids(indices, channels)), [frames, 1, channels]);
    this.transformer_blocks.forEach((block, i) => {
      h = reshape(block.forward(h, context), videos);
      const temporal = this.temporal_transformer_blocks[i]?.forward(add(h, position), context) ?? h;
      h = reshape(this.time_mixer.forward(h, temporal), [samples, height * width, channels]);
    });
    const out = transpose(this.proj_out.forward(h), [0, 2, 1]);
    return graph.tap(this, add(reshape(out, [samples, channels, height, width]), x));
  }
}
