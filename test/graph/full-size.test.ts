import { expect, test } from 'vitest';
import { ControlNeXt } from '#dist/models/controlnext/controlnext.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { listParameters, type Module } from '#dist/models/onnx/module.js';
import { unetConfig } from '#dist/models/svd/published-configs.js';
import { UNet } from '#dist/models/svd/unet.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { sizeOf } from '#dist/models/tensor.js';
import { imaginary } from '../support/imaginary-checkpoint.js';
import { publishedShapes } from '../support/sparse-model.js';

test.each([
  ['unet', () => new UNet(parseUNetConfig(unetConfig)), 1_524_623_082, 1428],
  ['controlnext', () => new ControlNeXt(320), 3_526_400, 52],
] as const)('%s has the published names and shapes', async (name, create, elements, tensors) => {
  const parameters = listParameters(create() as Module);
  expect(Object.fromEntries(parameters)).toEqual(await publishedShapes(name));
  expect(parameters.size).toBe(tensors);
  expect([...parameters.values()].reduce((sum, shape) => sum + sizeOf(shape), 0)).toBe(elements);
});

test('the full-size step graph of 24 frames at 576x1024', async () => {
  const graph = buildUnetStep({
    unet: await imaginary('unet'),
    unetConfig: unetConfig,
    controls: [{ name: 'pose', network: await imaginary('controlnext') }],
    frames: 24,
    height: 1024,
    width: 576,
    guidance: true,
    residency: 'low-memory',
    target: 'cpu',
  });
  const ports = Object.fromEntries(graph.inputs.map(({ name, dtype, dims }) => [name, `${dtype} ${dims.join('x')}`]));
  expect(ports).toEqual({
    latents: 'float32 24x4x128x72',
    sigma: 'float32 1',
    timestep: 'float32 1',
    image_latents: 'float32 4x128x72',
    image_embeds: 'float32 1x1x1024',
    added_time_ids: 'float32 3',
    control: 'uint8 24x1024x576x3',
    control_scale: 'float32 1',
    guidance: 'float32 24',
  });
  expect(graph.outputs).toEqual([{ name: 'prediction', dtype: 'float32', dims: [24, 4, 128, 72] }]);
  // Queries and keys of the 32 cross-attentions to one token are left out.
  expect(graph.weightBytes).toBeGreaterThan(2.8e9);
  expect(graph.weightBytes).toBeLessThan((1_524_623_082 + 3_526_400) * 2);
  expect(graph.model.length).toBeLessThan(3e6);
});
