import { sizeOf } from '../tensor.js';

/** Multiply-adds of a graph, by kind; a floating-point operation count is twice as much. */
export type MultiplyAdds = {
  readonly convolution: number;
  readonly linear: number;
  readonly attention: number;
  /** On weights alone (LoRA): at every run in `low-memory` residency, once while the graph is prepared in `fast`. */
  readonly merging: number;
};

export type MultiplyAddKind = keyof MultiplyAdds;

type Shape = { readonly dims: readonly number[] };

/**
 * Multiply-adds of one operator, or undefined for those that are not counted (norms, activations, reshapes), as the
 * field counts them. A product of two activations is attention; one with a weight of rank 2 is a linear layer.
 */
export function countMultiplyAdds(
  op: string,
  inputs: readonly (Shape | undefined)[],
  output: Shape | undefined,
): { readonly kind: MultiplyAddKind; readonly count: number } | undefined {
  const [a, b] = inputs;
  if (!a || !b || !output) return undefined;
  const size = sizeOf(output.dims);
  switch (op) {
    case 'Conv':
      return { kind: 'convolution', count: size * sizeOf(b.dims.slice(1)) };
    case 'Gemm':
    case 'MatMul':
    case 'com.microsoft:FusedMatMul':
    case 'com.microsoft:DynamicQuantizeMatMul':
      return { kind: b.dims.length === 2 ? 'linear' : 'attention', count: size * (a.dims.at(-1) ?? 0) };
    case 'com.microsoft:MultiHeadAttention':
      // q k^T and the mix of v: each output element takes as many of both as there are keys.
      return { kind: 'attention', count: 2 * size * (b.dims[1] ?? 0) };
    default:
      return undefined;
  }
}
