import type { Value } from '../onnx/graph.js';
import { Module, Parameter } from '../onnx/module.js';
import {
  add,
  conv2d,
  dim,
  div,
  instanceNorm,
  layerNorm,
  matmulTransposed,
  mul,
  quantizedLinear,
  reduceMean,
  reshape,
  scalar,
  sqrt,
  sub,
} from '../onnx/ops.js';
import { sizeOf } from '../tensor.js';

/** Applies a layer over the last axis to the tokens x [N, T, C] in a shape of their own (see `dimsOfItsOwn`). */
function ownShape(x: Value, layer: (rows: Value) => Value): Value {
  const [samples, tokens, channels, ...rest] = x.dims;
  if (samples === undefined || tokens === undefined || channels === undefined || rest.length > 0) return layer(x);
  const y = layer(reshape(x, [...x.graph.dimsOfItsOwn(samples * tokens), channels]));
  return reshape(y, [samples, tokens, y.dims.at(-1) ?? 0]);
}

/** Rows from which on a product is worth quantizing: embeddings have one, and their errors go everywhere. */
const fewestRows = 64;

/** y = x W^T + b over the last axis. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inputs: number, outputs: number, options: { readonly bias?: boolean } = {}) {
    super();
    this.weight = new Parameter([outputs, inputs]);
    this.bias = (options.bias ?? true) ? new Parameter([outputs]) : undefined;
  }

  forward(x: Value): Value {
    const { graph } = x;
    return graph.tap(this, this.#applied(x, graph.parameter(this.weight), this.bias && graph.parameter(this.bias)));
  }

  /** Both halves of the outputs, each as a product of its own: nothing has to be taken apart. */
  halves(x: Value): [Value, Value] {
    const { graph } = x;
    const [outputs = 0] = this.weight.dims;
    const half = (start: number) => {
      const rowsOf = (parameter: Parameter) => graph.parameterRows(parameter, start, start + outputs / 2);
      return this.#applied(x, rowsOf(this.weight), this.bias && rowsOf(this.bias));
    };
    return [half(0), half(outputs / 2)];
  }

  #applied(x: Value, weight: Value, bias: Value | undefined): Value {
    const quantize = x.graph.options.quantize && sizeOf(x.dims) >= fewestRows * dim(x, -1);
    return ownShape(x, (rows) => {
      if (quantize) return quantizedLinear(rows, weight, bias);
      const product = matmulTransposed(rows, weight);
      return bias ? add(product, bias) : product;
    });
  }
}

export type Conv2dOptions = {
  readonly kernel?: number;
  readonly stride?: number;
  /** The same number of zeros on all four sides, or top, left, bottom, right. */
  readonly padding?: number | readonly [number, number, number, number];
  readonly bias?: boolean;
};

/** 2-D convolution over [N, C, H, W]; kernel 3, stride 1, padding 1 unless said. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly #options: { readonly stride: number; readonly pads: readonly [number, number, number, number] };

  constructor(inputs: number, outputs: number, options: Conv2dOptions = {}) {
    super();
    const { kernel = 3, stride = 1, padding = 1, bias = true } = options;
    this.weight = new Parameter([outputs, inputs, kernel, kernel]);
    this.bias = bias ? new Parameter([outputs]) : undefined;
    this.#options = { stride, pads: typeof padding === 'number' ? [padding, padding, padding, padding] : padding };
  }

  forward(x: Value): Value {
    const { stride, pads } = this.#options;
    const bias = this.bias && x.graph.parameter(this.bias);
    return x.graph.tap(this, conv2d(x, x.graph.parameter(this.weight), bias, { stride: [stride, stride], pads }));
  }
}

/**
 * Convolution of three frames, kernel (3, 1, 1), zeros before the first and after the last frame. Works on
 * [B, C, F, H * W] as a 2-D convolution with kernel (3, 1), for which the runtime has a faster path than for 3-D.
 */
export class TemporalConv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(inputs: number, outputs: number) {
    super();
    this.weight = new Parameter([outputs, inputs, 3, 1, 1], { view: [outputs, inputs, 3, 1] });
    this.bias = new Parameter([outputs]);
  }

  forward(x: Value): Value {
    const { graph } = x;
    return graph.tap(this, conv2d(x, graph.parameter(this.weight), graph.parameter(this.bias), { pads: [1, 0, 1, 0] }));
  }
}

/** Group normalisation of x [N, C, ...] over the channels of a group and all later axes. */
export class GroupNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #groups: number;
  readonly #eps: number;

  constructor(groups: number, channels: number, eps: number) {
    super();
    if (channels % groups !== 0) throw new Error(`${channels} channels are not ${groups} equal groups`);
    this.weight = new Parameter([channels]);
    this.bias = new Parameter([channels]);
    this.#groups = groups;
    this.#eps = eps;
  }

  forward(x: Value): Value {
    const { graph } = x;
    const [samples = 0, channels = 0] = x.dims;
    const perGroup = channels / this.#groups;
    const perChannel = [1, this.#groups, perGroup, 1];
    const weight = reshape(graph.parameter(this.weight), perChannel);
    const bias = reshape(graph.parameter(this.bias), perChannel);
    const byGroup = [samples, this.#groups, perGroup, -1];
    if (x.dtype === 'float16') {
      // Squares leave the range of half floats; this operator does not form them in those.
      const normal = instanceNorm(reshape(x, [samples, this.#groups, -1]), this.#eps);
      return graph.tap(this, reshape(add(mul(reshape(normal, byGroup), weight), bias), x.dims));
    }
    const grouped = reshape(x, byGroup);
    // Means of rows, then the mean of those: one long float32 sum over millions of elements, as InstanceNormalization
    // and GroupNormalization of the runtime do it, is off by up to 1e-4 where this is off by 1e-6.
    const centred = sub(grouped, meanOfRows(grouped));
    const variance = meanOfRows(mul(centred, centred));
    const scale = div(weight, sqrt(add(variance, scalar(variance, this.#eps))));
    return graph.tap(this, reshape(add(mul(centred, scale), bias), x.dims));
  }
}

const meanOfRows = (x: Value): Value => reduceMean(reduceMean(x, [3]), [2]);

/** Normalisation over the last axis. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #eps: number;

  constructor(width: number, eps = 1e-5) {
    super();
    this.weight = new Parameter([width]);
    this.bias = new Parameter([width]);
    this.#eps = eps;
  }

  forward(x: Value): Value {
    const { graph } = x;
    const [weight, bias] = [graph.parameter(this.weight), graph.parameter(this.bias)];
    return graph.tap(
      this,
      ownShape(x, (rows) => layerNorm(rows, weight, bias, this.#eps)),
    );
  }
}
