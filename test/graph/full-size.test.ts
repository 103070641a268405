import { expect, test } from 'vitest';
import type { Checkpoint, TensorLocation } from '#dist/models/checkpoint/checkpoint.js';
import { readJsonFile } from '#dist/models/checkpoint/json-file.js';
import { ControlNeXt } from '#dist/models/controlnext/controlnext.js';
import { buildUnetStep } from '#dist/models/graphs/unet-step.js';
import { listParameters, type Module } from '#dist/models/onnx/module.js';
import { unetConfig } from '#dist/models/svd/published-configs.js';
import { UNet } from '#dist/models/svd/unet.js';
import { parseUNetConfig } from '#dist/models/svd/unet-config.js';
import { sizeOf } from '#dist/models/tensor.js';
import { fixture } from '../support/fixtures.js';

type Shapes = Readonly<Record<string, readonly number[]>>;
const publishedShapes = async (name: string) => (await readJsonFile(fixture(`full-size/${name}.json`))) as Shapes;

test.each([
  ['unet', () => new UNet(parseUNetConfig(unetConfig)), 1_524_623_082, 1428],
  ['controlnext', () => new ControlNeXt(320), 3_526_400, 52],
] as const)('%s has the published names and shapes', async (name, create, elements, tensors) => {
  const parameters = listParameters(create() as Module);
  expect(Object.fromEntries(parameters)).toEqual(await publishedShapes(name));
  expect(parameters.size).toBe(tensors);
  expect([...parameters.values()].reduce((sum, shape) => sum + sizeOf(shape), 0)).toBe(elements);
});

/** Where the weights would lie, were they there; the graph is built without reading any. */
function imaginary(file: string, shapes: Shapes): Checkpoint {
  let offset = 0;
  const locate = (shape: readonly number[]): TensorLocation => {
    const byteLength = sizeOf(shape) * 2;
    offset += byteLength;
    return { file, offset: offset - byteLength, byteLength, dtype: 'float16', shape };
  };
  return { tensors: new Map(Object.entries(shapes).map(([name, shape]) => [name, locate(shape)])), sources: [file] };
}

/** Counted by hooks on the published code (multiply-adds, guidance batch 2, 24 frames at 576x1024). */
const published = { convolution: 27_149_079_674_880, linear: 34_655_016_222_720, attention: 14_947_968_614_400 };
const publishedControl = { convolution: 5_468_217_409_536, linear: 4_915_200 };

test('the work of a full-size step is the published count less what is saved', async () => {
  const step = (withControl: boolean) =>
    publishedShapes('unet').then(async (unet) =>
      buildUnetStep({
        unet: imaginary(fixture('full-size/unet.safetensors'), unet),
        unetConfig: unetConfig,
        controls: withControl ? [await publishedPose()] : [],
        ...{ frames: 24, height: 1024, width: 576, guidance: true, residency: 'low-memory', target: 'cpu' },
      }),
    );
  const [plain, controlled] = [(await step(false)).multiplyAdds, (await step(true)).multiplyAdds];
  expect(plain.convolution).toBe(published.convolution);
  // Control features for the conditional half only.
  expect(controlled.convolution - plain.convolution).toBe(publishedControl.convolution / 2);
  // Cross-attention to one token is a constant: its q and output products over every pixel, and q k^T, are gone.
  const saved = published.linear + published.attention - plain.linear - plain.attention;
  const share = saved / (published.convolution + published.linear + published.attention);
  expect(share).toBeGreaterThan(0.03);
  expect(share).toBeLessThan(0.04);
});

async function publishedPose() {
  const file = fixture('full-size/controlnext.safetensors');
  return { name: 'pose', network: imaginary(file, await publishedShapes('controlnext')) };
}

test('the full-size step graph of 24 frames at 576x1024', async () => {
  const graph = buildUnetStep({
    unet: imaginary(fixture('full-size/unet.safetensors'), await publishedShapes('unet')),
    unetConfig: unetConfig,
    controls: [await publishedPose()],
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
