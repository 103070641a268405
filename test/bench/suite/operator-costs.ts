import { countMultiplyAdds } from '#dist/models/onnx/multiply-adds.js';

/** What this module reads of onnxruntime's trace events; times are microseconds. */
export type TraceEvent = {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
};

/** What operators of one kind, and of one shape where shapes are told apart, cost in one run. */
export type OperatorCost = {
  readonly operator: string;
  readonly shapes: string;
  readonly count: number;
  readonly milliseconds: number;
  /** Counted work in 10^9 floating-point operations; 0 for operators that only move or bend numbers. */
  readonly gigaflops: number;
};

type Shape = { readonly dims: readonly number[] };

/**
 * Costs of the operators of one run, dearest first: means over all runs of a trace but the first, which warms up.
 * `shapes`: operators of different shapes apart.
 */
export function operatorCosts(events: readonly TraceEvent[], { shapes }: { readonly shapes: boolean }): OperatorCost[] {
  const runs = events.filter(({ name }) => name === 'model_run').slice(1);
  if (runs.length === 0) throw new Error('a profile takes two runs');
  const sums = new Map<string, OperatorCost>();
  for (const event of events) {
    if (event.cat !== 'Node' || !event.args?.op_name) continue;
    if (!runs.some(({ ts, dur }) => event.ts >= ts && event.ts < ts + dur)) continue;
    const operator = event.args.op_name;
    const [inputs, outputs] = [shapesOf(event.args.input_type_shape), shapesOf(event.args.output_type_shape)];
    const text = shapes ? `${shapesText(inputs)} -> ${shapesText(outputs)}` : '';
    const known = sums.get(operator + text);
    sums.set(operator + text, {
      ...{ operator, shapes: text },
      count: (known?.count ?? 0) + 1 / runs.length,
      milliseconds: (known?.milliseconds ?? 0) + event.dur / 1000 / runs.length,
      gigaflops: (known?.gigaflops ?? 0) + workOf(operator, inputs, outputs[0]) / runs.length,
    });
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

function shapesOf(listed: readonly Readonly<Record<string, readonly number[]>>[] = []): Shape[] {
  return listed.flatMap((one) => Object.values(one).map((dims) => ({ dims })));
}

/** The large ones: sizes of axes and lone numbers are no news. */
function shapesText(shapes: readonly Shape[]): string {
  const large = shapes.filter(({ dims }) => dims.length > 1);
  return large.map(({ dims }) => dims.join('x')).join(' ');
}

const contributed = new Set(['FusedMatMul', 'MultiHeadAttention']);

function workOf(operator: string, [a, b]: readonly Shape[], output: Shape | undefined): number {
  if (!a || !output) return 0;
  const name = contributed.has(operator) ? `com.microsoft:${operator}` : operator;
  if (b) return ((countMultiplyAdds(name, [a, b], output)?.count ?? 0) * 2) / 1e9;
  // Weights that the runtime has packed are no longer listed: they were matrices. It also lets a product transpose its input.
  const [columns, rows] = [a.dims.at(-1) ?? 0, a.dims.at(-2) ?? 0];
  const inner = rows === output.dims.at(-2) ? columns : rows;
  const product = { dims: [...a.dims.slice(0, -1), inner] };
  const weight = { dims: [inner, output.dims.at(-1) ?? 0] };
  return ((countMultiplyAdds(name, [product, weight], output)?.count ?? 0) * 2) / 1e9;
}
