import { writeFlatBuffer } from './flatbuffer.js';

/** How a network wants its picture: `(value - mean) / std` of 0..255 RGB values. */
export type Normalization = { readonly mean: number; readonly std: number };

/**
 * The same TFLite model with metadata that states the normalisation of its first input, as MediaPipe Tasks insists on.
 *
 * FlatBuffer references point forward, so a new head goes in front of the untouched old bytes: a Model table that
 * refers to the old operators, subgraphs and buffers, one more buffer holding a ModelMetadata, and the Metadata entry that
 * names it. Layouts: `schema.fbs` and `metadata_schema.fbs` of TensorFlow Lite.
 */
export function withNormalization(model: Uint8Array, { mean, std }: Normalization): Uint8Array {
  const view = new DataView(model.buffer, model.byteOffset, model.byteLength);
  const root = view.getUint32(0, true);
  const vtable = root - view.getInt32(root, true);
  const fieldAt = (index: number) => {
    const offset = view.getUint16(vtable + 4 + 2 * index, true);
    if (offset === 0) throw new RangeError(`TFLite model without field ${index}`);
    return root + offset;
  };
  const target = (at: number) => at + view.getUint32(at, true);

  const buffersAt = target(fieldAt(4));
  const bufferCount = view.getUint32(buffersAt, true);
  const buffers = Array.from({ length: bufferCount }, (_, i) => ({ tail: target(buffersAt + 4 + 4 * i) }));

  const rgbImage = { table: [{ u8: 1 }] };
  const normalization = { table: [{ floats: [mean] }, { floats: [std] }] };
  const input = {
    table: [
      undefined,
      undefined,
      undefined,
      { table: [{ u8: 2 }, rgbImage] }, // content: union member 2 is ImageProperties
      { vector: [{ table: [{ u8: 1 }, normalization] }] }, // process_units: union member 1 is NormalizationOptions
    ],
  };
  const subgraph = { table: [undefined, undefined, { vector: [input] }] };
  const metadata = writeFlatBuffer({ table: [undefined, undefined, undefined, { vector: [subgraph] }] }, 'M001');

  return writeFlatBuffer(
    {
      table: [
        { u32: view.getUint32(fieldAt(0), true) }, // version
        { tail: target(fieldAt(1)) }, // operator_codes
        { tail: target(fieldAt(2)) }, // subgraphs
        { tail: target(fieldAt(3)) }, // description
        { vector: [...buffers, { table: [{ bytes: metadata }] }] },
        undefined, // metadata_buffer
        { vector: [{ table: [{ string: 'TFLITE_METADATA' }, { u32: bufferCount }] }] },
      ],
    },
    'TFL3',
    model,
  );
}
