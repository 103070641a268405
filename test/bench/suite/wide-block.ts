import { join } from 'node:path';
import { SpatioTemporalTransformer } from '#dist/models/blocks/spatio-temporal-transformer.js';
import { SpatioTemporalResnet } from '#dist/models/blocks/temporal-resnet.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import type { BuiltGraph } from '#dist/models/onnx/built-graph.js';
import { Graph } from '#dist/models/onnx/graph.js';
import { listParameters, Module } from '#dist/models/onnx/module.js';
import { reduceMean } from '#dist/models/onnx/ops.js';
import { writeFormulaWeights } from '#dist/pipeline/parity/formula-weights.js';

const [channels, heads, contextWidth, embedding] = [320, 5, 1024, 1280];
const [batch, frames, side] = [2, 8, 32];

/** A layer of SVD-XT's first level: residual block and transformer, over pixels and over time. */
class WideBlock extends Module {
  readonly resnet = new SpatioTemporalResnet({ inputs: channels, outputs: channels, eps: 1e-6, embedding });
  readonly attention = new SpatioTemporalTransformer({ channels, heads, layers: 1, contextWidth });
}

/** Eight frames of 32x32 latents in both branches of the guidance; of the result only means come back from the engine. */
export async function wideBlockGraph(folder: string): Promise<BuiltGraph> {
  const block = new WideBlock();
  const file = join(folder, 'wide-block.safetensors');
  await writeFormulaWeights(file, listParameters(block), 'bench-', () => {});
  const graph = new Graph({ name: 'wide-block', residency: 'fast', target: 'cpu' });
  graph.bind(block, await openSafetensors(file), 'block');
  const x = graph.input('x', 'float32', [batch * frames, channels, side, side]);
  const time = graph.input('embedding', 'float32', [1, embedding]);
  const context = graph.input('context', 'float32', [batch, 1, contextWidth]);
  const h = block.attention.forward(block.resnet.forward(x, frames, time), frames, context);
  graph.output('means', reduceMean(h, [2, 3]));
  return graph.finish();
}
