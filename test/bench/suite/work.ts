import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';

/** Floating-point operations of one run in units of 10^9: two for each multiply-add that is counted. */
export function gigaflops({ multiplyAdds }: Pick<BuiltGraph, 'multiplyAdds'>): number {
  const { convolution, linear, attention } = multiplyAdds;
  return ((convolution + linear + attention) * 2) / 1e9;
}

/** Speeds of runs that took so many seconds. */
export const speeds = (seconds: readonly number[], work: number): number[] => seconds.map((each) => work / each);
