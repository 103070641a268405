import type { Value } from '../onnx/graph.js';
import { Module } from '../onnx/module.js';
import { gelu, halve, mul } from '../onnx/ops.js';
import { Linear } from './layers.js';

/** Linear layer to twice the width; one half gates the other through exact GELU. */
class Geglu extends Module {
  readonly proj: Linear;

  constructor(inputs: number, outputs: number) {
    super();
    this.proj = new Linear(inputs, outputs * 2);
  }

  forward(x: Value): Value {
    const [value, gate] = halve(this.proj.forward(x), -1);
    return mul(value, gelu(gate));
  }
}

/** GEGLU feed-forward with four times the width inside. The published layout keeps a dropout layer at index 1. */
export class FeedForward extends Module {
  readonly net: readonly [Geglu, undefined, Linear];

  constructor(channels: number) {
    super();
    this.net = [new Geglu(channels, channels * 4), undefined, new Linear(channels * 4, channels)];
  }

  forward(x: Value): Value {
    return x.graph.tap(this, this.net[2].forward(this.net[0].forward(x)));
  }
}
