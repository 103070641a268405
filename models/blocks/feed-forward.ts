import type { Value } from '../onnx/graph.js';
import { inParts, rowsOfPart } from '../onnx/in-parts.js';
import { Module } from '../onnx/module.js';
import { dim, gelu, mul, reshape } from '../onnx/ops.js';
import { sizeOf } from '../tensor.js';
import { Linear } from './layers.js';

/** Linear layer to twice the width; one half gates the other through exact GELU. */
class Geglu extends Module {
  readonly proj: Linear;

  constructor(inputs: number, outputs: number) {
    super();
    this.proj = new Linear(inputs, outputs * 2);
  }

  forward(x: Value): Value {
    const [value, gate] = this.proj.halves(x);
    return mul(value, gelu(gate));
  }
}

/**
 * GEGLU feed-forward with four times the width inside, which is the largest tensor of a UNet: tokens do not see each other
 * here, so the parts that the graph asks for give the same numbers and need less memory. The published layout keeps a
 * dropout layer at index 1.
 */
export class FeedForward extends Module {
  readonly net: readonly [Geglu, undefined, Linear];

  constructor(channels: number) {
    super();
    this.net = [new Geglu(channels, channels * 4), undefined, new Linear(channels * 4, channels)];
  }

  forward(x: Value): Value {
    const { graph } = x;
    const channels = dim(x, -1);
    const tokens = sizeOf(x.dims) / channels;
    const length = rowsOfPart(tokens, graph.options.feedForwardParts);
    const own = graph.dimsOfItsOwn(length);
    const mixed = inParts(reshape(x, [tokens, channels]), 0, length, (part) => {
      const shaped = dim(part, 0) === length ? reshape(part, [...own, channels]) : part;
      return reshape(this.net[2].forward(this.net[0].forward(shaped)), part.dims);
    });
    return graph.tap(this, reshape(mixed, x.dims));
  }
}
