import type { Checkpoint, LowRankChange, WeightLocation } from '../checkpoint/checkpoint.js';
import { bytesPerElement, type DType, sizeOf, type TensorData } from '../tensor.js';
import type { BuiltGraph, GraphPort, Residency, Target } from './built-graph.js';
import { type LiveNode, peakLiveBytes } from './live-memory.js';
import { addLowRank } from './low-rank.js';
import { type Initializer, type Node, writeModel } from './model-proto.js';
import { bind, Module, type Parameter, walk } from './module.js';
import { countMultiplyAdds } from './multiply-adds.js';
import { cast, slice } from './ops.js';
import { commonFolder } from './weights-root.js';

/** What a network computes with. Weights of any type are converted; sums that need it are float32 all the same. */
export type Precision = 'float32' | 'float16';

export type GraphOptions = {
  readonly name: string;
  readonly residency: Residency;
  readonly target: Target;
  /** float32 when left out. */
  readonly precision?: Precision | undefined;
  /** Linear layers of many rows multiply 8-bit whole numbers. Only on a CPU and in `fast` residency: see `quantizedLinear`. */
  readonly quantize?: boolean | undefined;
  /** Every feed-forward layer computes its tokens in this many parts, one after the other; 1 when left out. */
  readonly feedForwardParts?: number | undefined;
  /** Attention that is not fused (`webgpu`) computes its queries in this many parts; 1 when left out. */
  readonly attentionParts?: number | undefined;
};

/** A tensor inside a graph under construction. Its shape is always fully known. */
export type Value = {
  readonly graph: Graph;
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
};

export type Attribute = number | string | readonly number[] | { readonly float: number };

export type NodeSpec = {
  /** Operator name, or `com.microsoft:Name` for an operator of onnxruntime's own domain. */
  readonly op: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly { readonly dtype: DType; readonly dims: readonly number[] }[];
};

/**
 * Parameters of at least this many elements stay in the checkpoint in `low-memory` residency; smaller ones (norms,
 * biases) are always constants: together they are well under 1 % of a model.
 */
const inPlaceElements = 4096;

/** Largest of the first two dimensions of a shape that is chosen to be unlike others. */
const maxFactor = 4096;

type Weight = {
  readonly name: string;
  readonly location: WeightLocation;
  readonly changes?: readonly LowRankChange[] | undefined;
};

/**
 * An ONNX graph under construction. Operators are functions over Values (ops.ts); this class only collects nodes,
 * constants and weights, and writes the model.
 */
export class Graph {
  readonly options: GraphOptions;
  readonly precision: Precision;
  readonly #inputs: GraphPort[] = [];
  readonly #outputs: GraphPort[] = [];
  readonly #nodes: Node[] = [];
  /** Work on weights alone. */
  readonly #preparing: Node[] = [];
  readonly #ownDims = new Set<string>();
  readonly #initializers: Initializer[] = [];
  readonly #overridable: GraphPort[] = [];
  readonly #weights = new Map<Parameter, Weight>();
  readonly #paths = new Map<Module, string>();
  readonly #parameters = new Map<Parameter, Value>();
  readonly #parameterRows = new Map<string, Value>();
  readonly #constants = new Map<string, Value>();
  readonly #taps = new Map<string, Value>();
  readonly #files = new Set<string>();
  #counter = 0;
  #weightBytes = 0;
  #convertedWeightBytes = 0;
  #mergedBytes = 0;
  readonly #multiplyAdds = { convolution: 0, linear: 0, attention: 0, merging: 0 };
  /** What is added is work on weights: at every run (`in-place`), or while the graph is loaded. */
  #merging: 'in-place' | 'loading' | undefined;
  readonly #liveNodes: LiveNode[] = [];
  /** Of the work on weights, what is done at every run. */
  readonly #livePreparing: LiveNode[] = [];

  constructor(options: GraphOptions) {
    this.options = options;
    this.precision = options.precision ?? 'float32';
  }

  /**
   * Gives every parameter of `module` its place in `checkpoint` (strictly, see `bind`). `scope` is what the model is
   * called in messages and the prefix of its names in the graph.
   */
  bind(module: Module, checkpoint: Checkpoint, scope: string): void {
    for (const [parameter, { name, location }] of bind(module, checkpoint, scope)) {
      const changes = checkpoint.changes?.get(name);
      this.#weights.set(parameter, { name: `${scope}.${name}`, location, changes });
    }
    walk(module, '', (path, node) => {
      if (node instanceof Module) this.#paths.set(node, path ? `${scope}.${path}` : scope);
    });
  }

  input(name: string, dtype: DType, dims: readonly number[]): Value {
    this.#inputs.push({ name, dtype, dims });
    return { graph: this, name, dtype, dims };
  }

  /** Declares `value` an output called `name`. */
  output(name: string, value: Value): void {
    this.add({ op: 'Identity', inputs: [value], outputs: [value] }, [name]);
    this.#outputs.push({ name, dtype: value.dtype, dims: value.dims });
  }

  /** Adds an operator; returns its outputs. */
  add(spec: NodeSpec, names?: readonly string[]): Value[] {
    const [domain, op] = spec.op.includes(':') ? (spec.op.split(':') as [string, string]) : ['', spec.op];
    const outputs = spec.outputs.map(({ dtype, dims }, i) => ({
      graph: this,
      name: names?.[i] ?? `v${this.#counter++}`,
      dtype,
      dims,
    }));
    const work = countMultiplyAdds(spec.op, spec.inputs, outputs[0]);
    if (work) this.#multiplyAdds[this.#merging ? 'merging' : work.kind] += work.count;
    const live = liveNode(op, spec.inputs, outputs);
    const node = {
      op,
      domain,
      inputs: spec.inputs.map((value) => value?.name ?? ''),
      outputs: outputs.map((value) => value.name),
      attributes: spec.attributes ?? {},
    };
    if (this.#merging) {
      this.#prepare(node, live, this.#merging === 'in-place');
    } else {
      this.#nodes.push(node);
      this.#liveNodes.push(live);
    }
    return outputs;
  }

  /** A small constant, stored in the model itself. Equal constants are shared. */
  constant(dtype: DType, dims: readonly number[], data: TensorData): Value {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (raw.length !== sizeOf(dims) * bytesPerElement[dtype]) throw new RangeError(`constant does not fill [${dims}]`);
    const key = raw.length <= 64 ? `${dtype}[${dims}]${raw}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known) return known;
    const value = { graph: this, name: `c${this.#counter++}`, dtype, dims };
    this.#initializers.push({ name: value.name, dtype, dims, data: raw.slice() });
    if (key !== undefined) this.#constants.set(key, value);
    return value;
  }

  /** The value of a bound parameter at the graph's precision; what the file holds is converted, and LoRAs are added, by the graph. */
  parameter(parameter: Parameter): Value {
    const known = this.#parameters.get(parameter);
    if (known) return known;
    const value = this.#changed(this.#weightOf(parameter), parameter.dims);
    this.#parameters.set(parameter, value);
    return value;
  }

  /** What `make` adds is work on weights, done while the graph is loaded; only in `fast` residency. */
  whileLoading<T>(make: () => T): T {
    this.#merging = 'loading';
    try {
      return make();
    } finally {
      this.#merging = undefined;
    }
  }

  /** The same of rows `start` up to `end` alone, which are a place of their own in the file unless something is added to it. */
  parameterRows(parameter: Parameter, start: number, end: number): Value {
    const { name, location, changes } = this.#weightOf(parameter);
    if (changes || location.transposed) return slice(this.parameter(parameter), 0, start, end);
    const key = `${name}.${start}-${end}`;
    const known = this.#parameterRows.get(key);
    if (known) return known;
    const [rows = 1, ...row] = parameter.dims;
    const rowBytes = location.byteLength / rows;
    const place = { offset: location.offset + start * rowBytes, byteLength: (end - start) * rowBytes };
    const value = this.#changed({ name: key, location: { ...location, ...place } }, [end - start, ...row]);
    this.#parameterRows.set(key, value);
    return value;
  }

  #weightOf(parameter: Parameter): Weight {
    const weight = this.#weights.get(parameter);
    if (!weight) throw new Error('a parameter is used in a graph it was not bound to');
    if (parameter.unused) throw new Error(`${weight.name} is marked as unused but used`);
    return weight;
  }

  #changed({ changes = [], ...weight }: Weight, dims: readonly number[]): Value {
    // An initializer that is also a graph input may be overridden, so the runtime can neither fold nor pre-pack it:
    // it stays mapped from the file. Parts of a LoRA go with their weight: folded ones would grow to its size.
    const inPlace = this.options.residency === 'low-memory' && dims.length > 1 && sizeOf(dims) >= inPlaceElements;
    this.#merging = changes.length === 0 ? undefined : inPlace ? 'in-place' : 'loading';
    if (changes.length === 0) return this.#weight(weight, dims, inPlace, this.precision);
    const stored = this.#weight(weight, dims, inPlace, 'float32');
    this.#mergedBytes += sizeOf(dims) * bytesPerElement.float32;
    const value = changes.reduce((sum, change, i) => {
      return addLowRank(sum, change, (part, shape) => {
        const location = change[part];
        if (!location) throw new Error(`${weight.name} has no ${part}`);
        return this.#weight({ name: `${weight.name}.lora.${i}.${part}`, location }, shape, inPlace, 'float32');
      });
    }, stored);
    const changed = this.precision === 'float16' ? cast(value, 'float16') : value;
    this.#merging = undefined;
    return changed;
  }

  #weight({ name, location }: Weight, dims: readonly number[], inPlace: boolean, type: Precision): Value {
    const { dtype, file, offset, byteLength, transposed } = location;
    const stored = transposed ? dims.toReversed() : dims;
    const declared = inPlace && dtype !== type ? this.dimsOfItsOwn(sizeOf(stored)) : stored;
    this.#initializers.push({ name, dtype, dims: declared, external: { file, offset, byteLength } });
    this.#files.add(file);
    this.#weightBytes += byteLength;
    this.#convertedWeightBytes += sizeOf(dims) * bytesPerElement[this.precision];
    if (inPlace) this.#overridable.push({ name, dtype, dims: declared });
    const value = this.#converted({ graph: this, name, dtype, dims: declared }, stored, inPlace, type);
    if (!transposed) return value;
    const outputs = [{ dtype: type, dims }];
    return this.add({ op: 'Transpose', inputs: [value], attributes: { perm: [1, 0] }, outputs })[0] as Value;
  }

  /**
   * Three factors of `size` that no earlier call was given. The runtime keeps the buffer of a result for the next result of
   * the same shape, up to the last one in the graph; what has a shape of its own is given back at once. That is the
   * difference between megabytes and gigabytes for SVD's UNet, whose shapes come back on its way up.
   */
  dimsOfItsOwn(size: number): readonly [number, number, number] {
    for (let a = 1; a <= Math.min(size, maxFactor); a++) {
      if (size % a !== 0) continue;
      for (let b = 1; b <= Math.min(size / a, maxFactor); b++) {
        const key = `${a} ${b} ${size}`;
        if ((size / a) % b !== 0 || this.#ownDims.has(key)) continue;
        this.#ownDims.add(key);
        return [a, b, size / a / b];
      }
    }
    return [1, 1, size];
  }

  #converted(value: Value, dims: readonly number[], inPlace: boolean, dtype: Precision): Value {
    if (value.dtype === dtype) return value;
    const cast: Value = { ...value, name: `${value.name}.${dtype}`, dtype };
    this.#convert('Cast', [value], cast, { to: dtype === 'float32' ? 1 : 10 }, inPlace);
    if (dims === value.dims) return cast;
    const shaped: Value = { ...cast, name: `${cast.name}.shaped`, dims };
    const shape = this.constant('int64', [dims.length], BigInt64Array.from(dims, BigInt));
    this.#convert('Reshape', [cast, shape], shaped, {}, inPlace);
    return shaped;
  }

  #convert(op: string, inputs: Value[], output: Value, attributes: Node['attributes'], inPlace: boolean): void {
    const node = { op, domain: '', inputs: inputs.map(({ name }) => name), outputs: [output.name], attributes };
    this.#prepare(node, liveNode(op, inputs, [output]), inPlace);
  }

  /** An operator on weights, written before all others; done at every run, or while the graph is loaded. */
  #prepare(node: Node, live: LiveNode, everyRun: boolean): void {
    this.#preparing.push(node);
    if (everyRun) this.#livePreparing.push(live);
  }

  /** Remembers the result of a module under its path, for traces; returns it. */
  tap(module: Module, value: Value): Value {
    const path = this.#paths.get(module);
    if (path !== undefined) this.#taps.set(path, value);
    return value;
  }

  /** The remembered result of the module at `path`. */
  tapped(path: string): Value {
    const value = this.#taps.get(path);
    if (!value) throw new Error(`no module called ${path} has run in this graph`);
    return value;
  }

  finish(): BuiltGraph {
    const { name, residency, target } = this.options;
    const root = commonFolder([...this.#files]);
    // Work on weights first: then the runtime does it just before each weight's use. Written next to the consumers it is
    // done far ahead, and many float32 copies are alive together (0.5 against 2.4 GB for SVD's UNet).
    const model = writeModel({
      name,
      nodes: [...this.#preparing, ...this.#nodes],
      initializers: this.#initializers,
      inputs: [...this.#inputs, ...this.#overridable],
      outputs: this.#outputs,
      weightsRoot: root,
    });
    return {
      name,
      model,
      weightsRoot: root,
      inputs: this.#inputs,
      outputs: this.#outputs,
      residency,
      target,
      weightBytes: this.#weightBytes,
      mergedBytes: this.#mergedBytes,
      convertedWeightBytes: this.#convertedWeightBytes,
      multiplyAdds: this.#multiplyAdds,
      peakActivationBytes: peakLiveBytes([...this.#livePreparing, ...this.#liveNodes]),
    };
  }
}

/** What memory sees of an operator. */
function liveNode(op: string, inputs: readonly (Value | undefined)[], outputs: readonly Value[]): LiveNode {
  const bytesOf = ({ dims, dtype }: Value) => sizeOf(dims) * bytesPerElement[dtype];
  const given = inputs.flatMap((value) => value ?? []);
  return {
    op,
    inputs: given.map(({ name }) => name),
    outputs: outputs.map((value) => ({
      name: value.name,
      bytes: bytesOf(value),
      shape: `${value.dtype}${value.dims}`,
    })),
    // Queries, keys and values are copied head by head.
    workspaceBytes: op === 'MultiHeadAttention' ? given.reduce((sum, value) => sum + bytesOf(value), 0) : 0,
  };
}
