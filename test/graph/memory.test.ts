import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import type { BuiltGraph, Residency } from '#dist/models/onnx/built-graph.js';
import { emptyEngine, graphMemory } from '#dist/models/runtime/memory.js';
import { modelDirOf } from '#dist/pipeline/embedded-model.js';
import { measureGraph } from '../support/engine-memory.js';
import { fixture } from '../support/fixtures.js';

/** Predicted memory may be off by this much of the measured; docs/memory.md has the figures. */
const bound = 0.35;

type Kind = 'step' | 'half step' | 'step with attention in parts' | 'decode';

async function build(
  model: string,
  kind: Kind,
  residency: Residency,
  size: [number, number, number],
): Promise<BuiltGraph> {
  const opened = await openModelFolder(model === 'embedded' ? modelDirOf(model) : fixture('model'));
  const [frames, height, width] = size;
  // The engine computes on the CPU whatever the graph is meant for.
  const parts = kind === 'step with attention in parts';
  const how = { frames, height, width, residency, target: parts ? 'webgpu' : 'cpu' } as const;
  if (kind === 'decode') return buildVaeDecode({ ...how, ...opened.vae });
  return buildUnetStep({
    ...{ ...how, unet: opened.unet.checkpoint, unetConfig: opened.unet.config },
    ...(opened.controlnext && { controls: [{ name: 'pose', network: opened.controlnext }] }),
    ...{ guidance: kind !== 'half step', pixelsPerLatent: model === 'embedded' ? 4 : 8 },
    ...(parts && { attentionParts: 8 }),
  });
}

it.skipIf(!existsSync('/proc/self/status')).each([
  ['embedded', 'step', 'fast', [8, 128, 128]],
  ['embedded', 'step', 'low-memory', [8, 128, 128]],
  ['embedded', 'half step', 'low-memory', [8, 128, 128]],
  ['embedded', 'step with attention in parts', 'low-memory', [2, 128, 128]],
  ['embedded', 'decode', 'low-memory', [4, 128, 128]],
  ['embedded', 'decode', 'fast', [1, 128, 192]],
  ['tiny', 'step', 'low-memory', [8, 128, 64]],
] as const)('%s %s, %s: the engine takes what is predicted', async (model, kind, residency, size) => {
  const graph = await build(model, kind, residency, [...size]);
  const { run, load } = await measureGraph(graph);
  const measured = Math.max(run.anonymous, load.anonymous);
  const predicted = emptyEngine.ownBytes + graphMemory({ ...graph, target: 'cpu' }).ownBytes;
  expect(predicted / measured).toBeGreaterThan(1 - bound);
  expect(predicted / measured).toBeLessThan(1 + bound);
});

it('shapes that come back cost nothing in between', async () => {
  const graph = await build('embedded', 'step', 'low-memory', [16, 192, 128]);
  // 709 MB were measured when every feed-forward layer had the shape of its tokens.
  expect(graph.peakActivationBytes).toBeLessThan(360 * 2 ** 20);
});
