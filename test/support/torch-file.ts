import { writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/*
 * Writes files as torch.save does: a pickle of protocol 2 and one stored ZIP entry a storage. Written from the documents
 * of the formats (Python's pickletools, APPNOTE 6.3.10) and from looking at a real file, so that tests can also write
 * what no program would.
 */

const bytes = (...values: number[]) => Buffer.from(values);
const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

/** Opcodes as functions: each gives the bytes that leave one value on the stack. */
export const pickle = {
  none: () => Buffer.from('N'),
  bool: (value: boolean) => bytes(value ? 0x88 : 0x89),
  int(value: number): Buffer {
    if (value >= 0 && value < 256) return join(Buffer.from('K'), bytes(value));
    if (Math.abs(value) < 2 ** 31) {
      const four = Buffer.alloc(4);
      four.writeInt32LE(value);
      return join(Buffer.from('J'), four);
    }
    const eight = Buffer.alloc(8);
    eight.writeBigInt64LE(BigInt(value));
    return join(bytes(0x8a, 8), eight);
  },
  text: (value: string) => join(Buffer.from('X'), uint32(Buffer.byteLength(value)), Buffer.from(value)),
  tuple: (...items: readonly Uint8Array[]) => join(Buffer.from('('), ...items, Buffer.from('t')),
  list: (...items: readonly Uint8Array[]) => join(Buffer.from(']('), ...items, Buffer.from('e')),
  dict: (entries: Readonly<Record<string, Uint8Array>>) =>
    join(Buffer.from('}'), pickle.items(Object.entries(entries).map(([key, value]) => [pickle.text(key), value]))),
  items: (pairs: readonly (readonly [Uint8Array, Uint8Array])[]) =>
    join(Buffer.from('('), ...pairs.flat(), Buffer.from('u')),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  call: (callee: Uint8Array, ...args: readonly Uint8Array[]) => join(callee, pickle.tuple(...args), Buffer.from('R')),
  persistent: (id: Uint8Array) => join(id, Buffer.from('Q')),
  orderedDict: (entries: Readonly<Record<string, Uint8Array>>) =>
    join(
      pickle.call(pickle.global('collections', 'OrderedDict')),
      pickle.items(Object.entries(entries).map(([key, value]) => [pickle.text(key), value])),
    ),
  program: (value: Uint8Array) => join(bytes(0x80, 2), value, Buffer.from('.')),
};

export type StorageType = 'FloatStorage' | 'HalfStorage' | 'BFloat16Storage' | 'LongStorage' | 'DoubleStorage';

export function storage(type: StorageType, key: string, elements: number): Buffer {
  const { persistent, tuple, text, global, int } = pickle;
  return persistent(tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(elements)));
}

export type TensorSpec = {
  readonly storage: Uint8Array;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
};

export function tensor({ storage, shape, strides, offset = 0 }: TensorSpec): Buffer {
  const { call, global, tuple, int, bool, orderedDict } = pickle;
  const dense = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...(strides ?? dense).map(int)),
    bool(false),
    orderedDict({}),
  );
}

/** What may be wrong with an entry, for tests of hostile archives. */
export type ZipEntrySpec = {
  readonly name: string;
  readonly data: Uint8Array;
  /** Name in the header before the content, when it differs. */
  readonly localName?: string;
  /** Size in the directory, when it lies. */
  readonly listedSize?: number;
  readonly localSize?: number;
  readonly listedOffset?: number;
  readonly method?: number;
  readonly flags?: number;
};

export type ZipSpec = {
  /** As PyTorch writes it: sizes behind the content, ZIP64 records at the end. Otherwise the plain form. */
  readonly streamed?: boolean;
  /** Sizes and offsets of the directory in ZIP64 fields. */
  readonly long?: boolean;
  readonly comment?: string;
  /** Changes the ZIP64 record. */
  readonly end64?: (record: Buffer) => void;
  /** Changes the last record. */
  readonly end?: (record: Buffer) => void;
};

const alignment = 64;

export function zip(entries: readonly ZipEntrySpec[], spec: ZipSpec = {}): Buffer {
  const { streamed = true, long = false, comment = '' } = spec;
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  const put = (part: Buffer) => {
    parts.push(part);
    position += part.length;
  };
  for (const entry of entries) {
    const { name, data, localName = name, method = 0, flags = streamed ? 0x0808 : 0 } = entry;
    const size = entry.listedSize ?? data.length;
    const crc = crc32(data);
    const start = position;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    if (!streamed) {
      local.writeUInt32LE(crc, 14);
      local.writeUInt32LE(entry.localSize ?? size, 18);
      local.writeUInt32LE(entry.localSize ?? size, 22);
    }
    const localNameBytes = Buffer.from(localName);
    local.writeUInt16LE(localNameBytes.length, 26);
    // An extra field of PyTorch ("FB") aligns the content.
    const padding = alignment - ((position + 30 + localNameBytes.length + 4) % alignment);
    local.writeUInt16LE(padding + 4, 28);
    put(local);
    put(localNameBytes);
    put(join(Buffer.from('FB'), bytes(padding, 0), Buffer.alloc(padding, 'Z')));
    put(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    if (streamed) put(join(uint32(0x08074b50), uint32(crc), uint32(size), uint32(size)));

    const central = Buffer.alloc(46);
    const nameBytes = Buffer.from(name);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt16LE(nameBytes.length, 28);
    const [listed, offset] = [size, entry.listedOffset ?? start];
    for (const [at, value] of [
      [20, listed],
      [24, listed],
      [42, offset],
    ] as const)
      central.writeUInt32LE(long ? 0xffffffff : value, at);
    const extra = Buffer.alloc(long ? 28 : 0);
    if (long) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      for (const [i, value] of [listed, listed, offset].entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
      central.writeUInt16LE(extra.length, 30);
    }
    directory.push(central, nameBytes, extra);
  }
  const directoryOffset = position;
  const directoryBytes = join(...directory);
  put(directoryBytes);
  if (streamed || long) {
    const record = Buffer.alloc(76);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(44n, 4);
    record.writeBigUInt64LE(BigInt(entries.length), 24);
    record.writeBigUInt64LE(BigInt(entries.length), 32);
    record.writeBigUInt64LE(BigInt(directoryBytes.length), 40);
    record.writeBigUInt64LE(BigInt(directoryOffset), 48);
    record.writeUInt32LE(0x07064b50, 56);
    record.writeBigUInt64LE(BigInt(position), 64);
    record.writeUInt32LE(1, 72);
    spec.end64?.(record);
    put(record);
  }
  const end = Buffer.alloc(22 + comment.length);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(long ? 0xffff : entries.length, 8);
  end.writeUInt16LE(long ? 0xffff : entries.length, 10);
  end.writeUInt32LE(long ? 0xffffffff : directoryBytes.length, 12);
  end.writeUInt32LE(long ? 0xffffffff : directoryOffset, 16);
  end.writeUInt16LE(comment.length, 20);
  end.write(comment, 22);
  spec.end?.(end);
  put(end);
  return join(...parts);
}

/** The entries of a file whose pickle is `program`. */
export function torchEntries(
  program: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>>,
  prefix = 'archive',
): ZipEntrySpec[] {
  return [
    { name: `${prefix}/data.pkl`, data: program },
    { name: `${prefix}/byteorder`, data: Buffer.from('little') },
    ...Object.entries(storages).map(([key, data]) => ({ name: `${prefix}/data/${key}`, data })),
    { name: `${prefix}/version`, data: Buffer.from('3\n') },
  ];
}

/** Writes tensors as a state dict; `float16` data are `Uint16Array`s. */
export async function writeTorchFile(
  path: string,
  tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: ArrayBufferView }[],
  storageType: StorageType,
): Promise<void> {
  const width = { FloatStorage: 4, HalfStorage: 2, BFloat16Storage: 2, LongStorage: 8, DoubleStorage: 8 }[storageType];
  const blocks = tensors.map(
    ({ data }, i) => [String(i), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)] as const,
  );
  const named = tensors.map(
    ({ name, shape, data }, i) =>
      [name, tensor({ storage: storage(storageType, String(i), data.byteLength / width), shape })] as const,
  );
  const program = pickle.program(pickle.orderedDict(Object.fromEntries(named)));
  await writeFile(path, zip(torchEntries(program, Object.fromEntries(blocks))));
}
