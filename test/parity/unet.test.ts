import { beforeAll, describe, expect, test } from 'vitest';
import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { buildUnet, type UnetOptions } from '#dist/models/graphs/unet.js';
import { floatTensor } from '#dist/models/tensor.js';
import { fixture, networkTolerance, openTinyModel, type TinyModel } from '../support/fixtures.js';
import { openGraph, relativeL2 } from '../support/run-graph.js';
import { openFixture } from '../support/tensors.js';

type Fixture = Awaited<ReturnType<typeof openFixture>>;

let model: TinyModel;
beforeAll(async () => {
  model = await openTinyModel();
});

const cpu = { residency: 'fast', target: 'cpu' } as const;

async function openUnet(file: Fixture, unet: Checkpoint, withControl: boolean, options: Partial<UnetOptions> = {}) {
  const sample = await file.floats('sample');
  const [batch, frames, , latentHeight, latentWidth] = sample.dims as [number, number, number, number, number];
  const control = await file.floats('control');
  const graph = await openGraph(
    buildUnet({
      unet,
      unetConfig: model.unetConfig,
      batch,
      frames,
      latentHeight,
      latentWidth,
      features: withControl ? (control.dims as [number, number, number, number]) : undefined,
      ...cpu,
      ...options,
    }),
  );
  const feeds = {
    sample,
    timestep: await file.floats('timestep'),
    encoder_hidden_states: await file.floats('encoder_hidden_states'),
    added_time_ids: await file.floats('added_time_ids'),
  };
  return {
    run: (scales: Float32Array | undefined) =>
      graph.run({ ...feeds, ...(scales && { control, control_scale: floatTensor([batch * frames], scales) }) }),
    [Symbol.asyncDispose]: () => graph[Symbol.asyncDispose](),
  };
}

/** Distance of the network's output from a stored one. */
async function distance(
  unet: Awaited<ReturnType<typeof openUnet>>,
  scales: Float32Array | undefined,
  file: Fixture,
  name: string,
) {
  const { out } = await unet.run(scales);
  const expected = await file.floats(name);
  expect(out!.dims).toEqual(expected.dims);
  return relativeL2(out!.data, expected.data);
}

describe.each(['unet_a', 'unet_b', 'unet_c'])('%s', (name) => {
  test('with control: per sample, for all, for none', async () => {
    const file = await openFixture(fixture(`modules/${name}.safetensors`));
    const scales = (await file.floats('control_scale')).data;
    await using unet = await openUnet(file, model.unet, true);
    expect(await distance(unet, scales, file, 'out_control')).toBeLessThan(networkTolerance);
    expect(
      await distance(
        unet,
        scales.map(() => 1),
        file,
        'out_control_scale1',
      ),
    ).toBeLessThan(networkTolerance);
    expect(
      await distance(
        unet,
        scales.map(() => 0),
        file,
        'out_plain',
      ),
    ).toBeLessThan(networkTolerance);
  });

  test('with weights laid over the base', async () => {
    const file = await openFixture(fixture(`modules/${name}.safetensors`));
    const scales = (await file.floats('control_scale')).data;
    await using unet = await openUnet(file, model.overlaidUnet, true);
    expect(await distance(unet, scales, file, 'overlay_out_control')).toBeLessThan(networkTolerance);
    expect(
      await distance(
        unet,
        scales.map(() => 0),
        file,
        'overlay_out_plain',
      ),
    ).toBeLessThan(networkTolerance);
  });
});

test('unet_b without control', async () => {
  const file = await openFixture(fixture('modules/unet_b.safetensors'));
  await using unet = await openUnet(file, model.unet, false);
  expect(await distance(unet, undefined, file, 'out_plain')).toBeLessThan(networkTolerance);
});

test.each([
  { ...cpu, residency: 'low-memory' },
  { ...cpu, target: 'cuda' },
  { ...cpu, target: 'webgpu' },
] as const)('unet_b built for $target, $residency', async (options) => {
  const file = await openFixture(fixture('modules/unet_b.safetensors'));
  const scales = (await file.floats('control_scale')).data;
  await using unet = await openUnet(file, model.unet, true, options);
  expect(await distance(unet, scales, file, 'out_control')).toBeLessThan(networkTolerance);
});

test('every traced module agrees', async () => {
  const file = await openFixture(fixture('modules/unet_trace.safetensors'));
  const inputs = ['sample', 'encoder_hidden_states', 'added_time_ids', 'timestep', 'control', 'output'];
  // Not results of modules here: sinusoids, the input of a block, and a sum that the blend makes unnecessary.
  const others = [
    'time_proj',
    'add_time_proj',
    'down_blocks.1.input_hidden_states',
    'down_blocks.0.resnets.0.temporal_res_block',
  ];
  const names = file.names.filter((name) => !inputs.includes(name) && !others.includes(name));
  expect(names).toHaveLength(30);
  await using unet = await openUnet(file, model.unet, true, { taps: names.map((name) => `unet.${name}`) });
  const results = await unet.run(Float32Array.of(1, 1));
  for (const name of names) {
    const expected = (await file.floats(name)).data;
    const { data } = results[`unet.${name}`]!;
    // Cross-attention to one token is computed once and broadcast.
    const all = name.endsWith('attn2') ? expected.map((_, i) => data[i % data.length]!) : data;
    expect(relativeL2(all, expected), name).toBeLessThan(networkTolerance);
  }
});
