import type { BuiltGraph } from '../models/onnx/built-graph.js';
import type { Engine, RunInput } from '../models/runtime/engine.js';
import type { FloatTensor } from '../models/tensor.js';

/** Loads a graph, runs it once and frees it: for networks that are needed a single time. Outputs are float32. */
export async function runOnce(
  engine: Engine,
  graph: BuiltGraph,
  inputs: Readonly<Record<string, RunInput>>,
  signal?: AbortSignal,
): Promise<Record<string, FloatTensor>> {
  const session = await engine.load(graph);
  try {
    return (await engine.run(session, inputs, { signal })) as Record<string, FloatTensor>;
  } finally {
    await engine.release(session).catch(() => {});
  }
}
