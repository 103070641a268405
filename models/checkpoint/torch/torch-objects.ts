import type { StoredDType } from '../checkpoint.js';
import { type PickleGlobal, type PickleHost, PickleProblem, type PickleValue } from './pickle.js';

/** A block of numbers: the entry `data/KEY` of the archive. */
export type TorchStorage = { readonly key: string; readonly dtype: StoredDType; readonly elements: number };

/** A window on a storage; offset and strides count elements. */
export type TorchTensor = {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
};

const storageTypes: Readonly<Record<string, StoredDType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

const maxRank = 8;

/** All that a state dict asks for: ordered dictionaries, tensors, parameters and typed storages. */
export const torchHost: PickleHost = {
  globals: new Map(
    [
      global('collections OrderedDict', (args) => {
        if (args.length > 0) throw malformed('an OrderedDict with arguments');
        return { kind: 'dict', entries: new Map(), hasState: true };
      }),
      global('torch._utils _rebuild_tensor_v2', rebuildTensor),
      global('torch._utils _rebuild_parameter', ([value = null]) => {
        if (!tensorOf(value)) throw malformed('a parameter that is no tensor');
        return value;
      }),
      ...Object.keys(storageTypes).map((name) => global(`torch ${name}`)),
    ].map((value) => [value.name, value]),
  ),
  persistent: readStorage,
};

/** The tensor that a pickled value is, if it is one. */
export function tensorOf(value: PickleValue): TorchTensor | undefined {
  const object = objectOf(value);
  return object && 'storage' in object ? object : undefined;
}

/** `('storage', type, key, device, elements)`: how `torch.save` refers to the numbers of a tensor. */
function readStorage(id: PickleValue): PickleValue {
  const parts = itemsOf(id);
  const [tag, type, key, , elements] = parts ?? [];
  const dtype = isGlobal(type) ? storageTypes[type.name.replace('torch ', '')] : undefined;
  if (tag !== 'storage' || parts?.length !== 5 || !dtype || typeof key !== 'string' || !isSize(elements))
    throw malformed('a storage that is not described as PyTorch does it');
  return { kind: 'object', value: { key, dtype, elements } satisfies TorchStorage };
}

/** `(storage, offset, shape, strides, requires_grad, hooks)`. */
function rebuildTensor(args: readonly PickleValue[]): PickleValue {
  const [storage, offset, size, stride] = args;
  const [shape, strides] = [sizesOf(size), sizesOf(stride)];
  const block = objectOf(storage);
  if (!block || 'storage' in block || !isSize(offset) || !shape || !strides)
    throw malformed('a tensor that is not described as PyTorch does it');
  if (shape.length !== strides.length) throw malformed(`${shape.length} sizes and ${strides.length} steps`);
  return { kind: 'object', value: { storage: block, offset, shape, strides } satisfies TorchTensor };
}

function global(name: string, call?: PickleGlobal['call']): PickleGlobal {
  return call ? { kind: 'global', name, call } : { kind: 'global', name };
}

const isGlobal = (value: PickleValue | undefined): value is PickleGlobal =>
  typeof value === 'object' && value !== null && value.kind === 'global';

/** What `torchHost` made, the only maker of objects. */
function objectOf(value: PickleValue | undefined): TorchStorage | TorchTensor | undefined {
  if (typeof value !== 'object' || value?.kind !== 'object') return undefined;
  return value.value as TorchStorage | TorchTensor;
}

function itemsOf(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  return typeof value === 'object' && value?.kind === 'tuple' ? value.items : undefined;
}

/** Looks at no more than `maxRank` items: a long tuple could be named again and again. */
function sizesOf(value: PickleValue | undefined): readonly number[] | undefined {
  const items = itemsOf(value);
  if (items && items.length > maxRank) throw malformed(`a tensor of ${items.length} axes`);
  return items?.every(isSize) ? items : undefined;
}

const isSize = (value: PickleValue | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function malformed(what: string): PickleProblem {
  return new PickleProblem('malformed', what);
}
