import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { expect, test } from 'vitest';
import { ProtoWriter } from '#dist/models/onnx/protobuf.js';

/** Reads fields with an independent implementation: [number, value] in order. */
function decode(bytes: Uint8Array): [number, unknown][] {
  const reader = new BinaryReader(bytes);
  const fields: [number, unknown][] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === WireType.Varint) fields.push([field, reader.int64().toString()]);
    else if (wireType === WireType.Bit32) fields.push([field, reader.float()]);
    else if (wireType === WireType.LengthDelimited) fields.push([field, reader.bytes()]);
    else throw new Error(`wire type ${wireType}`);
  }
  return fields;
}

test('integers of every size, floats, text and bytes', () => {
  const integers = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER, -1, -(2 ** 35)];
  const texts = ['', 'conv_in.weight', 'ü→🙂', 'x'.repeat(41), 'x'.repeat(42), 'y'.repeat(100_000)];
  const writer = new ProtoWriter();
  for (const value of integers) writer.int(1, value);
  writer.float(2, 1.5);
  for (const text of texts) writer.string(3, text);
  writer.bytes(200, Uint8Array.of(1, 2, 3));
  const text = (value: unknown) => new TextDecoder().decode(value as Uint8Array);
  const fields = decode(writer.finish());
  expect(fields.filter(([field]) => field === 1).map(([, value]) => value)).toEqual(integers.map(String));
  expect(fields.filter(([field]) => field === 2)).toEqual([[2, 1.5]]);
  expect(fields.filter(([field]) => field === 3).map(([, value]) => text(value))).toEqual(texts);
  expect(fields.at(-1)).toEqual([200, Uint8Array.of(1, 2, 3)]);
});

test('nested messages keep their bounds while the buffer grows', () => {
  const writer = new ProtoWriter();
  writer.message(1, () => {
    writer.int(1, 7);
    writer.message(2, () => writer.bytes(1, new Uint8Array(200_000).fill(9)));
    writer.message(3, () => undefined);
  });
  writer.int(4, 8);
  const [[, outer], last] = decode(writer.finish()) as [[number, Uint8Array], [number, unknown]];
  expect(last).toEqual([4, '8']);
  const [seven, inner, empty] = decode(outer);
  expect(seven).toEqual([1, '7']);
  expect(decode(inner![1] as Uint8Array)).toEqual([[1, new Uint8Array(200_000).fill(9)]]);
  expect(empty).toEqual([3, new Uint8Array()]);
});
