import { PantomimeError } from '../errors.js';

/** Element types of stored weights that a graph can use in place. */
export type WeightDType = 'float32' | 'float16' | 'bfloat16';

/** Every element type a checkpoint file may hold; buffers such as CLIP's int64 `position_ids` are not weights. */
export type StoredDType = WeightDType | 'float64' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** Where a tensor lies: row-major, little-endian, `byteLength` bytes of `file` from `offset` on. */
export type TensorLocation = {
  /** Real path (symbolic links resolved), absolute. */
  readonly file: string;
  readonly offset: number;
  readonly byteLength: number;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** The file holds the transpose of this matrix; `shape` is that of the matrix itself. */
  readonly transposed?: true;
};

/** A location whose values are floats, so that a graph can refer to it. */
export type WeightLocation = TensorLocation & { readonly dtype: WeightDType };

/**
 * What a LoRA adds to a stored weight W [O, I, ...kernel], kernel of K elements: `scale` times `up` [O, r] x `down`
 * [r, I, K], or with `mid` [r, r, K] `up` x `mid` x `down` [r, I]. Ones at the end of a shape do not matter.
 */
export type LowRankChange = {
  readonly scale: number;
  readonly rank: number;
  readonly down: WeightLocation;
  readonly up: WeightLocation;
  readonly mid?: WeightLocation | undefined;
};

/** Tensors by their published name, possibly over several files. Nothing is read but headers. */
export type Checkpoint = {
  readonly tensors: ReadonlyMap<string, TensorLocation>;
  /** What is added to tensors when a graph uses them, by name; `tensors` are without it. */
  readonly changes?: ReadonlyMap<string, readonly LowRankChange[]> | undefined;
  /** Real paths of the files, in the order they were laid over each other. */
  readonly sources: readonly string[];
  /** Free text that a single file carries in its header. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
};

export const bytesPerStoredElement: Readonly<Record<StoredDType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** True for tensors that hold weights; false for integer buffers, which graphs ignore. */
export function isWeight(location: TensorLocation): location is WeightLocation {
  return location.dtype === 'float32' || location.dtype === 'float16' || location.dtype === 'bfloat16';
}

/**
 * `base` with the tensors of `over` in place of its own, as the run script of ControlNeXt loads its UNet over SVD's.
 * Keys may be missing from `over`; a name unknown to `base` or another shape is an error (`checkpoint.overlay`).
 */
export function overlayCheckpoint(base: Checkpoint, over: Checkpoint): Checkpoint {
  const wrong: string[] = [];
  for (const [name, location] of over.tensors) {
    const own = base.tensors.get(name);
    if (!own) wrong.push(`${name} is unknown`);
    else if (!sameShape(own.shape, location.shape))
      wrong.push(`${name} is [${location.shape.join(', ')}] instead of [${own.shape.join(', ')}]`);
    else if (isWeight(own) !== isWeight(location))
      wrong.push(`${name} holds ${location.dtype} instead of ${own.dtype}`);
  }
  if (wrong.length > 0) {
    throw new PantomimeError({
      code: 'checkpoint.overlay',
      kind: 'model',
      what: `${wrong.length} of ${over.tensors.size} tensors do not fit the checkpoint below: ${abbreviate(wrong)}`,
      where: over.sources.join(', '),
      expected: `names and shapes of ${base.sources.join(', ')}`,
      hint: 'Use an overlay made for this base model, or leave the overlay out.',
    });
  }
  return {
    tensors: new Map([...base.tensors, ...over.tensors]),
    sources: [...new Set([...base.sources, ...over.sources])],
  };
}

/** The first few entries of a long list, for messages. */
export function abbreviate(entries: readonly string[], limit = 8): string {
  const rest = entries.length - limit;
  return rest > 0 ? `${entries.slice(0, limit).join('; ')}; and ${rest} more` : entries.join('; ');
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}
