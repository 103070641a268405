import type { Value } from '../onnx/graph.js';
import { Module } from '../onnx/module.js';
import { add, dim, reshape, silu } from '../onnx/ops.js';
import { Conv2d, GroupNorm, Linear } from './layers.js';
import { perSample } from './per-sample.js';

export type ResnetOptions = {
  readonly inputs: number;
  readonly outputs: number;
  readonly groups?: number;
  readonly eps: number;
  /** Width of the time embedding; without it the block has none. */
  readonly embedding?: number | undefined;
};

/** Residual block: (norm, SiLU, conv) twice, with a time embedding added in between. [N, C, H, W] -> [N, O, H, W]. */
export class Resnet extends Module {
  readonly norm1: GroupNorm;
  readonly conv1: Conv2d;
  readonly time_emb_proj: Linear | undefined;
  readonly norm2: GroupNorm;
  readonly conv2: Conv2d;
  readonly conv_shortcut: Conv2d | undefined;

  constructor({ inputs, outputs, groups = 32, eps, embedding }: ResnetOptions) {
    super();
    this.norm1 = new GroupNorm(groups, inputs, eps);
    this.conv1 = new Conv2d(inputs, outputs);
    this.time_emb_proj = embedding === undefined ? undefined : new Linear(embedding, outputs);
    this.norm2 = new GroupNorm(groups, outputs, eps);
    this.conv2 = new Conv2d(outputs, outputs);
    this.conv_shortcut = inputs === outputs ? undefined : new Conv2d(inputs, outputs, { kernel: 1, padding: 0 });
  }

  /** `embedding` [B, D] has been through SiLU already; sample n of x belongs to row n / (N / B). */
  forward(x: Value, embedding?: Value): Value {
    let h = this.conv1.forward(silu(this.norm1.forward(x)));
    if (this.time_emb_proj && embedding) {
      const shift = perSample(this.time_emb_proj.forward(embedding), dim(x, 0));
      h = add(h, reshape(shift, [dim(shift, 0), dim(shift, 1), 1, 1]));
    }
    h = this.conv2.forward(silu(this.norm2.forward(h)));
    return x.graph.tap(this, add(this.conv_shortcut?.forward(x) ?? x, h));
  }
}
