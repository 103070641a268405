import { beforeAll, describe, expect, test } from 'vitest';
import { buildControlNeXt } from '#dist/models/graphs/controlnext.js';
import { buildUnetStep, type UnetStepOptions } from '#dist/models/graphs/unet-step.js';
import { floatTensor } from '#dist/models/tensor.js';
import { fixture, networkTolerance, openTinyModel, type TinyModel } from '../support/fixtures.js';
import { type Feeds, openGraph, relativeL2, runGraph } from '../support/run-graph.js';
import { openFixture } from '../support/tensors.js';

/*
 * The published pipeline's own predictions of every step: 8 frames of 64x128, four steps, guidance 3, overlaid UNet.
 */

type Fixture = Awaited<ReturnType<typeof openFixture>>;

let model: TinyModel;
let inputs: Fixture;
let run: Fixture;
beforeAll(async () => {
  model = await openTinyModel();
  inputs = await openFixture(fixture('e2e/in_a.safetensors'));
  run = await openFixture(fixture('e2e/a_8f_g3.safetensors'));
});

const options = (): UnetStepOptions => ({
  unet: model.overlaidUnet,
  unetConfig: model.unetConfig,
  controls: [{ name: 'pose', network: model.controlnext }],
  frames: 8,
  height: 128,
  width: 64,
  guidance: true,
  residency: 'fast',
  target: 'cpu',
});

/** Everything but `latents`, `sigma` and `timestep`; conditional rows follow the unconditional ones in the file. */
async function fixedInputs(): Promise<Record<string, Feeds[string]>> {
  const second = (data: Float32Array) => data.slice(data.length / 2);
  return {
    image_latents: floatTensor([4, 16, 8], second((await run.floats('image_latents')).data)),
    image_embeds: floatTensor([1, 1, 32], second((await run.floats('image_embeddings')).data)),
    added_time_ids: floatTensor([3], second((await run.floats('added_time_ids')).data)),
    control: await inputs.bytes('pose_frames'),
    control_scale: floatTensor([1], Float32Array.of(1)),
    guidance: await run.floats('guidance_per_frame'),
  };
}

async function stepInputs(step: number): Promise<Record<string, Feeds[string]>> {
  const unit = (await inputs.floats('init_latents')).data;
  const latents =
    step === 0
      ? unit.map((z) => z * Math.fround(700.000732421875))
      : (await run.floats(`latents_step_${step - 1}`)).data;
  return {
    latents: floatTensor([8, 4, 16, 8], latents),
    sigma: floatTensor([1], (await run.floats('sigmas')).data.slice(step, step + 1)),
    timestep: floatTensor([1], (await run.floats('timesteps')).data.slice(step, step + 1)),
  };
}

describe.each(['fast', 'low-memory'] as const)('%s', (residency) => {
  test('predictions of all four steps', async () => {
    await using graph = await openGraph(buildUnetStep({ ...options(), residency, trace: true }));
    const fixed = await fixedInputs();
    for (let step = 0; step < 4; step++) {
      const results = await graph.run({ ...fixed, ...(await stepInputs(step)) });
      for (const [ours, theirs] of [
        ['prediction_uncond', 'pred_uncond'],
        ['prediction_cond', 'pred_cond'],
        ['prediction', 'guided_pred'],
      ] as const) {
        const error = relativeL2(results[ours]!.data, (await run.floats(`step${step}_${theirs}`)).data);
        expect(error, `${ours} of step ${step}`).toBeLessThan(networkTolerance);
      }
    }
  });
});

test('without guidance: the conditional branch alone', async () => {
  const built = buildUnetStep({ ...options(), guidance: false });
  expect(built.inputs.map(({ name }) => name)).not.toContain('guidance');
  await using graph = await openGraph(built);
  const { guidance: _, ...fixed } = await fixedInputs();
  const { prediction } = await graph.run({ ...fixed, ...(await stepInputs(1)) });
  expect(relativeL2(prediction!.data, (await run.floats('step1_pred_cond')).data)).toBeLessThan(networkTolerance);
});

test('without control: as with a control scale of zero', async () => {
  await using controlled = await openGraph(buildUnetStep(options()));
  const plainGraph = buildUnetStep({ ...options(), controls: [] });
  expect(plainGraph.inputs.map(({ name }) => name)).not.toContain('control');
  await using plain = await openGraph(plainGraph);
  const { control, control_scale: _, ...fixed } = { ...(await fixedInputs()), ...(await stepInputs(2)) };
  const silent = await controlled.run({ ...fixed, control: control!, control_scale: floatTensor([1]) });
  const none = await plain.run(fixed);
  expect(relativeL2(none.prediction!.data, silent.prediction!.data)).toBeLessThan(networkTolerance);
  // The unconditional branch never sees the control; with it the prediction is another one.
  expect(relativeL2(none.prediction!.data, (await run.floats('step2_guided_pred')).data)).toBeGreaterThan(0.01);
});

test('control features may be given instead of pictures', async () => {
  const { timestep, ...noise } = await stepInputs(1);
  const { control, ...fixed } = await fixedInputs();
  const { frames, height, width, residency, target } = options();
  const { controlnext } = model;
  const network = { controlnext, channels: 32, frames, height, width, residency, target };
  const { features } = await runGraph(buildControlNeXt(network), { control: control!, timestep: timestep! });
  const controls = [{ name: 'pose', network: controlnext, givenFeatures: true }];
  const built = buildUnetStep({ ...options(), controls });
  expect(built.inputs.map(({ name }) => name)).not.toContain('control');
  const inputs = { ...fixed, ...noise, timestep: timestep!, control_features: features! };
  const { prediction } = await runGraph(built, inputs);
  expect(relativeL2(prediction!.data, (await run.floats('step1_guided_pred')).data)).toBeLessThan(networkTolerance);
});

test.each([
  [{ height: 96 }, 'model.size'],
  [{ width: 0 }, 'model.size'],
  [{ frames: 1.5 }, 'model.size'],
  [{ unetConfig: { _class_name: 'UNet2DConditionModel' } }, 'model.unet-config'],
] as const)('%o is refused', (change, code) => {
  expect(() => buildUnetStep({ ...options(), ...change })).toThrow(expect.objectContaining({ code }));
});
