import { sinusoids, TimestepEmbedding } from '../blocks/embeddings.js';
import { Conv2d, GroupNorm } from '../blocks/layers.js';
import { Downsample } from '../blocks/resample.js';
import { Resnet } from '../blocks/resnet.js';
import type { Value } from '../onnx/graph.js';
import { Module } from '../onnx/module.js';
import { add, relu, silu, toPrecision } from '../onnx/ops.js';

/**
 * Zeros around the second and third convolution: none in the published inference code (and whatever is trained against
 * it), one in the training code of the same repository.
 */
export type ControlPadding = 0 | 1;

/** Convolutions that see the pose picture; ReLU layers hold the places without weights. */
type Stem = readonly [Conv2d, GroupNorm, undefined, Conv2d, GroupNorm, undefined, Conv2d, GroupNorm];
type Mid = readonly [readonly [Conv2d, undefined, GroupNorm, Conv2d, GroupNorm], Conv2d];

const timestepWidth = 128;

/** ControlNeXt-SVD v2: pose pictures to features that are added to the UNet's state once. 3.5 M parameters. */
export class ControlNeXt extends Module {
  readonly time_embedding = new TimestepEmbedding(timestepWidth, 256);
  readonly embedding: Stem;
  readonly down_res: readonly [Resnet, Resnet];
  readonly down_sample: readonly [Downsample, Downsample];
  readonly mid_convs: Mid;

  /** `channels`: width of the features, the UNet's block_out_channels[0]. */
  constructor(channels: number, padding: ControlPadding = 0) {
    super();
    this.embedding = [
      new Conv2d(3, 64, { stride: 2 }),
      new GroupNorm(2, 64, 1e-5),
      undefined,
      new Conv2d(64, 64, { padding }),
      new GroupNorm(2, 64, 1e-5),
      undefined,
      new Conv2d(64, 128, { padding }),
      new GroupNorm(2, 128, 1e-5),
    ];
    this.down_res = [
      new Resnet({ inputs: 128, outputs: 128, groups: 4, eps: 1e-6, embedding: 256 }),
      new Resnet({ inputs: 128, outputs: 256, groups: 8, eps: 1e-6, embedding: 256 }),
    ];
    this.down_sample = [new Downsample(128), new Downsample(256)];
    this.mid_convs = [
      [new Conv2d(256, 256), undefined, new GroupNorm(8, 256, 1e-5), new Conv2d(256, 256), new GroupNorm(8, 256, 1e-5)],
      new Conv2d(256, channels, { kernel: 1, padding: 0 }),
    ];
  }

  /** pose [N, 3, H, W] in 0..1, timestep [1] -> features [N, C, h, w], h about H / 8 (71 of 576, 127 of 1024). */
  forward(pose: Value, timestep: Value): Value {
    const embedding = silu(this.time_embedding.forward(sinusoids(timestep, timestepWidth)));
    const [conv0, norm1, , conv3, norm4, , conv6, norm7] = this.embedding;
    let h = relu(norm1.forward(conv0.forward(toPrecision(pose))));
    h = relu(norm4.forward(conv3.forward(h)));
    h = relu(norm7.forward(conv6.forward(h)));
    this.down_res.forEach((resnet, i) => {
      h = (this.down_sample[i] as Downsample).forward(resnet.forward(h, embedding));
    });
    const [[mid0, , mid2, mid3, mid4], last] = this.mid_convs;
    h = add(mid4.forward(mid3.forward(mid2.forward(relu(mid0.forward(h))))), h);
    return last.forward(h);
  }
}

/** Rows or columns of the features of a picture with `side` rows or columns. */
export function featureSide(side: number, padding: ControlPadding = 0): number {
  const halved = (n: number) => Math.floor((n - 1) / 2) + 1;
  return halved(halved(halved(side) - 4 * (1 - padding)));
}
