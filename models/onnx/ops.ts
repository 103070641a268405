import { floatToHalf } from '../half.js';
import { type DType, sizeOf } from '../tensor.js';
import type { Target } from './built-graph.js';
import type { Attribute, Graph, Value } from './graph.js';

/*
 * ONNX operators as functions over Values, each with its shape rule. Shapes are static, so a mistake is found while the
 * graph is built: `fail` throws a plain Error, because only a bug in an architecture can cause it.
 */

function fail(op: string, ...values: readonly Value[]): never {
  const shapes = values.map(({ dtype, dims }) => `${dtype}[${dims.join(', ')}]`).join(' and ');
  throw new Error(`${op} cannot take ${shapes}`);
}

type Attributes = Readonly<Record<string, Attribute>>;

function emit(
  op: string,
  x: Value,
  inputs: readonly (Value | undefined)[],
  dims: readonly number[],
  attributes: Attributes = {},
  dtype: DType = x.dtype,
): Value {
  return x.graph.add({ op, inputs, attributes, outputs: [{ dtype, dims }] })[0] as Value;
}

/** Dimension `axis` of a value; negative axes count from the end. */
export function dim(x: Value, axis: number): number {
  return x.dims.at(axis) ?? fail(`dimension ${axis}`, x);
}

/** Shape after broadcasting by the rules of NumPy. */
export function broadcastDims(a: readonly number[], b: readonly number[]): number[] | undefined {
  const dims: number[] = [];
  for (let i = Math.max(a.length, b.length); i > 0; i--) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return undefined;
    dims.push(m === 1 ? n : m);
  }
  return dims;
}

function elementwise(op: string, a: Value, b: Value): Value {
  const dims = broadcastDims(a.dims, b.dims);
  return dims && a.dtype === b.dtype ? emit(op, a, [a, b], dims) : fail(op, a, b);
}

export const add = (a: Value, b: Value): Value => elementwise('Add', a, b);
export const sub = (a: Value, b: Value): Value => elementwise('Sub', a, b);
export const mul = (a: Value, b: Value): Value => elementwise('Mul', a, b);
export const div = (a: Value, b: Value): Value => elementwise('Div', a, b);

const unary = (op: string, x: Value): Value => emit(op, x, [x], x.dims);

export const sqrt = (x: Value): Value => unary('Sqrt', x);
export const sin = (x: Value): Value => unary('Sin', x);
export const cos = (x: Value): Value => unary('Cos', x);
export const relu = (x: Value): Value => unary('Relu', x);
export const sigmoid = (x: Value): Value => unary('Sigmoid', x);
/** Exact (erf) GELU. */
export const gelu = (x: Value): Value => unary('Gelu', x);
/** x * sigmoid(x); the runtime fuses the pair. */
export const silu = (x: Value): Value => mul(x, sigmoid(x));
/** x * sigmoid(1.702 x), CLIP's `quick_gelu`. */
export const quickGelu = (x: Value): Value => mul(x, sigmoid(mul(x, scalar(x, 1.702))));
/** Nearest integer, halves to even. */
export const round = (x: Value): Value => unary('Round', x);

/** A constant of rank 0, of the type of `like`. */
export function scalar({ graph, dtype }: Value, value: number): Value {
  if (dtype === 'float16') return graph.constant(dtype, [], Uint16Array.of(floatToHalf(value)));
  return graph.constant('float32', [], Float32Array.of(value));
}

/** A float32 constant. */
export function floats(graph: Graph, dims: readonly number[], values: Iterable<number>): Value {
  return graph.constant('float32', dims, Float32Array.from(values));
}

function int64s(graph: Graph, values: readonly number[]): Value {
  return graph.constant('int64', [values.length], BigInt64Array.from(values, BigInt));
}

const castTo = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 } as const;

export function cast(x: Value, dtype: DType): Value {
  if (x.dtype === dtype) return x;
  const to = castTo[dtype as keyof typeof castTo] ?? fail(`a cast to ${dtype}`, x);
  return emit('Cast', x, [x], x.dims, { to }, dtype);
}

/** Converts to what the graph computes with. */
export const toPrecision = (x: Value): Value => cast(x, x.graph.precision);

/** Limits values to [low, high]. */
export function clip(x: Value, low: number, high: number): Value {
  return emit('Clip', x, [x, scalar(x, low), scalar(x, high)], x.dims);
}

/** Same elements, other shape; one dimension may be -1. */
export function reshape(x: Value, dims: readonly number[]): Value {
  const rest = sizeOf(x.dims) / sizeOf(dims.filter((n) => n !== -1));
  const full = dims.map((n) => (n === -1 ? rest : n));
  if (sizeOf(full) !== sizeOf(x.dims) || !Number.isInteger(rest)) fail(`a reshape to [${dims.join(', ')}]`, x);
  if (full.length === x.dims.length && full.every((n, i) => n === x.dims[i])) return x;
  return emit('Reshape', x, [x, int64s(x.graph, full)], full);
}

/** Axis i of the result is axis `order[i]` of `x`. */
export function transpose(x: Value, order: readonly number[]): Value {
  if ([...order].sort((a, b) => a - b).some((axis, i) => axis !== i) || order.length !== x.dims.length)
    fail(`a transpose by [${order.join(', ')}]`, x);
  return emit(
    'Transpose',
    x,
    [x],
    order.map((axis) => dim(x, axis)),
    { perm: order },
  );
}

/** Repeats dimensions of size 1. */
export function expand(x: Value, dims: readonly number[]): Value {
  const full = broadcastDims(x.dims, dims);
  if (!full) return fail(`an expansion to [${dims.join(', ')}]`, x);
  return emit('Expand', x, [x, int64s(x.graph, full)], full);
}

/** Joins values that differ in `axis` only. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (!first) throw new Error('nothing to concatenate');
  const at = axis < 0 ? axis + first.dims.length : axis;
  const fits = (x: Value) =>
    x.dims.length === first.dims.length && x.dims.every((n, i) => i === at || n === first.dims[i]);
  if (!values.every((x) => x.dtype === first.dtype && fits(x))) fail('concatenation', ...values);
  const length = values.reduce((sum, x) => sum + dim(x, at), 0);
  return emit('Concat', first, values, first.dims.with(at, length), { axis: at });
}

/** Elements from `start` up to but not including `end` along `axis`. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  const at = axis < 0 ? axis + x.dims.length : axis;
  if (start < 0 || end > dim(x, at) || start >= end) fail(`a slice ${start}..${end} along axis ${axis}`, x);
  const inputs = [x, int64s(x.graph, [start]), int64s(x.graph, [end]), int64s(x.graph, [at])];
  return emit('Slice', x, inputs, x.dims.with(at, end - start));
}

/** Two equal parts along `axis`. */
export function halve(x: Value, axis: number): [Value, Value] {
  const at = axis < 0 ? axis + x.dims.length : axis;
  const half = dim(x, at) / 2;
  if (!Number.isInteger(half)) fail('halving', x);
  const part = { dtype: x.dtype, dims: x.dims.with(at, half) };
  const attributes = { axis: at, num_outputs: 2 };
  return x.graph.add({ op: 'Split', inputs: [x], attributes, outputs: [part, part] }) as [Value, Value];
}

/** Mean over `axes`, which stay as dimensions of size 1. */
export function reduceMean(x: Value, axes: readonly number[]): Value {
  const dims = x.dims.map((n, axis) => (axes.includes(axis) ? 1 : n));
  return emit('ReduceMean', x, [x, int64s(x.graph, axes)], dims, { keepdims: 1 });
}

/** Matrix product over the last two axes; leading axes broadcast. */
export function matmul(a: Value, b: Value): Value {
  const batch = broadcastDims(a.dims.slice(0, -2), b.dims.slice(0, -2));
  if (!batch || dim(a, -1) !== dim(b, -2)) return fail('MatMul', a, b);
  return emit('MatMul', a, [a, b], [...batch, dim(a, -2), dim(b, -1)]);
}

/** x [..., K] times the transpose of weight [N, K]: the product of a linear layer. */
export function matmulTransposed(x: Value, weight: Value): Value {
  if (weight.dims.length !== 2 || dim(x, -1) !== dim(weight, 1)) fail('a linear layer', x, weight);
  // On CPU the fused operator reads the checkpoint's layout; elsewhere it would fall back to the CPU (WebGPU).
  if (x.graph.options.target !== 'cpu') return matmul(x, transpose(weight, [1, 0]));
  const dims = [...x.dims.slice(0, -1), dim(weight, 0)];
  return emit('com.microsoft:FusedMatMul', x, [x, weight], dims, { transB: 1 });
}

/**
 * x W^T + b in 8-bit whole numbers: weights [N, K] are rounded to -127..127 times a scale for each output, which is done once while
 * the graph is loaded, and x [..., K] at every run to 256 levels over its whole range. Sums are exact. Needs constant weights.
 */
export function quantizedLinear(x: Value, weight: Value, bias: Value | undefined): Value {
  if (weight.dims.length !== 2 || dim(x, -1) !== dim(weight, 1)) fail('a quantized linear layer', x, weight);
  const [levels, scales] = x.graph.whileLoading(() => {
    const columns = transpose(weight, [1, 0]);
    const axes = int64s(x.graph, [0]);
    const magnitudes = unary('Abs', columns);
    const largest = emit('ReduceMax', columns, [magnitudes, axes], [dim(columns, 1)], { keepdims: 0 });
    // A row of zeros has a scale that divides.
    const scale = div(add(largest, scalar(largest, 1e-30)), scalar(largest, 127));
    return [cast(round(div(columns, scale)), 'int8'), scale];
  });
  const dims = [...x.dims.slice(0, -1), dim(weight, 0)];
  return emit('com.microsoft:DynamicQuantizeMatMul', x, [x, levels, scales, undefined, bias], dims);
}

/** alpha a b + c for matrices a [M, K], b [K, N], c [M, N]. */
export function gemm(a: Value, b: Value, c: Value, alpha: number): Value {
  const [m, k] = a.dims;
  const [, n] = b.dims;
  const fits =
    [a, b, c].every(({ dims }) => dims.length === 2) && dim(b, 0) === k && dim(c, 0) === m && dim(c, 1) === n;
  return fits ? emit('Gemm', a, [a, b, c], c.dims, { alpha: { float: alpha } }) : fail('Gemm', a, b, c);
}

export type ConvOptions = {
  readonly stride?: readonly [number, number];
  /** Zeros around the picture: top, left, bottom, right. */
  readonly pads?: readonly [number, number, number, number];
};

/** 2-D convolution of x [N, I, H, W] with weight [O, I, kh, kw]. */
export function conv2d(x: Value, weight: Value, bias: Value | undefined, options: ConvOptions = {}): Value {
  const { stride = [1, 1], pads = [0, 0, 0, 0] } = options;
  const [n, c, h, w] = x.dims;
  const [o, i, kh, kw] = weight.dims;
  if (n === undefined || h === undefined || w === undefined || o === undefined || kh === undefined || kw === undefined)
    return fail('Conv', x, weight);
  const rows = Math.floor((h + pads[0] + pads[2] - kh) / stride[0]) + 1;
  const columns = Math.floor((w + pads[1] + pads[3] - kw) / stride[1]) + 1;
  if (c !== i || rows < 1 || columns < 1) fail('Conv', x, weight);
  const attributes = { kernel_shape: [kh, kw], strides: stride, pads };
  return emit('Conv', x, [x, weight, bias], [n, o, rows, columns], attributes);
}

/** Normalises over the last axis, then scales and shifts. */
export function layerNorm(x: Value, weight: Value, bias: Value, epsilon: number): Value {
  if (dim(x, -1) !== sizeOf(weight.dims)) fail('LayerNormalization', x, weight);
  const attributes = { axis: x.dims.length - 1, epsilon: { float: epsilon } };
  return emit('LayerNormalization', x, [x, weight, bias], x.dims, attributes);
}

/** Normalises each channel of each sample of x [N, C, ...]; the runtime's sums are float32 for half floats too. */
export function instanceNorm(x: Value, epsilon: number): Value {
  const channels = dim(x, 1);
  const all = (value: number) => expand(reshape(scalar(x, value), [1]), [channels]);
  return emit('InstanceNormalization', x, [x, all(1), all(0)], x.dims, { epsilon: { float: epsilon } });
}

export function softmax(x: Value): Value {
  return emit('Softmax', x, [x], x.dims, { axis: x.dims.length - 1 });
}

/** Repeats rows and columns of x [N, C, H, W] twice. */
export function upsampleNearest2x(x: Value): Value {
  const [n, c, h, w] = x.dims;
  if (n === undefined || c === undefined || h === undefined || w === undefined) return fail('upsampling', x);
  const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
  const scales = floats(x.graph, [4], [1, 1, 2, 2]);
  return emit('Resize', x, [x, undefined, scales], [n, c, h * 2, w * 2], attributes);
}

/** Rows of `table` [V, C] by index: int32 [N] -> [N, C]. */
export function gather(table: Value, indices: Value): Value {
  return emit('Gather', table, [table, indices], [...indices.dims, ...table.dims.slice(1)], { axis: 0 });
}

/**
 * Whether attention is one operator, which needs memory for rows of queries only, and not for all scores; it is avoided on
 * WebGPU, where it has given wrong results.
 */
export function fusesAttention(target: Target): boolean {
  return target !== 'webgpu';
}

/** Scaled dot-product attention of q [B, T, H * d] with k, v [B, S, H * d], scale d ** -0.5; result [B, T, H * d]. */
export function attention(q: Value, k: Value, v: Value, heads: number): Value {
  const [batch, length, width] = q.dims;
  if (
    batch === undefined ||
    length === undefined ||
    width === undefined ||
    width % heads !== 0 ||
    dim(k, 1) !== dim(v, 1)
  )
    return fail(`attention with ${heads} heads`, q, k, v);
  const scale = (width / heads) ** -0.5;
  if (fusesAttention(q.graph.options.target)) {
    const attributes = { num_heads: heads, scale: { float: scale } };
    return emit('com.microsoft:MultiHeadAttention', q, [q, k, v], q.dims, attributes);
  }
  const split = (x: Value) => reshape(x, [batch, dim(x, 1), heads, width / heads]);
  const scores = matmul(transpose(split(q), [0, 2, 1, 3]), transpose(split(k), [0, 2, 3, 1]));
  const weights = softmax(mul(scores, scalar(scores, scale)));
  const mixed = matmul(weights, transpose(split(v), [0, 2, 1, 3]));
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batch, length, width]);
}
