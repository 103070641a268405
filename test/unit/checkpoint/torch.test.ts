import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '#dist/models/checkpoint/open-checkpoint.js';
import { readStoredTensor, readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { pickleLimits, readPickle } from '#dist/models/checkpoint/torch/pickle.js';
import { torchHost } from '#dist/models/checkpoint/torch/torch-objects.js';
import { PantomimeError } from '#dist/models/errors.js';
import { zipLimits } from '#dist/models/zip/read-zip.js';
import { fixture } from '../../support/fixtures.js';
import {
  pickle,
  storage,
  tensor,
  torchEntries,
  writeTorchFile,
  type ZipEntrySpec,
  type ZipSpec,
  zip,
} from '../../support/torch-file.js';

let dir: string;
let path: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'torch-'));
  path = join(dir, 'weights.bin');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const { text, tuple, dict, call, global, int, program, orderedDict } = pickle;
const floats = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
const sixFloats = storage('FloatStorage', '0', 6);
const matrix = tensor({ storage: sixFloats, shape: [2, 3] });

/** Opens a file whose pickle builds `value`, with one storage of the numbers 0 to 5. */
async function open(value: Uint8Array, spec: ZipSpec = {}) {
  await writeFile(path, zip(torchEntries(program(value), { 0: floats }), spec));
  return openCheckpoint(path);
}

async function values(checkpoint: Awaited<ReturnType<typeof openCheckpoint>>, name: string): Promise<number[]> {
  return [...(await readTensor(checkpoint.tensors.get(name)!)).data];
}

/** The error of opening: always one of ours, about this file. */
async function refusal(opening: Promise<unknown>): Promise<PantomimeError> {
  const error: unknown = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PantomimeError);
  expect(error).toMatchObject({ kind: 'model', message: expect.stringContaining(path) });
  return error as PantomimeError;
}

describe('a file that torch.save wrote', () => {
  // See test/fixtures/torch/README.md.
  const real = fixture('torch/weights.ckpt');
  const expected = (name: string) =>
    readFile(fixture('torch/expected.json'), 'utf8').then((json) => JSON.parse(json)[name]);

  it('is read in place: kinds of numbers, parameters, views, tied tensors, empty and scalar ones', async () => {
    const checkpoint = await openCheckpoint(real);
    const names = ['single', 'half', 'brain', 'double', 'parameter', 'view', 'tied', 'scalar', 'empty', 'ones.between'];
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...names, 'counter'].sort());
    for (const name of names) {
      const { dims, data } = await readTensor(checkpoint.tensors.get(name)!);
      expect({ name, shape: dims, values: [...data] }).toEqual({ name, ...(await expected(name)) });
    }
    const { dtype, data } = await readStoredTensor(checkpoint.tensors.get('counter')!);
    expect([dtype, ...(data as BigInt64Array)]).toEqual(['int64', 1234567890123n]);
    const [single, tied, view] = ['single', 'tied', 'view'].map((name) => checkpoint.tensors.get(name)!);
    expect(tied).toEqual(single);
    expect(view!.offset).toBe(single!.offset + 3 * 4);
    // Nothing is copied: the bytes of the tensor are in the file itself.
    const bytes = (await readFile(real)).subarray(single!.offset, single!.offset + single!.byteLength);
    expect([...new Float32Array(Uint8Array.from(bytes).buffer)]).toEqual((await expected('single')).values);
  });

  it('of before version 1.6, and of a layout that is not dense, is refused with a reason', async () => {
    path = fixture('torch/legacy.pt');
    const legacy = await refusal(openCheckpoint(path));
    expect(legacy).toMatchObject({ code: 'torch.legacy', details: { hint: expect.stringContaining('safetensors') } });
    path = fixture('torch/strided.pt');
    const strided = await refusal(openCheckpoint(path));
    expect(strided).toMatchObject({
      code: 'torch.layout',
      message: expect.stringMatching(/transposed \[3, 2\] by steps of \[1, 3\].*channels_last/),
      details: { hint: expect.stringContaining('.contiguous()') },
    });
    path = join(dir, 'weights.bin');
  });
});

describe('a PyTorch file', () => {
  it.each([
    ['by itself', (weights: Uint8Array) => weights],
    ['below state_dict, beside counters', (weights: Uint8Array) => dict({ epoch: int(3), state_dict: weights })],
    ['below module', (weights: Uint8Array) => dict({ global_step: int(70_000), module: weights })],
  ])('holds its tensors %s', async (_title, nest) => {
    const checkpoint = await open(nest(orderedDict({ m: matrix, note: text('not a tensor') })));
    expect([...checkpoint.tensors.keys()]).toEqual(['m']);
    expect(await values(checkpoint, 'm')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it.each([
    ['streamed, as PyTorch writes it', {}],
    ['plain', { streamed: false }],
    ['with ZIP64 fields', { long: true }],
    ['with ZIP64 fields and sizes before the content', { long: true, streamed: false }],
  ])('may be a ZIP %s', async (_title, spec) => {
    const checkpoint = await open(dict({ m: matrix }), spec);
    expect(await values(checkpoint, 'm')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is the same in a newer protocol, with attributes on its dictionary', async () => {
    // Protocol 4: frames, short texts, numbered memo, names from the stack; then BUILD of _metadata.
    const short = (value: string) => Buffer.concat([Buffer.of(0x8c, value.length), Buffer.from(value)]);
    const named = (module: string, name: string) => Buffer.concat([short(module), short(name), Buffer.of(0x93, 0x94)]);
    const body = Buffer.concat([
      Buffer.of(0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0),
      named('collections', 'OrderedDict'),
      Buffer.from(')R'),
      Buffer.of(0x94, 0x28),
      short('m'),
      matrix,
      Buffer.from('u'),
      dict({ _metadata: Buffer.from('h\x00)R') }),
      Buffer.from('b.'),
    ]);
    await writeFile(path, zip(torchEntries(body, { 0: floats })));
    expect(await values(await openCheckpoint(path), 'm')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('of more than 4 GB has its tensors where they are', async () => {
    // Numbers only: nothing of that size is written.
    const big = readPickle(
      program(tensor({ storage: storage('HalfStorage', '7', 3e9), shape: [2], offset: 2.9e9 })),
      torchHost,
    );
    expect(big).toMatchObject({ value: { offset: 2.9e9, storage: { elements: 3e9, dtype: 'float16' } } });
  });

  it('is known by its content, not by its name', async () => {
    const path = join(dir, 'model.safetensors');
    await writeTorchFile(path, [{ name: 'h', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }], 'HalfStorage');
    expect(await values(await openCheckpoint(path), 'h')).toEqual([1, -2]);
  });
});

describe('a pickle that asks for more than data is refused, and nothing of it is run', () => {
  const proof = () => join(dir, 'was-run');
  const shell = () => text(`touch ${proof()}`);
  const bare = (...parts: (string | Uint8Array)[]) =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));

  it.each([
    ['os.system', () => call(global('os', 'system'), shell()), 'os.system'],
    ['posix.system', () => call(global('posix', 'system'), shell()), 'posix.system'],
    ['eval', () => call(global('builtins', 'eval'), text('1')), 'builtins.eval'],
    ['a loader of bytes', () => call(global('torch.storage', '_load_from_bytes'), text('')), '_load_from_bytes'],
    ['getattr', () => call(global('builtins', 'getattr'), text('a')), 'builtins.getattr'],
    ['a name with a space', () => call(global('collections OrderedDict', '')), 'collections OrderedDict.'],
    ['a name from the stack', () => bare(text('os'), text('system'), '\x93', tuple(shell()), 'R'), 'os.system'],
    ['among the weights', () => dict({ m: matrix, evil: call(global('os', 'system'), shell()) }), 'os.system'],
    ['a type that is called', () => call(global('torch', 'FloatStorage'), int(1)), 'calls "torch FloatStorage"'],
    ['a text that is called', () => bare(text('os.system'), tuple(shell()), 'R'), 'calls what is no function'],
    ['a tensor that is called', () => bare(matrix, tuple(), 'R'), 'calls what is no function'],
    ['INST', () => bare('(', shell(), 'ios\nsystem\n'), 'INST'],
    ['OBJ', () => bare('(', global('collections', 'OrderedDict'), shell(), 'o'), 'OBJ'],
    ['NEWOBJ', () => bare(global('collections', 'OrderedDict'), tuple(), '\x81'), 'NEWOBJ'],
    ['NEWOBJ_EX', () => bare(global('collections', 'OrderedDict'), tuple(), '}\x92'), 'NEWOBJ_EX'],
    ['BUILD on a dictionary', () => bare(dict({}), dict({ __class__: text('x') }), 'b'), 'BUILD'],
    ['BUILD on a tensor', () => bare(matrix, dict({ __setstate__: text('x') }), 'b'), 'BUILD'],
    ['BUILD on a name', () => bare(global('collections', 'OrderedDict'), dict({}), 'b'), 'BUILD'],
    ['BUILD with a tuple', () => bare(orderedDict({}), tuple(dict({}), dict({})), 'b'), 'BUILD'],
    ['EXT1', () => bare('\x82\x01'), 'EXT1'],
    ['PERSID', () => bare('Px\n'), 'PERSID'],
    ['an opcode that does not exist', () => bare('\xff'), 'opcode 0xff'],
  ])('%s', async (_title, value, named) => {
    const error = await refusal(open(value()));
    expect(error).toMatchObject({ code: 'torch.refused', message: expect.stringContaining(named) });
    await expect(stat(proof())).rejects.toThrow();
  });

  it('a name that looks like a property of objects is a name', async () => {
    const checkpoint = await open(bare('}(', text('__proto__'), matrix, text('constructor'), matrix, 'u'));
    expect([...checkpoint.tensors.keys()]).toEqual(['__proto__', 'constructor']);
    expect((await refusal(open(call(global('__proto__', 'toString'))))).code).toBe('torch.refused');
  });
});

describe('a pickle that is too much or broken is refused', () => {
  const bare = (...parts: (string | Uint8Array)[]) =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const long = (value: bigint) => {
    const eight = Buffer.alloc(8);
    eight.writeBigUInt64LE(value);
    return bare('\x8a\x08', eight);
  };
  const tensorWith = (...[offset, shape, strides]: Uint8Array[]) =>
    call(global('torch._utils', '_rebuild_tensor_v2'), sixFloats, offset!, shape!, strides!);

  it.each([
    [
      'more operations than the limit',
      () => Buffer.alloc(pickleLimits.operations + 1, 'N'),
      'torch.limit',
      'more than 2000000 operations',
    ],
    ['marks in marks', () => Buffer.alloc(pickleLimits.depth + 1, '('), 'torch.limit', 'nested more than 64 deep'],
    ['a long text', () => text('x'.repeat(pickleLimits.textBytes + 1)), 'torch.limit', 'a text of 65537 bytes'],
    [
      'a memo without end',
      () =>
        bare(
          'N',
          Buffer.alloc((pickleLimits.memo + 1) * 5).map((_, i) => memoByte(i)),
        ),
      'torch.limit',
      'more than 500000 remembered values',
    ],
    [
      'a pickle of more bytes than the limit',
      () => Buffer.alloc(pickleLimits.bytes + 1, 'N'),
      'torch.limit',
      'data.pkl has 33554436 bytes',
    ],
    ['a text that promises 4 GB', () => bare('X\xff\xff\xff\xff'), 'torch.limit', 'a text of 4294967295 bytes'],
    ['a text that is cut', () => bare('X\x10\x00\x00\x00abc'), 'torch.malformed', 'ends too early'],
    ['nothing', () => bare(''), 'torch.malformed', 'takes a value where there is none'],
    ['an empty stack', () => bare('R'), 'torch.malformed', 'takes a value where there is none'],
    ['a tuple of what is not there', () => bare('N\x87'), 'torch.malformed', 'takes a value where there is none'],
    ['a value across a mark', () => bare('N(\x85'), 'torch.malformed', 'takes a value where there is none'],
    ['an end without a mark', () => bare('Nt'), 'torch.malformed', 'a mark where there is none'],
    ['a memo that was not filled', () => bare('h\x05'), 'torch.malformed', 'recalls value 5'],
    ['two values', () => bare('NN'), 'torch.malformed', 'values left over'],
    ['an open mark', () => bare('(N'), 'torch.malformed', 'values left over'],
    ['a key without a value', () => bare('}(', text('a'), 'u'), 'torch.malformed', 'a key without a value'],
    ['a key that is a list', () => bare('}(]Nu'), 'torch.malformed', 'neither text nor number'],
    ['items of a number', () => bare('K\x01(', text('a'), 'Nu'), 'torch.malformed', 'no dictionary'],
    ['a list in itself', () => bare(']q\x00h\x00a'), 'torch.no-tensors', 'no dictionary of tensors'],
    ['a number of 2^63', () => long(2n ** 63n - 1n), 'torch.malformed', 'the number 9223372036854775807'],
    ['a number of 200 bytes', () => bare('\x8a\xc8', Buffer.alloc(200)), 'torch.malformed', 'more than 64 bits'],
    ['protocol 9', () => bare('\x80\x09N'), 'torch.malformed', 'protocol 9'],
    ['a text that is not UTF-8', () => bare('X\x01\x00\x00\x00\xff'), 'torch.malformed', 'not UTF-8'],
    ['a name that does not end', () => bare('c', 'x'.repeat(10_000)), 'torch.malformed', 'a name without an end'],
    ['no tensors', () => dict({ epoch: int(1) }), 'torch.no-tensors', 'its keys are "epoch"'],
    ['a number', () => int(7), 'torch.no-tensors', 'no dictionary of tensors'],
    [
      'tensors two levels down',
      () => dict({ state_dict: dict({ model: dict({ m: matrix }) }) }),
      'torch.no-tensors',
      'its keys are "state_dict"',
    ],
    ['a numbered tensor', () => bare('}(K\x01', matrix, 'u'), 'torch.malformed', 'unsuitable name: 1'],
    [
      'a tensor called by a control character',
      () => dict({ 'a\u001b[2J': matrix }),
      'torch.malformed',
      'unsuitable name: "a\\u001b',
    ],
    [
      'a tensor beyond its storage',
      () => dict({ m: tensor({ storage: sixFloats, shape: [7] }) }),
      'torch.malformed',
      'm reaches beyond its block',
    ],
    [
      'a view beyond its storage',
      () => dict({ m: tensor({ storage: sixFloats, shape: [4], offset: 3 }) }),
      'torch.malformed',
      'm reaches beyond its block',
    ],
    [
      'sizes that overflow',
      () => dict({ m: tensor({ storage: sixFloats, shape: [2 ** 31, 2 ** 31, 2] }) }),
      'torch.malformed',
      'm reaches beyond its block',
    ],
    [
      'a negative offset',
      () => dict({ m: tensorWith(int(-1), tuple(int(2)), tuple(int(1))) }),
      'torch.malformed',
      'not described as PyTorch does it',
    ],
    [
      'a negative size',
      () => dict({ m: tensorWith(int(0), tuple(int(-2)), tuple(int(1))) }),
      'torch.malformed',
      'not described as PyTorch does it',
    ],
    [
      'nine axes',
      () => dict({ m: tensor({ storage: sixFloats, shape: Array(9).fill(1) }) }),
      'torch.malformed',
      'a tensor of 9 axes',
    ],
    [
      'sizes and steps of different length',
      () => dict({ m: tensorWith(int(0), tuple(int(2)), tuple()) }),
      'torch.malformed',
      '1 sizes and 0 steps',
    ],
    [
      'steps that overlap',
      () => dict({ m: tensor({ storage: sixFloats, shape: [2, 3], strides: [0, 1] }) }),
      'torch.layout',
      'm [2, 3] by steps of [0, 1]',
    ],
    [
      'a storage that is not there',
      () => dict({ m: tensor({ storage: storage('FloatStorage', '1', 6), shape: [6] }) }),
      'torch.malformed',
      '"1", which is not there',
    ],
    [
      'a storage from elsewhere',
      () => dict({ m: tensor({ storage: storage('FloatStorage', '../data.pkl', 6), shape: [6] }) }),
      'torch.malformed',
      '"../data.pkl", which is not there',
    ],
    [
      'a storage of another size',
      () => dict({ m: tensor({ storage: storage('FloatStorage', '0', 5), shape: [5] }) }),
      'torch.malformed',
      '24 bytes, not 5 x 4',
    ],
    [
      'a storage of another type',
      () => dict({ m: tensor({ storage: storage('DoubleStorage', '0', 6), shape: [6] }) }),
      'torch.malformed',
      '24 bytes, not 6 x 8',
    ],
    [
      'a storage that is a text',
      () => dict({ m: tensor({ storage: text('0'), shape: [6] }) }),
      'torch.malformed',
      'a tensor that is not described',
    ],
    [
      'a storage with an unknown tag',
      () => pickle.persistent(tuple(text('module'), text('x'))),
      'torch.malformed',
      'a storage that is not described',
    ],
  ])('%s', async (_title, value, code, why) => {
    expect(await refusal(open(value()))).toMatchObject({ code, message: expect.stringContaining(why) });
  });

  function memoByte(i: number): number {
    // LONG_BINPUT of 0, 1, 2, ...
    const index = Math.floor(i / 5);
    return i % 5 === 0 ? 0x72 : (index >>> (8 * ((i % 5) - 1))) & 255;
  }

  it('bytes after its end', async () => {
    await writeFile(path, zip(torchEntries(Buffer.concat([program(dict({ m: matrix })), Buffer.from('N.')]), {})));
    expect((await refusal(openCheckpoint(path))).message).toContain('2 bytes follow its end');
  });

  it('never fails in any other way, whatever byte is changed or cut', async () => {
    const whole = program(dict({ state_dict: orderedDict({ a: matrix, b: matrix }) }));
    let read = 0;
    const attempt = (bytes: Uint8Array) => {
      try {
        readPickle(bytes, torchHost);
        read++;
      } catch (error) {
        expect(error).toMatchObject({ fault: expect.stringMatching(/^(malformed|refused|limit)$/) });
      }
    };
    for (let at = 0; at < whole.length; at++) {
      attempt(whole.subarray(0, at));
      for (const value of [0, 0x28, 0x52, 0x62, 0x71, 0xff, whole[at]! ^ 1]) {
        const changed = Buffer.from(whole);
        changed[at] = value;
        attempt(changed);
      }
    }
    // Most changes in texts and numbers go unnoticed by the reader itself.
    expect(read).toBeGreaterThan(100);
  });
});

describe('an archive with two readings is refused', () => {
  const good = (): ZipEntrySpec[] => torchEntries(program(dict({ m: matrix })), { 0: floats });
  const changed = (name: string, change: Partial<ZipEntrySpec>) =>
    good().map((entry) => (entry.name === `archive/${name}` ? { ...entry, ...change } : entry));

  it.each<[string, () => ZipEntrySpec[], ZipSpec, string, string]>([
    [
      'a name that differs before the content',
      () => changed('data/0', { localName: 'archive/data/1' }),
      {},
      'torch.malformed',
      'disagrees with the directory',
    ],
    [
      'a longer name before the content',
      () => changed('data/0', { localName: 'archive/data/00' }),
      {},
      'torch.malformed',
      'disagrees with the directory',
    ],
    [
      'a size that differs',
      () => changed('data/0', { localSize: 8 }),
      { streamed: false },
      'torch.malformed',
      'disagrees with the directory',
    ],
    [
      'a compressed entry',
      () => changed('data/0', { method: 8 }),
      {},
      'torch.compressed',
      '"archive/data/0" is compressed (method 8)',
    ],
    [
      'an encrypted entry',
      () => changed('data/0', { flags: 0x0809 }),
      {},
      'torch.compressed',
      '"archive/data/0" is encrypted',
    ],
    [
      'an entry past the end',
      () => changed('data/0', { listedOffset: 1e6 }),
      {},
      'torch.malformed',
      'lies behind the end',
    ],
    [
      'an entry on another',
      () => changed('data/0', { listedOffset: 0, localName: 'archive/data/0' }),
      {},
      'torch.malformed',
      'overlaps the entry before it',
    ],
    [
      'an entry into the directory',
      () => changed('version', { listedSize: 4000 }),
      {},
      'torch.malformed',
      'reaches into the directory',
    ],
    [
      'an entry into the next one',
      () => changed('data/0', { listedSize: 60 }),
      {},
      'torch.malformed',
      '"archive/version" overlaps',
    ],
    [
      'the same name twice',
      () => [...good(), { name: 'archive/data/0', data: new Uint8Array(24) }],
      {},
      'torch.malformed',
      'is there twice',
    ],
    [
      'two pickles',
      () => [...good(), { name: 'other/data.pkl', data: Buffer.from('N.') }],
      {},
      'torch.malformed',
      '2 pickles',
    ],
    ['no pickle', () => good().slice(1), {}, 'torch.malformed', '0 pickles'],
    [
      'big-endian numbers',
      () => changed('byteorder', { data: Buffer.from('big') }),
      {},
      'torch.malformed',
      'byte order "big"',
    ],
    [
      'a program',
      () => [...good(), { name: 'archive/constants.pkl', data: Buffer.from('N.') }],
      {},
      'torch.script',
      'TorchScript',
    ],
    [
      'a name without end',
      () => [...good(), { name: 'x'.repeat(zipLimits.nameBytes + 1), data: Buffer.of() }],
      {},
      'torch.limit',
      'name of an entry is too long',
    ],
    [
      'a comment behind the directory',
      good,
      { comment: 'hello' },
      'torch.malformed',
      'does not end with the directory',
    ],
    [
      'a wrong place of the directory',
      good,
      { end: (record) => record.writeUInt32LE(7, 16), streamed: false },
      'torch.malformed',
      'not where it is said to be (7)',
    ],
    [
      'more entries than there are',
      good,
      { end: (record) => record.writeUInt32LE(0x000a000a, 8), streamed: false },
      'torch.malformed',
      'ends after 4 of 10 entries',
    ],
    [
      'fewer entries than there are',
      good,
      { end: (record) => record.writeUInt32LE(0x00010001, 8), streamed: false },
      'torch.malformed',
      'longer than its entries',
    ],
    ['several volumes', good, { end: (record) => record.writeUInt16LE(1, 4) }, 'torch.malformed', 'several volumes'],
    [
      'ZIP64 records that disagree',
      good,
      { end64: (record) => lie(record, 24, 1n) },
      'torch.malformed',
      'two directory records disagree',
    ],
    [
      'a ZIP64 number of entries without end',
      good,
      { long: true, end64: (record) => lie(record, 24, 2n ** 40n) },
      'torch.limit',
      '1099511627776 entries',
    ],
    [
      'a ZIP64 directory of 2^60 bytes',
      good,
      { long: true, end64: (record) => record.writeBigUInt64LE(2n ** 60n, 40) },
      'torch.malformed',
      '1152921504606846976 bytes',
    ],
    [
      'a ZIP64 offset of 2^63',
      good,
      { long: true, end64: (record) => record.writeBigUInt64LE(2n ** 63n, 48) },
      'torch.malformed',
      '9223372036854775808 bytes',
    ],
    [
      'a ZIP64 record elsewhere',
      good,
      { end64: (record) => record.writeBigUInt64LE(0n, 64) },
      'torch.malformed',
      'ZIP64 record is not where it is said to be',
    ],
  ])('%s', async (_title, entries, spec, code, why) => {
    await writeFile(path, zip(entries(), spec));
    expect(await refusal(openCheckpoint(path))).toMatchObject({ code, message: expect.stringContaining(why) });
  });

  function lie(record: Buffer, at: number, value: bigint): void {
    record.writeBigUInt64LE(value, at);
    record.writeBigUInt64LE(value, at + 8);
  }

  it('cut anywhere, or with any byte of its headers changed', async () => {
    const whole = zip(good());
    const directory = whole.indexOf(Buffer.from('PK\x01\x02'));
    for (let length = 4; length < whole.length; length += 13) {
      await writeFile(path, whole.subarray(0, length));
      expect((await refusal(openCheckpoint(path))).code).toMatch(/^torch\./);
    }
    for (let at = directory; at < whole.length; at += 3) {
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ 0x41;
      await writeFile(path, bytes);
      const opened = await openCheckpoint(path).then(
        (checkpoint) => values(checkpoint, 'm'),
        (error: unknown) => {
          expect(error).toBeInstanceOf(PantomimeError);
          return undefined;
        },
      );
      // What nobody looks at (dates, versions) may change; the numbers may not.
      if (opened) expect(opened).toEqual([0, 1, 2, 3, 4, 5]);
    }
  });
});
