import { beforeAll, expect, test } from 'vitest';
import { ControlNeXt } from '#dist/models/controlnext/controlnext.js';
import { buildControlNeXt } from '#dist/models/graphs/controlnext.js';
import { Graph } from '#dist/models/onnx/graph.js';
import { reshape } from '#dist/models/onnx/ops.js';
import { byteTensor } from '#dist/models/tensor.js';
import { fixture, networkTolerance, openTinyModel, type TinyModel } from '../support/fixtures.js';
import { openGraph, relativeL2, runGraph } from '../support/run-graph.js';
import { openFixture } from '../support/tensors.js';

let model: TinyModel;
beforeAll(async () => {
  model = await openTinyModel();
});

const settings = { channels: 32, residency: 'fast', target: 'cpu' } as const;

test.each([
  ['controlnext_a', 3],
  ['controlnext_b', 1],
  ['controlnext_c', 1],
] as const)('%s', async (name, outputs) => {
  const file = await openFixture(fixture(`modules/${name}.safetensors`));
  const pictures = await file.bytes('pose_u8');
  const [batch, perBatch, height, width] = pictures.dims as [number, number, number, number];
  const frames = batch * perBatch;
  const control = byteTensor([frames, height, width, 3], pictures.data);
  await using graph = await openGraph(
    buildControlNeXt({ controlnext: model.controlnext, frames, height, width, ...settings }),
  );
  for (let i = 0; i < outputs; i++) {
    const { features } = await graph.run({ control, timestep: await file.floats(`timestep_${i}`) });
    const expected = await file.floats(`output_${i}`);
    expect(features!.dims).toEqual(expected.dims);
    expect(relativeL2(features!.data, expected.data)).toBeLessThan(networkTolerance);
  }
});

test('every traced module agrees', async () => {
  const file = await openFixture(fixture('modules/controlnext_trace.safetensors'));
  const graph = new Graph({ name: 'trace', ...settings });
  const network = new ControlNeXt(32);
  graph.bind(network, model.controlnext, 'controlnext');
  const pose = graph.input('pose', 'float32', [1, 1, 3, 64, 64]);
  network.forward(reshape(pose, [1, 3, 64, 64]), graph.input('timestep', 'float32', [1]));
  const names = ['time_embedding', 'down_sample.0', 'down_sample.1', 'mid_convs.1'];
  for (const name of names) graph.output(name, graph.tapped(`controlnext.${name}`));
  const results = await runGraph(graph.finish(), {
    pose: await file.floats('pose'),
    timestep: await file.floats('timestep'),
  });
  for (const name of names) {
    expect(relativeL2(results[name]!.data, (await file.floats(name)).data), name).toBeLessThan(networkTolerance);
  }
});

test('padding 1, as in the training code, keeps an eighth of the picture and changes the result', async () => {
  const file = await openFixture(fixture('modules/controlnext_c.safetensors'));
  const pictures = await file.bytes('pose_u8');
  const control = byteTensor([2, 128, 64, 3], pictures.data);
  const size = { frames: 2, height: 128, width: 64 };
  const built = buildControlNeXt({ controlnext: model.controlnext, padding: 1, ...size, ...settings });
  expect(built.outputs).toEqual([{ name: 'features', dtype: 'float32', dims: [2, 32, 16, 8] }]);
  const { features } = await runGraph(built, { control, timestep: await file.floats('timestep_0') });
  expect(features!.data.every(Number.isFinite)).toBe(true);
});
