import { type FileHandle, open, realpath } from 'node:fs/promises';
import { sizeOf } from '../../tensor.js';
import type { ZipEntry } from '../../zip/read-zip.js';
import { abbreviate, bytesPerStoredElement, type Checkpoint, type TensorLocation } from '../checkpoint.js';
import { PickleProblem, type PickleValue, pickleLimits, readPickle } from './pickle.js';
import { readStoredZip } from './stored-zip.js';
import { torchError } from './torch-error.js';
import { type TorchTensor, tensorOf, torchHost } from './torch-objects.js';

/** What the dictionary of tensors in a checkpoint may hold. */
export const torchLimits = { tensors: 100_000, nameLength: 512 } as const;

/** Keys below which training programs keep the weights, beside counters and the state of the optimizer. */
const nestings = ['state_dict', 'model_state_dict', 'model', 'module'] as const;

/**
 * Opens a file written by `torch.save` (`.bin`, `.pt`, `.pth`, `.ckpt`; the ZIP form of PyTorch 1.6 and later). Its
 * pickle is read as data: nothing in it is ever run, and one that asks for more than tensors in dictionaries is refused.
 * The tensors stay where they are. Tied tensors and views that are dense share bytes; others are refused
 * (`torch.layout`). Errors are PantomimeErrors of kind `model` whose code starts with `torch.`.
 */
export async function openTorchCheckpoint(path: string): Promise<Checkpoint> {
  const file = await realpath(path);
  const handle = await open(file, 'r');
  try {
    const { size: fileBytes } = await handle.stat();
    const entries = await readStoredZip({ handle, fileBytes }, path);
    const root = await readRoot({ handle, path, entries });
    const tensors = stateDictOf(root.value, path);
    return { tensors: locate(tensors, { file, path, entries, prefix: root.prefix }), sources: [file] };
  } finally {
    await handle.close();
  }
}

type Opened = { readonly handle: FileHandle; readonly path: string; readonly entries: ReadonlyMap<string, ZipEntry> };

async function readRoot({ handle, path, entries }: Opened): Promise<{ value: PickleValue; prefix: string }> {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw malformed(path, `${pickles.length} pickles (data.pkl), expected one`);
  const prefix = (pickles[0] as string).slice(0, -'data.pkl'.length);
  if (entries.has(`${prefix}constants.pkl`)) throw torchError('script', path, 'is a TorchScript program, not weights');

  const read = async (name: string, limit: number): Promise<Buffer | undefined> => {
    const entry = entries.get(prefix + name);
    if (!entry) return undefined;
    if (entry.byteLength > limit)
      throw torchError('limit', path, `${name} has ${entry.byteLength} bytes, more than ${limit}`);
    const bytes = Buffer.alloc(entry.byteLength);
    await handle.read(bytes, 0, bytes.length, entry.offset);
    return bytes;
  };
  const order = (await read('byteorder', 16))?.toString('latin1') ?? 'little';
  if (order !== 'little') throw malformed(path, `byte order ${JSON.stringify(order)}, expected little`);
  const pickle = (await read('data.pkl', pickleLimits.bytes)) as Buffer;
  try {
    return { value: readPickle(pickle, torchHost), prefix };
  } catch (cause) {
    if (!(cause instanceof PickleProblem)) throw cause;
    const what = cause.fault === 'refused' ? 'holds more than weights' : 'its list of tensors cannot be read';
    throw torchError(cause.fault, path, `${what}: ${cause.message}`);
  }
}

function stateDictOf(root: PickleValue, path: string): ReadonlyMap<string, TorchTensor> {
  const outer = entriesOf(root);
  const nested = nestings.map((key) => entriesOf(outer?.get(key)));
  for (const entries of [outer, ...nested]) {
    const tensors = entries && tensorsOf(entries, path);
    if (tensors && tensors.size > 0) return tensors;
  }
  const keys = [...(outer?.keys() ?? [])].map((key) => JSON.stringify(key).slice(0, 60));
  throw torchError(
    'no-tensors',
    path,
    keys.length > 0 ? `has no tensors; its keys are ${abbreviate(keys)}` : 'holds no dictionary of tensors',
  );
}

function entriesOf(value: PickleValue | undefined) {
  return typeof value === 'object' && value?.kind === 'dict' ? value.entries : undefined;
}

/** The tensors of a dictionary; whatever else is in it (counters, settings) is no weight. */
function tensorsOf(entries: ReadonlyMap<unknown, PickleValue>, path: string): ReadonlyMap<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of entries) {
    const tensor = tensorOf(value);
    if (!tensor) continue;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: names are shown on terminals.
    if (typeof name !== 'string' || name.length > torchLimits.nameLength || /[\x00-\x1f]/.test(name))
      throw malformed(path, `a tensor has an unsuitable name: ${JSON.stringify(name).slice(0, 80)}`);
    tensors.set(name, tensor);
  }
  if (tensors.size > torchLimits.tensors)
    throw torchError('limit', path, `${tensors.size} tensors are more than the limit of ${torchLimits.tensors}`);
  return tensors;
}

type Places = {
  readonly file: string;
  readonly path: string;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly prefix: string;
};

function locate(tensors: ReadonlyMap<string, TorchTensor>, places: Places): ReadonlyMap<string, TensorLocation> {
  const scattered: string[] = [];
  const located = new Map<string, TensorLocation>();
  for (const [name, tensor] of tensors) {
    if (isDense(tensor)) located.set(name, locateDense(name, tensor, places));
    else scattered.push(`${name} [${tensor.shape.join(', ')}] by steps of [${tensor.strides.join(', ')}]`);
  }
  if (scattered.length > 0)
    throw torchError('layout', places.path, `tensors are not stored in one piece: ${abbreviate(scattered)}`);
  return located;
}

/** Whether the elements follow each other row by row; steps along axes of one element do not matter. */
function isDense({ shape, strides }: TorchTensor): boolean {
  if (shape.includes(0)) return true;
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis] as number;
  }
  return true;
}

function locateDense(name: string, tensor: TorchTensor, { file, path, entries, prefix }: Places): TensorLocation {
  const { storage, offset, shape } = tensor;
  const { key, dtype, elements } = storage;
  const entry = entries.get(`${prefix}data/${key}`);
  if (!entry) throw malformed(path, `${name} is in ${JSON.stringify(key.slice(0, 40))}, which is not there`);
  const width = bytesPerStoredElement[dtype];
  if (entry.byteLength !== elements * width)
    throw malformed(path, `the block of ${name} has ${entry.byteLength} bytes, not ${elements} x ${width}`);
  const byteLength = sizeOf(shape) * width;
  const begin = offset * width;
  if (!Number.isSafeInteger(begin + byteLength) || begin + byteLength > entry.byteLength)
    throw malformed(path, `${name} reaches beyond its block`);
  return { file, offset: entry.offset + begin, byteLength, dtype, shape };
}

function malformed(path: string, what: string) {
  return torchError('malformed', path, `is not a valid PyTorch file: ${what}`);
}
