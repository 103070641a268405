import * as ort from 'onnxruntime-node';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import type { DType, FloatTensor, Tensor } from '#dist/models/tensor.js';

export type Feeds = Readonly<Record<string, Tensor>>;
export type OpenGraph = AsyncDisposable & { run(feeds: Feeds): Promise<Record<string, FloatTensor>> };

/** Opens a built graph on the CPU, in this process. */
export async function openGraph(graph: BuiltGraph): Promise<OpenGraph> {
  const session = await ort.InferenceSession.create(graph.model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { model_external_initializers_file_folder_path: graph.weightsRoot } },
  });
  return {
    async run(feeds) {
      const inputs = Object.entries(feeds).map(
        ([name, { dtype, dims, data }]) =>
          [name, new ort.Tensor(dtype as 'float32', data as Float32Array, dims)] as const,
      );
      const results = await session.run(Object.fromEntries(inputs));
      const outputs = Object.entries(results).map(
        ([name, { type, dims, data }]) => [name, { dtype: type as DType, dims, data: data as Float32Array }] as const,
      );
      return Object.fromEntries(outputs);
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** Runs a built graph once and returns its outputs by name. */
export async function runGraph(graph: BuiltGraph, feeds: Feeds): Promise<Record<string, FloatTensor>> {
  await using session = await openGraph(graph);
  return await session.run(feeds);
}

/** ||a - b|| / ||b||, summed in double precision. */
export function relativeL2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}
