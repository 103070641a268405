/*
 * What onnxruntime's CPU and device executors hold while they run a graph, told from the graph alone: the order in which
 * nodes run, and which results share a buffer (allocation_planner.cc of onnxruntime 1.30, one stream, no memory pattern).
 */

/** One operator as memory sees it. */
export type LiveNode = {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly { readonly name: string; readonly bytes: number; readonly shape: string }[];
  /** What the operator allocates for itself while it runs. */
  readonly workspaceBytes: number;
};

/** Operators whose result is their first input's memory under another shape. */
const aliases: ReadonlySet<string> = new Set(['Reshape', 'Identity']);

/** Operators that may write over an input of the same shape that nobody else needs. */
const inPlace: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Sqrt', 'Relu', 'Sigmoid', 'Clip', 'QuickGelu', 'Cast'],
]);

/**
 * Largest sum of buffers that are allocated together. A buffer whose value is no longer needed is kept for the next value
 * of the same shape, and given back only when there is none: so what a shape needs at the beginning of a UNet is held until
 * its end.
 */
export function peakLiveBytes(unfused: readonly LiveNode[]): number {
  const nodes = inRunOrder(fuseSilu(unfused));
  const uses = new Map<string, number>();
  for (const { inputs } of nodes) for (const name of inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  const bufferOf = new Map<string, Buffer>();
  const free = new Map<string, Buffer[]>();

  nodes.forEach(({ op, inputs, outputs }, at) => {
    for (const { name, bytes, shape } of outputs) {
      const known = inputs.flatMap((input) => bufferOf.get(input) ?? []);
      const over =
        aliases.has(op) && inputs[0] !== undefined
          ? bufferOf.get(inputs[0])
          : inPlace.has(op)
            ? known.find((buffer) => buffer.uses === 1 && buffer.shape === shape)
            : undefined;
      const buffer = over ?? free.get(shape)?.pop() ?? { bytes, shape, uses: 0, first: at, last: at };
      buffer.uses += uses.get(name) ?? 0;
      buffer.last = at;
      // A graph input's alias has no buffer of the run's own.
      if (over || !aliases.has(op)) bufferOf.set(name, buffer);
    }
    for (const name of [
      ...inputs,
      ...outputs.filter((output) => !uses.has(output.name)).map((output) => output.name),
    ]) {
      const buffer = bufferOf.get(name);
      if (!buffer) continue;
      buffer.last = at;
      if (inputs.includes(name)) buffer.uses -= 1;
      if (buffer.uses === 0) free.set(buffer.shape, [...(free.get(buffer.shape) ?? []), buffer]);
    }
  });
  return peakOf(new Set(bufferOf.values()), nodes);
}

type Buffer = {
  readonly bytes: number;
  /** Of the value it was made for: only values of this shape and type take it over. */
  readonly shape: string;
  /** Uses to come of the values in it. */
  uses: number;
  /** Indices of the nodes that need it first and last. */
  readonly first: number;
  last: number;
};

function peakOf(buffers: Iterable<Buffer>, nodes: readonly LiveNode[]): number {
  const change = new Float64Array(nodes.length + 1);
  for (const { bytes, first, last } of buffers) {
    change[first] = (change[first] as number) + bytes;
    change[last + 1] = (change[last + 1] as number) - bytes;
  }
  let [now, peak] = [0, 0];
  nodes.forEach(({ workspaceBytes }, at) => {
    now += change[at] as number;
    peak = Math.max(peak, now + workspaceBytes);
  });
  return peak;
}

/** x * sigmoid(x) becomes one operator when the graph is loaded. */
function fuseSilu(nodes: readonly LiveNode[]): LiveNode[] {
  const sigmoids = new Map(nodes.flatMap((node) => (node.op === 'Sigmoid' ? [[node.outputs[0]?.name, node]] : [])));
  const fused = new Set<LiveNode>();
  const replaced = nodes.map((node) => {
    const [x, gate] = node.inputs;
    const sigmoid = node.op === 'Mul' ? sigmoids.get(gate) : undefined;
    if (!sigmoid || sigmoid.inputs[0] !== x || x === undefined) return node;
    fused.add(sigmoid);
    return { ...node, op: 'QuickGelu', inputs: [x] };
  });
  return replaced.filter((node) => !fused.has(node));
}

/** Depth first from the last result: a node's inputs are computed in descending order of where they were added. */
function inRunOrder(nodes: readonly LiveNode[]): LiveNode[] {
  const producers = new Map<string, number>();
  nodes.forEach(({ outputs }, at) => {
    for (const { name } of outputs) producers.set(name, at);
  });
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const stack: { readonly at: number; readonly leave: boolean }[] = [];
  nodes.forEach(({ outputs }, at) => {
    if (!outputs.some(({ name }) => read.has(name))) stack.push({ at, leave: false });
  });
  const seen = new Set<number>();
  const order: LiveNode[] = [];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { at, leave } = next;
    const node = nodes[at] as LiveNode;
    if (leave) order.push(node);
    if (leave || seen.has(at)) continue;
    seen.add(at);
    stack.push({ at, leave: true });
    const before = new Set(node.inputs.flatMap((name) => producers.get(name) ?? []));
    for (const input of [...before].sort((a, b) => a - b)) stack.push({ at: input, leave: false });
  }
  return order;
}
