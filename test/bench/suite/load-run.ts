import type { BuiltGraph, GraphPort } from '#dist/models/onnx/built-graph.js';
import { createRandom } from '#dist/models/random.js';
import type { Engine, LoadOptions } from '#dist/models/runtime/engine.js';
import { byteTensor, floatTensor, sizeOf, type Tensor } from '#dist/models/tensor.js';

/** A graph in an engine, with inputs that lie there already: a run sends nothing but its name. */
export type LoadedRun = {
  readonly graph: BuiltGraph;
  readonly run: () => Promise<Record<string, Tensor>>;
  readonly release: () => Promise<void>;
};

let loaded = 0;

/** Loads a graph with made-up inputs. */
export async function loadRun(engine: Engine, graph: BuiltGraph, options: LoadOptions = {}): Promise<LoadedRun> {
  const session = await engine.load(graph, options);
  const name = `run${loaded++}`;
  const inputs = Object.fromEntries(graph.inputs.map((port) => [port.name, { ref: `${name}.${port.name}` }]));
  for (const [port, tensor] of Object.entries(madeUpInputs(graph.inputs))) {
    await engine.define(`${name}.${port}`, tensor);
  }
  return {
    graph,
    run: () => engine.run(session, inputs),
    release: async () => {
      for (const { ref } of Object.values(inputs)) await engine.forget(ref);
      await engine.release(session);
    },
  };
}

/** Inputs whose values have a meaning: a noise level in the middle of a schedule. */
const known: Readonly<Record<string, readonly number[]>> = {
  sigma: [2],
  timestep: [0.25 * Math.log(2)],
  added_time_ids: [6, 128, 0.02],
  control_scale: [1],
};

/** The same numbers for the same ports: floats in -1..1, bytes in 0..255. */
export function madeUpInputs(ports: readonly GraphPort[]): Record<string, Tensor> {
  return Object.fromEntries(
    ports.map(({ name, dtype, dims }) => {
      const given = known[name];
      if (given) return [name, floatTensor(dims, Float32Array.from(given))];
      const values = createRandom('bench', name).uniforms(0, sizeOf(dims));
      if (dtype === 'uint8')
        return [
          name,
          byteTensor(
            dims,
            Uint8Array.from(values, (u) => u * 256),
          ),
        ];
      if (dtype !== 'float32') throw new Error(`no made-up values for ${name}, ${dtype}`);
      return [
        name,
        floatTensor(
          dims,
          Float32Array.from(values, (u) => 2 * u - 1),
        ),
      ];
    }),
  );
}
