import type { Value } from '../onnx/graph.js';
import { Module } from '../onnx/module.js';
import { upsampleNearest2x } from '../onnx/ops.js';
import { Conv2d } from './layers.js';

/** Halves rows and columns: 3x3 convolution with stride 2. Zeros on all sides, or right and bottom only (VAE encoder). */
export class Downsample extends Module {
  readonly conv: Conv2d;

  constructor(channels: number, options: { readonly padding?: 'all' | 'right-bottom' } = {}) {
    super();
    this.conv = new Conv2d(channels, channels, {
      stride: 2,
      padding: options.padding === 'right-bottom' ? [0, 0, 1, 1] : 1,
    });
  }

  forward(x: Value): Value {
    return x.graph.tap(this, this.conv.forward(x));
  }
}

/** Doubles rows and columns: nearest neighbour, then a 3x3 convolution. */
export class Upsample extends Module {
  readonly conv: Conv2d;

  constructor(channels: number) {
    super();
    this.conv = new Conv2d(channels, channels);
  }

  forward(x: Value): Value {
    return x.graph.tap(this, this.conv.forward(upsampleNearest2x(x)));
  }
}
