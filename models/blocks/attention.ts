import type { Value } from '../onnx/graph.js';
import { inParts, rowsOfPart } from '../onnx/in-parts.js';
import { Module, unused } from '../onnx/module.js';
import { attention, dim, fusesAttention } from '../onnx/ops.js';
import { Linear } from './layers.js';

/**
 * Multi-head self-attention over x [B, T, C]; biases on q, k, v only where asked for (VAE). Where attention is not fused, its
 * scores [B, heads, T, T] are the largest tensor of all: queries do not see each other, so the parts that the graph asks for
 * give the same numbers and need less memory.
 */
export class SelfAttention extends Module {
  readonly to_q: Linear;
  readonly to_k: Linear;
  readonly to_v: Linear;
  /** The published layout keeps a dropout layer at index 1. */
  readonly to_out: readonly [Linear];
  readonly #heads: number;

  constructor(channels: number, heads: number, options: { readonly bias?: boolean } = {}) {
    super();
    const { bias = false } = options;
    this.to_q = new Linear(channels, channels, { bias });
    this.to_k = new Linear(channels, channels, { bias });
    this.to_v = new Linear(channels, channels, { bias });
    this.to_out = [new Linear(channels, channels)];
    this.#heads = heads;
  }

  forward(x: Value): Value {
    const { target, attentionParts } = x.graph.options;
    const [queries, keys, values] = [this.to_q.forward(x), this.to_k.forward(x), this.to_v.forward(x)];
    const rows = rowsOfPart(dim(x, 1), fusesAttention(target) ? 1 : attentionParts);
    const mixed = inParts(queries, 1, rows, (part) => attention(part, keys, values, this.#heads));
    return x.graph.tap(this, this.to_out[0].forward(mixed));
  }
}

/**
 * Cross-attention to a context of one token. The softmax over one key is 1 whatever the query says, so every query gets
 * to_out(to_v(context)) exactly: queries and keys are in the checkpoint but never computed.
 */
export class SingleTokenAttention extends Module {
  readonly to_q: Linear;
  readonly to_k: Linear;
  readonly to_v: Linear;
  readonly to_out: readonly [Linear];

  constructor(channels: number, contextWidth: number) {
    super();
    this.to_q = unused(new Linear(channels, channels, { bias: false }));
    this.to_k = unused(new Linear(contextWidth, channels, { bias: false }));
    this.to_v = new Linear(contextWidth, channels, { bias: false });
    this.to_out = [new Linear(channels, channels)];
  }

  /** context [B, 1, D] -> [B, 1, C], the same for every query of a batch entry. */
  forward(context: Value): Value {
    if (dim(context, 1) !== 1) throw new Error(`a context of ${dim(context, 1)} tokens instead of one`);
    return context.graph.tap(this, this.to_out[0].forward(this.to_v.forward(context)));
  }
}
