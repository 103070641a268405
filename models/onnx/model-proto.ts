import type { DType } from '../tensor.js';
import type { GraphPort } from './built-graph.js';
import type { Attribute } from './graph.js';
import { ProtoWriter } from './protobuf.js';
import { externalLocation } from './weights-root.js';

/** Operator set of every graph: Gelu needs 20, nothing here needs more, and every provider has kernels for it. */
export const opset = 21;
const irVersion = 10;

export type Node = {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
};

/** A tensor of the model: inline bytes (little-endian), or a place in a file. */
export type Initializer = {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
} & (
  | { readonly data: Uint8Array }
  | { readonly external: { readonly file: string; readonly offset: number; readonly byteLength: number } }
);

export type ModelParts = {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  readonly weightsRoot: string;
};

/** `TensorProto.DataType`. */
export const onnxDType: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** Serialises a `ModelProto` (field numbers: onnx.proto of ONNX 1.17). */
export function writeModel(parts: ModelParts): Uint8Array {
  const out = new ProtoWriter();
  out.int(1, irVersion);
  out.string(2, 'pantomime');
  for (const [domain, version] of [
    ['', opset],
    ['com.microsoft', 1],
  ] as const) {
    out.message(8, () => {
      out.string(1, domain);
      out.int(2, version);
    });
  }
  out.message(7, () => {
    out.string(2, parts.name);
    for (const node of parts.nodes) out.message(1, () => writeNode(out, node));
    for (const tensor of parts.initializers) out.message(5, () => writeInitializer(out, tensor, parts.weightsRoot));
    for (const port of parts.inputs) out.message(11, () => writePort(out, port));
    for (const port of parts.outputs) out.message(12, () => writePort(out, port));
  });
  return out.finish();
}

function writeNode(out: ProtoWriter, node: Node): void {
  for (const input of node.inputs) out.string(1, input);
  for (const output of node.outputs) out.string(2, output);
  out.string(3, `${node.op}.${node.outputs[0]}`);
  out.string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) out.message(5, () => writeAttribute(out, name, value));
  if (node.domain) out.string(7, node.domain);
}

/** Plain numbers are integers, arrays are lists of integers, floats are marked as such. */
function writeAttribute(out: ProtoWriter, name: string, value: Attribute): void {
  out.string(1, name);
  if (typeof value === 'number') {
    out.int(3, value);
    out.int(20, 2);
  } else if (typeof value === 'string') {
    out.string(4, value);
    out.int(20, 3);
  } else if ('float' in value) {
    out.float(2, value.float);
    out.int(20, 1);
  } else {
    for (const item of value) out.int(8, item);
    out.int(20, 7);
  }
}

function writeInitializer(out: ProtoWriter, tensor: Initializer, weightsRoot: string): void {
  for (const dim of tensor.dims) out.int(1, dim);
  out.int(2, onnxDType[tensor.dtype]);
  out.string(8, tensor.name);
  if ('data' in tensor) {
    out.bytes(9, tensor.data);
    return;
  }
  const { file, offset, byteLength } = tensor.external;
  const location = externalLocation(weightsRoot, file);
  if (location === undefined) throw new Error(`${file} is not below ${weightsRoot}`);
  for (const [key, value] of [
    ['location', location],
    ['offset', String(offset)],
    ['length', String(byteLength)],
  ] as const) {
    out.message(13, () => {
      out.string(1, key);
      out.string(2, value);
    });
  }
  out.int(14, 1);
}

function writePort(out: ProtoWriter, port: GraphPort): void {
  out.string(1, port.name);
  out.message(2, () =>
    out.message(1, () => {
      out.int(1, onnxDType[port.dtype]);
      out.message(2, () => {
        for (const dim of port.dims) out.message(1, () => out.int(1, dim));
      });
    }),
  );
}
