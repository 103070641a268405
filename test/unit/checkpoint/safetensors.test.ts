import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWeight, overlayCheckpoint } from '#dist/models/checkpoint/checkpoint.js';
import { readStoredTensor, readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors, safetensorsLimits } from '#dist/models/checkpoint/safetensors.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { PantomimeError } from '#dist/models/errors.js';
import { floatsToBfloats, floatsToHalves } from '#dist/models/half.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

let files = 0;
/** A file with any header text and data, for headers no writer would write. */
async function fileWith(
  header: string | Buffer,
  data: Buffer = Buffer.alloc(0),
  headerLength?: bigint,
): Promise<string> {
  const path = join(dir, `${files++}.safetensors`);
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength ?? BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, data]));
  return path;
}

async function failure(path: string): Promise<PantomimeError> {
  const error: unknown = await openSafetensors(path).then(
    () => new Error('was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof PantomimeError)) throw error;
  return error;
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('writing and reading', () => {
  const floats = Float32Array.of(1, -2.5, 0.333, 1e-8, 65504, -0);

  it('keeps every value, type and shape', async () => {
    const path = join(dir, 'all.safetensors');
    await writeSafetensors(
      path,
      [
        { name: 'f32', dtype: 'float32', shape: [2, 3], data: floats },
        { name: 'f16', dtype: 'float16', shape: [6], data: floatsToHalves(floats) },
        { name: '0', dtype: 'bfloat16', shape: [3, 2, 1], data: floatsToBfloats(floats) },
        { name: 'u8', dtype: 'uint8', shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) },
        { name: 'f64', dtype: 'float64', shape: [1], data: Float64Array.of(Math.PI) },
        { name: 'ids', dtype: 'int64', shape: [1, 2], data: BigInt64Array.of(-1n, 2n) },
        { name: 'none', dtype: 'float32', shape: [0, 4], data: new Float32Array(0) },
        { name: 'scalar', dtype: 'float32', shape: [], data: Float32Array.of(7) },
      ],
      { metadata: { 'a:b': 'colon: "quoted" \\' } },
    );
    const { tensors, sources } = await openSafetensors(path);
    expect(sources).toHaveLength(1);
    expect([...tensors.keys()]).toEqual(['f32', 'f16', '0', 'u8', 'f64', 'ids', 'none', 'scalar']);
    const read = async (name: string) => readTensor(tensors.get(name)!);
    expect(await read('f32')).toEqual({ dtype: 'float32', dims: [2, 3], data: floats });
    expect((await read('f16')).data[2]).toBe(0.3330078125);
    expect((await read('0')).dims).toEqual([3, 2, 1]);
    expect((await read('0')).data[2]).toBe(0.33203125);
    expect((await read('f64')).data[0]).toBe(Math.fround(Math.PI));
    expect((await read('none')).data).toHaveLength(0);
    expect((await read('scalar')).dims).toEqual([]);
    expect((await readStoredTensor(tensors.get('ids')!)).data).toEqual(BigInt64Array.of(-1n, 2n));
    expect((await readStoredTensor(tensors.get('u8')!)).data).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
    expect([...tensors].filter(([, location]) => isWeight(location)).map(([name]) => name)).not.toContain('ids');
    await expect(read('ids')).rejects.toMatchObject({ code: 'checkpoint.dtype' });
    expect(tensors.get('f32')!.offset % 8).toBe(0);
  });

  it('streams pieces and gives the same bytes', async () => {
    const pieces = async function* () {
      yield floats.subarray(0, 2);
      yield floats.subarray(2);
    };
    const [whole, streamed] = [join(dir, 'whole.st'), join(dir, 'streamed.st')];
    await writeSafetensors(whole, [{ name: 'x', dtype: 'float32', shape: [6], data: floats }]);
    await writeSafetensors(streamed, [{ name: 'x', dtype: 'float32', shape: [6], data: pieces }]);
    expect(await readFile(streamed)).toEqual(await readFile(whole));
  });

  it('leaves the old file and nothing else behind when writing fails', async () => {
    const path = join(dir, 'kept.safetensors');
    await writeSafetensors(path, [{ name: 'x', dtype: 'float32', shape: [6], data: floats }]);
    const before = await readFile(path);
    const entries = await readdir(dir);
    await expect(writeSafetensors(path, [{ name: 'x', dtype: 'float32', shape: [7], data: floats }])).rejects.toThrow(
      RangeError,
    );
    const stop = new AbortController();
    stop.abort();
    await expect(
      writeSafetensors(path, [{ name: 'x', dtype: 'float32', shape: [6], data: floats }], { signal: stop.signal }),
    ).rejects.toThrow();
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(dir)).toEqual(entries);
  });

  it('says so when a file shrinks after it was opened', async () => {
    const path = join(dir, 'shrinks.safetensors');
    await writeSafetensors(path, [{ name: 'x', dtype: 'float32', shape: [6], data: floats }]);
    const { tensors } = await openSafetensors(path);
    await truncate(path, 80);
    await expect(readTensor(tensors.get('x')!)).rejects.toMatchObject({ code: 'checkpoint.changed' });
  });
});

describe('hostile files', () => {
  const four = Buffer.alloc(4);

  it.each<[string, string, Buffer, string, RegExp]>([
    ['not JSON', '{"x":', four, 'safetensors.malformed', /not JSON/],
    ['a list', '[]', Buffer.alloc(0), 'safetensors.malformed', /not a JSON object/],
    ['deep nesting', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, four, 'safetensors.malformed', /JSON/],
    ['an entry that is no object', '{"x":3}', four, 'safetensors.malformed', /entry of x/],
    ['an unknown type', `{"x":${entry('F4', [2], 0, 4)}}`, four, 'safetensors.dtype', /element type/],
    ['a type of Object.prototype', `{"x":${entry('constructor', [2], 0, 4)}}`, four, 'safetensors.dtype', /type/],
    ['a negative size', `{"x":${entry('F32', [-1], 0, 4)}}`, four, 'safetensors.malformed', /shape of x/],
    ['a fractional size', `{"x":${entry('F32', [1.5], 0, 6)}}`, four, 'safetensors.malformed', /shape of x/],
    ['nine dimensions', `{"x":${entry('F32', Array(9).fill(1), 0, 4)}}`, four, 'safetensors.malformed', /at most 8/],
    ['an overflow', `{"x":${entry('F32', [2 ** 40, 2 ** 40], 0, 4)}}`, four, 'safetensors.malformed', /overflows/],
    [
      'an overflow to zero',
      `{"x":${entry('U8', [2 ** 32, 2 ** 32], 0, 0)}}`,
      Buffer.alloc(0),
      'safetensors.malformed',
      /overflows/,
    ],
    ['offsets as text', `{"x":${entry('F32', [1], '0', '4')}}`, four, 'safetensors.malformed', /data_offsets/],
    [
      'infinite offsets',
      '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,1e999]}}',
      four,
      'safetensors.malformed',
      /data_offsets/,
    ],
    ['offsets backwards', `{"x":${entry('F32', [1], 4, 0)}}`, four, 'safetensors.malformed', /is stored in/],
    ['a size that is not the shape', `{"x":${entry('F32', [2], 0, 4)}}`, four, 'safetensors.malformed', /is stored in/],
    ['data beyond the end', `{"x":${entry('F32', [2], 0, 8)}}`, four, 'safetensors.truncated', /ends before x/],
    [
      'an overlap',
      `{"x":${entry('U8', [3], 0, 3)},"y":${entry('U8', [3], 1, 4)}}`,
      four,
      'safetensors.malformed',
      /y overlaps/,
    ],
    [
      'a hole',
      `{"x":${entry('U8', [1], 0, 1)},"y":${entry('U8', [1], 3, 4)}}`,
      four,
      'safetensors.malformed',
      /belong to no/,
    ],
    ['a tail', `{"x":${entry('U8', [1], 0, 1)}}`, four, 'safetensors.malformed', /follow the last/],
    [
      'a name twice',
      `{"x":${entry('U8', [4], 0, 4)},"x":${entry('U8', [4], 0, 4)}}`,
      four,
      'safetensors.malformed',
      /twice/,
    ],
    [
      'a field twice',
      '{"x":{"dtype":"F32","dtype":"U8","shape":[4],"data_offsets":[0,4]}}',
      four,
      'safetensors.malformed',
      /twice/,
    ],
    [
      'a control character in a name',
      `{"x\\u0000y":${entry('U8', [4], 0, 4)}}`,
      four,
      'safetensors.malformed',
      /control/,
    ],
    ['an endless name', `{"${'x'.repeat(600)}":${entry('U8', [4], 0, 4)}}`, four, 'safetensors.malformed', /too long/],
  ])('refuses %s', async (_, header, data, code, message) => {
    const error = await failure(await fileWith(header, data));
    expect(error.code).toBe(code);
    expect(error.kind).toBe('model');
    expect(error.message).toMatch(message);
    expect(error.details.hint).toBeTruthy();
  });

  it('accepts names that mean something to JavaScript', async () => {
    const path = await fileWith(`{"__proto__":${entry('U8', [4], 0, 4)}}`, four);
    expect([...(await openSafetensors(path)).tensors.keys()]).toEqual(['__proto__']);
  });

  it('refuses bad lengths, encodings and things that are not files', async () => {
    expect((await failure(await fileWith('{}', four, 2n ** 63n))).code).toBe('safetensors.truncated');
    expect((await failure(await fileWith('{}', four, 7n))).code).toBe('safetensors.truncated');
    expect((await failure(await fileWith(Buffer.of(0x7b, 0xff, 0x7d)))).message).toMatch(/UTF-8/);
    const huge = await fileWith('{}', four, BigInt(safetensorsLimits.headerBytes) + 1n);
    await truncate(huge, safetensorsLimits.headerBytes * 2);
    expect((await failure(huge)).code).toBe('safetensors.header-too-large');
    const short = join(dir, 'short');
    await writeFile(short, 'abc');
    expect((await failure(short)).code).toBe('safetensors.truncated');
    const pointer = join(dir, 'pointer');
    await writeFile(pointer, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3049435868\n');
    expect((await failure(pointer)).code).toBe('safetensors.lfs-pointer');
    expect((await failure(dir)).code).toBe('safetensors.unreadable');
    expect((await failure(join(dir, 'absent'))).code).toBe('safetensors.unreadable');
  });

  it('refuses more tensors than the limit', async () => {
    const empty = entry('U8', [0], 0, 0);
    const names = Array.from({ length: safetensorsLimits.tensors + 1 }, (_, i) => `"${i}":${empty}`);
    expect((await failure(await fileWith(`{${names.join(',')}}`))).message).toMatch(/limit of 100000/);
  });

  it('never fails in any other way, whatever bytes of a header are changed', async () => {
    const header = `{"a":${entry('F32', [2, 2], 0, 16)},"b":${entry('F16', [3], 16, 22)}}`;
    let state = 12345;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let accepted = 0;
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(header);
      for (let i = 0; i <= round % 3; i++)
        bytes[random(bytes.length)] = '0123456789-.eE[]{}",:x\\ '.charCodeAt(random(24));
      const path = await fileWith(bytes, Buffer.alloc(22));
      try {
        const { tensors } = await openSafetensors(path);
        for (const location of tensors.values())
          expect(location.offset + location.byteLength).toBeLessThanOrEqual(8 + bytes.length + 22);
        accepted++;
      } catch (error) {
        if (!(error instanceof PantomimeError)) throw error;
      }
      await rm(path);
    }
    expect(accepted).toBeLessThan(200);
  });
});

describe('overlayCheckpoint', () => {
  const at = (file: string, shape: number[], dtype: 'float32' | 'float16' | 'int64' = 'float32') => ({
    file,
    offset: 0,
    byteLength: 4,
    dtype,
    shape,
  });
  const base = {
    tensors: new Map([
      ['a', at('base', [2])],
      ['b', at('base', [3])],
    ]),
    sources: ['base'],
  };

  it('replaces by name, whatever the float type', () => {
    const over = { tensors: new Map([['b', at('over', [3], 'float16')]]), sources: ['over'] };
    const both = overlayCheckpoint(base, over);
    expect([...both.tensors].map(([name, { file }]) => `${name} ${file}`)).toEqual(['a base', 'b over']);
    expect(both.sources).toEqual(['base', 'over']);
    expect(base.tensors.get('b')!.file).toBe('base');
  });

  it('lists everything that does not fit', () => {
    const tensors = new Map([
      ['c', at('over', [1])],
      ['b', at('over', [4])],
      ['a', at('over', [2], 'int64')],
    ]);
    expect(() => overlayCheckpoint(base, { tensors, sources: ['over'] })).toThrow(
      /3 of 3 .*c is unknown; b is \[4\] instead of \[3\]; a holds int64 instead of float32/,
    );
  });
});
