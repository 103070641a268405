import { SelfAttention } from '../blocks/attention.js';
import { Conv2d, GroupNorm, TemporalConv } from '../blocks/layers.js';
import { Downsample, Upsample } from '../blocks/resample.js';
import { Resnet } from '../blocks/resnet.js';
import { SpatioTemporalResnet } from '../blocks/temporal-resnet.js';
import type { Value } from '../onnx/graph.js';
import { Module, unused } from '../onnx/module.js';
import { add, reshape, silu, slice, toPrecision, transpose } from '../onnx/ops.js';
import type { VaeConfig } from './vae-config.js';

/*
 * AutoencoderKLTemporalDecoder: an image encoder, and a decoder whose residual blocks also look along time.
 * Property names are the keys of vae/diffusion_pytorch_model.safetensors.
 */

/** Epsilon of every norm but those of the temporal residual blocks. */
const eps = 1e-6;
const temporalEps = 1e-5;

/** Attention of one head among the pixels of a frame, as a residual. [N, C, H, W] -> the same. */
class PixelAttention extends SelfAttention {
  readonly group_norm: GroupNorm;

  constructor(channels: number) {
    super(channels, 1, { bias: true });
    this.group_norm = new GroupNorm(32, channels, eps);
  }

  override forward(x: Value): Value {
    const [samples = 0, channels = 0, height = 0, width = 0] = x.dims;
    const normal = reshape(this.group_norm.forward(x), [samples, channels, height * width]);
    const mixed = transpose(super.forward(transpose(normal, [0, 2, 1])), [0, 2, 1]);
    return x.graph.tap(this, add(reshape(mixed, x.dims), x));
  }
}

class EncoderBlock extends Module {
  readonly resnets: readonly Resnet[];
  readonly downsamplers: readonly Downsample[] | undefined;

  constructor(inputs: number, outputs: number, layers: number, last: boolean) {
    super();
    this.resnets = Array.from({ length: layers }, (_, i) => new Resnet({ inputs: i ? outputs : inputs, outputs, eps }));
    this.downsamplers = last ? undefined : [new Downsample(outputs, { padding: 'right-bottom' })];
  }

  forward(x: Value): Value {
    const h = this.resnets.reduce((state, resnet) => resnet.forward(state), x);
    return x.graph.tap(this, this.downsamplers?.[0]?.forward(h) ?? h);
  }
}

class EncoderMidBlock extends Module {
  readonly attentions: readonly [PixelAttention];
  readonly resnets: readonly [Resnet, Resnet];

  constructor(channels: number) {
    super();
    const resnet = { inputs: channels, outputs: channels, eps };
    this.attentions = [new PixelAttention(channels)];
    this.resnets = [new Resnet(resnet), new Resnet(resnet)];
  }

  forward(x: Value): Value {
    const h = this.attentions[0].forward(this.resnets[0].forward(x));
    return x.graph.tap(this, this.resnets[1].forward(h));
  }
}

/** [N, 3, H, W] -> mean and log variance of the latents, [N, 2 L, h, w]. */
class Encoder extends Module {
  readonly conv_in: Conv2d;
  readonly down_blocks: readonly EncoderBlock[];
  readonly mid_block: EncoderMidBlock;
  readonly conv_norm_out: GroupNorm;
  readonly conv_out: Conv2d;

  constructor({ inChannels, latentChannels, blockOutChannels: widths, layersPerBlock }: VaeConfig) {
    super();
    const [first, last] = ends(widths);
    this.conv_in = new Conv2d(inChannels, first);
    this.down_blocks = widths.map(
      (width, i) => new EncoderBlock(widths[i - 1] ?? first, width, layersPerBlock, i === widths.length - 1),
    );
    this.mid_block = new EncoderMidBlock(last);
    this.conv_norm_out = new GroupNorm(32, last, eps);
    this.conv_out = new Conv2d(last, 2 * latentChannels);
  }

  forward(x: Value): Value {
    const h = this.down_blocks.reduce((state, block) => block.forward(state), this.conv_in.forward(x));
    return this.conv_out.forward(silu(this.conv_norm_out.forward(this.mid_block.forward(h))));
  }
}

/** The decoder's blends give the temporal branch the share that the UNet's give the spatial one. */
const videoResnet = (inputs: number, outputs: number) =>
  new SpatioTemporalResnet({ inputs, outputs, eps, temporalEps, switched: true });

class DecoderMidBlock extends Module {
  readonly attentions: readonly [PixelAttention];
  readonly resnets: readonly SpatioTemporalResnet[];

  constructor(channels: number, layers: number) {
    super();
    const attention = new PixelAttention(channels);
    // As published: residual blocks are paired with attentions, of which there is one, so of more than two blocks only
    // two ever run, and with one block the attention does not.
    this.attentions = [layers > 1 ? attention : unused(attention)];
    this.resnets = Array.from({ length: layers }, (_, i) => {
      const resnet = videoResnet(channels, channels);
      return i < 2 ? resnet : unused(resnet);
    });
  }

  forward(x: Value, frames: number): Value {
    const [first, second] = this.resnets;
    const h = first?.forward(x, frames) ?? x;
    return x.graph.tap(this, second?.forward(this.attentions[0].forward(h), frames) ?? h);
  }
}

class DecoderBlock extends Module {
  readonly resnets: readonly SpatioTemporalResnet[];
  readonly upsamplers: readonly Upsample[] | undefined;

  constructor(inputs: number, outputs: number, layers: number, last: boolean) {
    super();
    this.resnets = Array.from({ length: layers }, (_, i) => videoResnet(i ? outputs : inputs, outputs));
    this.upsamplers = last ? undefined : [new Upsample(outputs)];
  }

  forward(x: Value, frames: number): Value {
    const h = this.resnets.reduce((state, resnet) => resnet.forward(state, frames), x);
    return x.graph.tap(this, this.upsamplers?.[0]?.forward(h) ?? h);
  }
}

/** [B * F, L, h, w] -> [B * F, 3, H, W]. */
class TemporalDecoder extends Module {
  readonly conv_in: Conv2d;
  readonly mid_block: DecoderMidBlock;
  readonly up_blocks: readonly DecoderBlock[];
  readonly conv_norm_out: GroupNorm;
  readonly conv_out: Conv2d;
  readonly time_conv_out: TemporalConv;

  constructor({ outChannels, latentChannels, blockOutChannels, layersPerBlock }: VaeConfig) {
    super();
    const widths = blockOutChannels.toReversed();
    const [first, last] = ends(widths);
    this.conv_in = new Conv2d(latentChannels, first);
    this.mid_block = new DecoderMidBlock(first, layersPerBlock);
    this.up_blocks = widths.map(
      (width, i) => new DecoderBlock(widths[i - 1] ?? first, width, layersPerBlock + 1, i === widths.length - 1),
    );
    this.conv_norm_out = new GroupNorm(32, last, eps);
    this.conv_out = new Conv2d(last, outChannels);
    this.time_conv_out = new TemporalConv(outChannels, outChannels);
  }

  forward(latents: Value, frames: number): Value {
    let h = this.mid_block.forward(this.conv_in.forward(latents), frames);
    for (const block of this.up_blocks) h = block.forward(h, frames);
    h = this.conv_out.forward(silu(this.conv_norm_out.forward(h)));
    const [samples = 0, channels = 0, height = 0, width = 0] = h.dims;
    // The frames of a video as an axis: [B, 3, F, H * W].
    const videos = transpose(reshape(h, [samples / frames, frames, channels, height * width]), [0, 2, 1, 3]);
    const filtered = transpose(this.time_conv_out.forward(videos), [0, 2, 1, 3]);
    return reshape(filtered, [samples, channels, height, width]);
  }
}

/** Pictures to latents and back. */
export class Vae extends Module {
  readonly encoder: Encoder;
  readonly decoder: TemporalDecoder;
  readonly quant_conv: Conv2d;
  readonly #latentChannels: number;

  constructor(config: VaeConfig) {
    super();
    const moments = 2 * config.latentChannels;
    this.encoder = new Encoder(config);
    this.decoder = new TemporalDecoder(config);
    this.quant_conv = new Conv2d(moments, moments, { kernel: 1, padding: 0 });
    this.#latentChannels = config.latentChannels;
  }

  /** Pictures [N, 3, H, W] about -1..1 -> mode of their latents [N, L, h, w], not scaled. */
  encodeMode(pictures: Value): Value {
    return slice(this.quant_conv.forward(this.encoder.forward(toPrecision(pictures))), 1, 0, this.#latentChannels);
  }

  /** Latents [B * F, L, h, w], divided by the scaling factor -> frames [B * F, 3, H, W] about -1..1. */
  decode(latents: Value, frames: number): Value {
    return this.decoder.forward(toPrecision(latents), frames);
  }
}

function ends(list: readonly number[]): readonly [number, number] {
  return [list[0] ?? 0, list.at(-1) ?? 0];
}
