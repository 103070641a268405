import type { Value } from '../onnx/graph.js';
import { Module } from '../onnx/module.js';
import { concat, cos, dim, floats, mul, reshape, silu, sin, toPrecision } from '../onnx/ops.js';
import { Linear } from './layers.js';

/**
 * Sinusoids of x [N], float32, -> [N, width]: cosines, then sines, of x times exp(-ln(10000) k / (width / 2)).
 * Frequencies are rounded to float32 at every operation, as the published code computes them.
 */
export function sinusoids(x: Value, width: number): Value {
  if (width % 2 !== 0) throw new Error(`sinusoids need an even width, not ${width}`);
  const half = width / 2;
  const frequencies = Float32Array.from({ length: half }, (_, k) => {
    const exponent = Math.fround(Math.fround(-Math.log(10000)) * k);
    return Math.exp(Math.fround(exponent / half));
  });
  const angles = mul(reshape(x, [dim(x, 0), 1]), floats(x.graph, [1, half], frequencies));
  return concat([cos(angles), sin(angles)], 1);
}

/** Two linear layers with SiLU in between: sinusoids -> embedding. */
export class TimestepEmbedding extends Module {
  readonly linear_1: Linear;
  readonly linear_2: Linear;

  constructor(inputs: number, hidden: number, outputs = hidden) {
    super();
    this.linear_1 = new Linear(inputs, hidden);
    this.linear_2 = new Linear(hidden, outputs);
  }

  forward(x: Value): Value {
    return x.graph.tap(this, this.linear_2.forward(silu(this.linear_1.forward(toPrecision(x)))));
  }
}
