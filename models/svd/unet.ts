import { sinusoids, TimestepEmbedding } from '../blocks/embeddings.js';
import { Conv2d, GroupNorm } from '../blocks/layers.js';
import { Downsample, Upsample } from '../blocks/resample.js';
import { SpatioTemporalTransformer } from '../blocks/spatio-temporal-transformer.js';
import { SpatioTemporalResnet } from '../blocks/temporal-resnet.js';
import type { Value } from '../onnx/graph.js';
import { Module } from '../onnx/module.js';
import { add, concat, dim, reshape, silu, toPrecision } from '../onnx/ops.js';
import type { UNetConfig, UNetLevel } from './unet-config.js';

/** What every block is conditioned on. */
type Condition = {
  readonly frames: number;
  /** Time embedding after SiLU, [1 or B, D]. */
  readonly embedding: Value;
  /** Image embedding, [B, 1, C]. */
  readonly context: Value;
};

const transformer = ({ channels, heads, transformerLayers: layers, contextWidth }: UNetLevel) =>
  new SpatioTemporalTransformer({ channels, heads, layers, contextWidth });

class DownBlock extends Module {
  readonly resnets: readonly SpatioTemporalResnet[];
  readonly attentions: readonly SpatioTemporalTransformer[];
  readonly downsamplers: readonly Downsample[];

  constructor(inputs: number, level: UNetLevel, embedding: number, last: boolean) {
    super();
    const { channels, layers, down } = level;
    const attends = down === 'CrossAttnDownBlockSpatioTemporal';
    // diffusers builds the block without attention with a coarser epsilon than the others.
    const eps = attends ? 1e-6 : 1e-5;
    const indices = [...Array(layers).keys()];
    this.resnets = indices.map(
      (i) => new SpatioTemporalResnet({ inputs: i === 0 ? inputs : channels, outputs: channels, eps, embedding }),
    );
    this.attentions = attends ? indices.map(() => transformer(level)) : [];
    this.downsamplers = last ? [] : [new Downsample(channels)];
  }

  /** The state after the block, and after each of its layers (the skips). */
  forward(x: Value, { frames, embedding, context }: Condition): { readonly h: Value; readonly skips: Value[] } {
    const skips: Value[] = [];
    let h = x;
    this.resnets.forEach((resnet, i) => {
      h = resnet.forward(h, frames, embedding);
      h = this.attentions[i]?.forward(h, frames, context) ?? h;
      skips.push(h);
    });
    for (const downsampler of this.downsamplers) {
      h = downsampler.forward(h);
      skips.push(h);
    }
    return { h: x.graph.tap(this, h), skips };
  }
}

class MidBlock extends Module {
  readonly resnets: readonly [SpatioTemporalResnet, SpatioTemporalResnet];
  readonly attentions: readonly [SpatioTemporalTransformer];

  constructor(level: UNetLevel, embedding: number) {
    super();
    const options = { inputs: level.channels, outputs: level.channels, eps: 1e-5, embedding };
    this.resnets = [new SpatioTemporalResnet(options), new SpatioTemporalResnet(options)];
    this.attentions = [transformer(level)];
  }

  forward(x: Value, { frames, embedding, context }: Condition): Value {
    let h = this.resnets[0].forward(x, frames, embedding);
    h = this.attentions[0].forward(h, frames, context);
    return x.graph.tap(this, this.resnets[1].forward(h, frames, embedding));
  }
}

class UpBlock extends Module {
  readonly resnets: readonly SpatioTemporalResnet[];
  readonly attentions: readonly SpatioTemporalTransformer[];
  readonly upsamplers: readonly Upsample[];

  /** `skips`: channels of the skips it takes, in the order it takes them. */
  constructor(inputs: number, skips: readonly number[], level: UNetLevel, embedding: number, last: boolean) {
    super();
    const { channels, up } = level;
    this.resnets = skips.map(
      (skip, i) =>
        new SpatioTemporalResnet({
          inputs: (i === 0 ? inputs : channels) + skip,
          outputs: channels,
          eps: 1e-6,
          embedding,
        }),
    );
    this.attentions = up === 'CrossAttnUpBlockSpatioTemporal' ? skips.map(() => transformer(level)) : [];
    this.upsamplers = last ? [] : [new Upsample(channels)];
  }

  /** Takes its skips from the end of `skips`. */
  forward(x: Value, skips: Value[], { frames, embedding, context }: Condition): Value {
    let h = x;
    this.resnets.forEach((resnet, i) => {
      h = resnet.forward(concat([h, skips.pop() as Value], 1), frames, embedding);
      h = this.attentions[i]?.forward(h, frames, context) ?? h;
    });
    for (const upsampler of this.upsamplers) h = upsampler.forward(h);
    return x.graph.tap(this, h);
  }
}

export type UNetInputs = {
  /** Scaled latents and image latents, [B * F, 2 L, h, w]; frames of one batch entry are neighbours. */
  readonly sample: Value;
  readonly frames: number;
  /** 0.25 ln(sigma), [1]. */
  readonly timestep: Value;
  /** Image embedding, [B, 1, D]. */
  readonly context: Value;
  /** fps id, motion bucket, noise level, [1 or B, 3]; one row serves all. */
  readonly addedTimeIds: Value;
  /** Changes the state that goes from down block 0 to down block 1; the skips do not see it. */
  readonly control?: ((h: Value) => Value) | undefined;
};

/** UNet of Stable Video Diffusion (diffusers: UNetSpatioTemporalConditionModel). */
export class UNet extends Module {
  readonly conv_in: Conv2d;
  readonly time_embedding: TimestepEmbedding;
  readonly add_embedding: TimestepEmbedding;
  readonly down_blocks: readonly DownBlock[];
  readonly mid_block: MidBlock;
  readonly up_blocks: readonly UpBlock[];
  readonly conv_norm_out: GroupNorm;
  readonly conv_out: Conv2d;
  readonly #config: UNetConfig;

  constructor(config: UNetConfig) {
    super();
    this.#config = config;
    const { levels } = config;
    const first = levels[0] as UNetLevel;
    const deepest = levels[levels.length - 1] as UNetLevel;
    const embedding = first.channels * 4;
    this.conv_in = new Conv2d(config.inChannels, first.channels);
    this.time_embedding = new TimestepEmbedding(first.channels, embedding);
    this.add_embedding = new TimestepEmbedding(config.projectionClassEmbeddingsInputDim, embedding);

    const skips = [first.channels];
    this.down_blocks = levels.map((level, i) => {
      const last = i === levels.length - 1;
      skips.push(...Array<number>(level.layers + (last ? 0 : 1)).fill(level.channels));
      return new DownBlock(levels[i - 1]?.channels ?? first.channels, level, embedding, last);
    });
    this.mid_block = new MidBlock(deepest, embedding);
    const ascending = levels.toReversed();
    this.up_blocks = ascending.map((level, i) => {
      const taken = Array.from({ length: level.layers + 1 }, () => skips.pop() as number);
      return new UpBlock((ascending[i - 1] ?? level).channels, taken, level, embedding, i === levels.length - 1);
    });
    this.conv_norm_out = new GroupNorm(32, first.channels, 1e-5);
    this.conv_out = new Conv2d(first.channels, config.outChannels);
  }

  /** v-prediction [B * F, L, h, w]; L is 4 in SVD. */
  forward({ sample, frames, timestep, context, addedTimeIds, control }: UNetInputs): Value {
    const embedding = silu(this.#embedding(timestep, addedTimeIds));
    const condition = { frames, context: toPrecision(context), embedding };
    let h = this.conv_in.forward(toPrecision(sample));
    const skips = [h];
    this.down_blocks.forEach((block, i) => {
      const result = block.forward(h, condition);
      skips.push(...result.skips);
      h = i === 0 && control ? control(result.h) : result.h;
    });
    h = this.mid_block.forward(h, condition);
    for (const block of this.up_blocks) h = block.forward(h, skips, condition);
    return this.conv_out.forward(silu(this.conv_norm_out.forward(h)));
  }

  #embedding(timestep: Value, addedTimeIds: Value): Value {
    const { levels, additionTimeEmbedDim } = this.#config;
    const time = this.time_embedding.forward(sinusoids(timestep, (levels[0] as UNetLevel).channels));
    const rows = dim(addedTimeIds, 0);
    const ids = sinusoids(reshape(addedTimeIds, [-1]), additionTimeEmbedDim);
    return add(time, this.add_embedding.forward(reshape(ids, [rows, -1])));
  }
}
