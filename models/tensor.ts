/** Element types that cross a border. Half floats are `Uint16Array` everywhere (Node 20 and 24 differ otherwise). */
export type DType = 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'uint8' | 'int8' | 'bool';

export type TensorData = Float32Array | Uint16Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

/** A dense row-major array. Operations on it are functions. */
export type Tensor<D extends TensorData = TensorData> = {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: D;
};

/** A float32 tensor. */
export type FloatTensor = Tensor<Float32Array>;

export const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  int8: 1,
  bool: 1,
};

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

/** Float32 tensor over `data` (zeros when left out). Throws RangeError when the length does not fit the shape. */
export function floatTensor(dims: readonly number[], data: Float32Array = new Float32Array(sizeOf(dims))): FloatTensor {
  if (data.length !== sizeOf(dims)) throw new RangeError(`${data.length} values do not fill [${dims.join(', ')}]`);
  return { dtype: 'float32', dims, data };
}

/** Uint8 tensor over `data` (zeros when left out). Throws RangeError when the length does not fit the shape. */
export function byteTensor(
  dims: readonly number[],
  data: Uint8Array = new Uint8Array(sizeOf(dims)),
): Tensor<Uint8Array> {
  if (data.length !== sizeOf(dims)) throw new RangeError(`${data.length} values do not fill [${dims.join(', ')}]`);
  return { dtype: 'uint8', dims, data };
}
