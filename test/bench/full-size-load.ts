/**
 * SVD-XT with ControlNeXt at full size, from sparse files: every graph is built, loaded into the engine and run once on small
 * pictures; what that takes is compared with what was predicted. All weights are zero, which the processor does not mind.
 *
 *     npm run build && node test/bench/run.mjs full-size-load [--type F16|F32] [--residency low-memory|fast]...
 *         [--frames N] [--size PIXELS] [--filled] [--network step|vae-encode|vae-decode|image-encoder]... [--threads N]
 *
 * One JSON object a graph on stdout. `fast` needs about 11 GB of memory, and the runtime shares its packed copies of weights that
 * are the same, as zeros are: `--filled` writes different ones, gigabytes of them. Only where there is /proc.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { buildImageEncoder } from '#dist/models/graphs/image-encoder.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import { buildVaeEncode } from '#dist/models/graphs/vae-encode.js';
import type { BuiltGraph, Residency } from '#dist/models/onnx/built-graph.js';
import { emptyEngine, graphMemory } from '#dist/models/runtime/memory.js';
import { measureGraph } from '../support/engine-memory.js';
import { type SparseType, writeSparseModel } from '../support/sparse-model.js';

const { values } = parseArgs({
  options: {
    type: { type: 'string', default: 'F16' },
    residency: { type: 'string', multiple: true, default: ['low-memory'] },
    network: { type: 'string', multiple: true, default: ['step', 'vae-encode', 'vae-decode', 'image-encoder'] },
    frames: { type: 'string', default: '8' },
    size: { type: 'string', default: '256' },
    filled: { type: 'boolean', default: false },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [frames, side] = [Number(values.frames), Number(values.size)];
const megabytes = (bytes: number) => Math.round(bytes / 1e6);

const folder = await mkdtemp(join(tmpdir(), 'pantomime-full-size-'));
try {
  await writeSparseModel(folder, values.type as SparseType, values.filled);
  const model = await openModelFolder(folder);
  const makers: Record<string, (residency: Residency) => BuiltGraph> = {
    step: (residency) =>
      buildUnetStep({
        ...{ unet: model.unet.checkpoint, unetConfig: model.unet.config },
        ...(model.controlnext && { controls: [{ name: 'pose', network: model.controlnext }] }),
        ...{ frames, height: side, width: side, guidance: true, residency, target: 'cpu' },
      }),
    'vae-encode': (residency) => buildVaeEncode({ ...model.vae, height: side, width: side, residency, target: 'cpu' }),
    'vae-decode': (residency) =>
      buildVaeDecode({
        ...model.vae,
        frames: Math.min(frames, 4),
        height: side,
        width: side,
        residency,
        target: 'cpu',
      }),
    'image-encoder': (residency) => buildImageEncoder({ ...model.imageEncoder, residency, target: 'cpu' }),
  };
  for (const residency of values.residency as Residency[]) {
    for (const network of values.network) {
      const begun = performance.now();
      const graph = makers[network]?.(residency);
      if (!graph) throw new RangeError(`there is no network called ${network}`);
      const buildMs = Math.round(performance.now() - begun);
      const { load, run, loadMs, runMs } = await measureGraph(graph, Number(values.threads));
      const { ownBytes } = graphMemory(graph);
      const line = {
        ...{ network, type: values.type, residency, frames, side, weightsMB: megabytes(graph.weightBytes) },
        ...{ modelMB: graph.model.length / 1e6, buildMs, loadMs: Math.round(loadMs), runMs: Math.round(runMs) },
        loadMB: { own: megabytes(load.anonymous), filePages: megabytes(load.file) },
        runMB: { own: megabytes(run.anonymous), filePages: megabytes(run.file) },
        predictedMB: megabytes(emptyEngine.ownBytes + ownBytes),
      };
      console.log(JSON.stringify(line));
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
