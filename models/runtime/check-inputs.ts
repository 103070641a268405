import { PantomimeError } from '../errors.js';
import type { DType } from '../tensor.js';
import { sizeOf } from '../tensor.js';
import type { KeptOutputs, OpenPort, OpenPorts, Reference, RunInput } from './protocol.js';

/** Name and ports of a loaded graph: what stays here of it when its bytes are in the engine. */
export type GraphPorts = OpenPorts & { readonly name: string };

/** Type and shape of a named tensor. */
export type SourceShape = { readonly dtype: DType; readonly dims: readonly number[] };

/**
 * Checks the inputs of a run against the ports of its graph, before anything is sent: the runtime's own messages name
 * neither the graph nor what to change. Throws PantomimeError `engine.input`.
 */
export function checkInputs(
  graph: GraphPorts,
  inputs: Readonly<Record<string, RunInput>>,
  sources: ReadonlyMap<string, SourceShape>,
): void {
  const known = new Set(graph.inputs.map((port) => port.name));
  for (const name of Object.keys(inputs)) {
    if (!known.has(name)) throw wrong(graph, `has no input ${name}`, undefined, `one of ${[...known].join(', ')}`);
  }
  for (const port of graph.inputs) {
    const input = Object.hasOwn(inputs, port.name) ? inputs[port.name] : undefined;
    if (!input) throw wrong(graph, `input ${port.name} is missing`, undefined, describe(port));
    const given = shapeOf(graph, port, input, sources);
    if (given.dtype !== port.dtype || !fitDims(given.dims, port.dims)) {
      throw wrong(graph, `input ${port.name} does not fit`, describe(given), describe(port));
    }
  }
}

/** Checks that `names` are outputs of the graph; all of them when left out. */
export function checkOutputs(graph: GraphPorts, names?: readonly string[]): readonly string[] {
  const known = graph.outputs.map((port) => port.name);
  for (const name of names ?? []) {
    if (!known.includes(name)) throw wrong(graph, `has no output ${name}`, undefined, `one of ${known.join(', ')}`);
  }
  return names ?? known;
}

/** Checks that outputs which stay in the engine fit what they are kept in. */
export function checkKept(graph: GraphPorts, keep: KeptOutputs, sources: ReadonlyMap<string, SourceShape>): void {
  checkOutputs(graph, Object.keys(keep));
  for (const [name, reference] of Object.entries(keep)) {
    const port = graph.outputs.find((output) => output.name === name) as OpenPort;
    const kept = shapeOfReference(graph, `output ${name}`, reference, sources);
    if (kept.dtype === port.dtype && fitDims(kept.dims, port.dims)) continue;
    throw wrong(graph, `output ${name} does not fit ${reference.ref}`, describe(port), describe(kept));
  }
}

function shapeOf(
  graph: GraphPorts,
  port: OpenPort,
  input: RunInput,
  sources: ReadonlyMap<string, SourceShape>,
): SourceShape {
  if (!('ref' in input)) {
    if (input.data.length === sizeOf(input.dims)) return input;
    throw wrong(graph, `input ${port.name} has ${input.data.length} values`, undefined, describe(input));
  }
  return shapeOfReference(graph, `input ${port.name}`, input, sources);
}

function shapeOfReference(
  graph: GraphPorts,
  of: string,
  { ref, rows }: Reference,
  sources: ReadonlyMap<string, SourceShape>,
): SourceShape {
  const source = sources.get(ref);
  if (!source) throw wrong(graph, `${of} refers to ${ref}, which is not defined`);
  if (!rows) return source;
  const [available = 0, ...rowDims] = source.dims;
  const bad = rows.find((row) => !Number.isInteger(row) || row < 0 || row >= available);
  if (bad !== undefined) throw wrong(graph, `${of} wants row ${bad} of ${ref}`, undefined, `0 to ${available - 1}`);
  return { dtype: source.dtype, dims: [rows.length, ...rowDims] };
}

function fitDims(dims: readonly number[], wanted: OpenPort['dims']): boolean {
  return dims.length === wanted.length && wanted.every((dim, axis) => dim === null || dim === dims[axis]);
}

function describe({ dtype, dims }: Pick<OpenPort, 'dtype' | 'dims'>): string {
  return `${dtype} [${dims.map((dim) => dim ?? 'any').join(', ')}]`;
}

function wrong(graph: GraphPorts, what: string, got?: string, expected?: string): PantomimeError {
  return new PantomimeError({
    code: 'engine.input',
    kind: 'internal',
    what,
    where: `graph ${graph.name}`,
    got,
    expected,
  });
}
