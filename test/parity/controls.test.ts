import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Checkpoint, overlayCheckpoint } from '#dist/models/checkpoint/checkpoint.js';
import { readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { injectControls } from '#dist/models/controlnext/inject.js';
import { buildControlNeXt } from '#dist/models/graphs/controlnext.js';
import { Graph } from '#dist/models/onnx/graph.js';
import type { FloatTensor } from '#dist/models/tensor.js';
import { networkTolerance, openTinyModel, type TinyModel } from '../support/fixtures.js';
import { relativeL2, runGraph } from '../support/run-graph.js';
import { predictStep, someFloatTensor, somePictures, stepInputs, stepOf, stepSize } from '../support/steps.js';

let folder: string;
let model: TinyModel;
/** Another network than that for poses: other weights in the first and the last layer. */
let depth: Checkpoint;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-controls-'));
  model = await openTinyModel();
  depth = overlayCheckpoint(model.controlnext, await reversed(model.controlnext));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function reversed({ tensors }: Checkpoint): Promise<Checkpoint> {
  const names = ['embedding.0.weight', 'mid_convs.1.weight'];
  const entries = names.map(async (name) => {
    const { dims, data } = await readTensor(tensors.get(name)!);
    return { name, dtype: 'float32' as const, shape: dims, data: data.toReversed() };
  });
  const path = join(folder, 'depth.safetensors');
  await writeSafetensors(path, await Promise.all(entries));
  return openSafetensors(path);
}

const predict = (options: Parameters<typeof predictStep>[2]) => predictStep(model.unet, model.unetConfig, options);

/** h + 0.2 (s1 c1'' + s2 c2'' + ...), each frame on its own, in float64; as reference/README.md of the published data writes it. */
function byHand(h: FloatTensor, controls: readonly { readonly features: FloatTensor; readonly scale: number }[]) {
  const [frames = 0, channels = 0, rows = 0, columns = 0] = h.dims;
  const size = channels * rows * columns;
  const out = Float64Array.from(h.data);
  for (let frame = 0; frame < frames; frame++) {
    const state = meanAndDeviation(h.data.subarray(frame * size, (frame + 1) * size));
    for (const { features, scale } of controls) {
      const [, , height = 0, width = 0] = features.dims;
      const area = height * width;
      const own = features.data.subarray(frame * channels * area, (frame + 1) * channels * area);
      const { mean, deviation } = meanAndDeviation(own);
      const normal = Float64Array.from(own, (c) => (c - mean) * (state.deviation / (deviation + 1e-5)) + state.mean);
      for (let c = 0; c < channels; c++)
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++) {
            const [top, bottom] = cell(row, rows, height);
            const [left, right] = cell(column, columns, width);
            let sum = 0;
            for (let y = top; y < bottom; y++)
              for (let x = left; x < right; x++) sum += normal[c * area + y * width + x]!;
            const at = frame * size + (c * rows + row) * columns + column;
            out[at] = out[at]! + (0.2 * scale * sum) / ((bottom - top) * (right - left));
          }
    }
  }
  return out;
}

const cell = (i: number, outputs: number, inputs: number) =>
  [Math.floor((i * inputs) / outputs), Math.ceil(((i + 1) * inputs) / outputs)] as const;

function meanAndDeviation(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, deviation: Math.sqrt(variance) };
}

test('two modules are added to the state, each normalised by it, as computed by hand from what they give', async () => {
  const { timestep } = stepInputs();
  const how = { ...stepSize, channels: 32, residency: 'fast', target: 'cpu' } as const;
  const featuresOf = async (controlnext: Checkpoint, seed: number) => {
    const inputs = { control: somePictures(seed), timestep };
    return (await runGraph(buildControlNeXt({ ...how, controlnext }), inputs)).features!;
  };
  const controls = [
    { features: await featuresOf(model.controlnext, 1), scale: 0.8 },
    { features: await featuresOf(depth, 2), scale: 2.5 },
  ];
  expect(relativeL2(controls[0]!.features.data, controls[1]!.features.data)).toBeGreaterThan(0.5);
  const state = someFloatTensor(5, stepSize.frames, 32, 8, 4);

  const inject = async (order: readonly number[]) => {
    const graph = new Graph({ name: 'inject', residency: 'fast', target: 'cpu' });
    const h = graph.input('h', 'float32', state.dims);
    const inputs = controls.map(({ features }, i) => ({
      features: graph.input(`features${i}`, 'float32', features.dims),
      scale: graph.input(`scale${i}`, 'float32', [1]),
    }));
    graph.output(
      'out',
      injectControls(
        h,
        order.map((i) => inputs[i]!),
      ),
    );
    const feeds = controls.flatMap(({ features, scale }, i) => [
      [`features${i}`, features],
      [`scale${i}`, { dtype: 'float32', dims: [1], data: Float32Array.of(scale) }],
    ]);
    return (await runGraph(graph.finish(), { h: state, ...Object.fromEntries(feeds) })).out!.data;
  };
  const expected = byHand(state, controls);
  expect(relativeL2(await inject([0, 1]), expected)).toBeLessThan(1e-6);
  expect(relativeL2(await inject([1, 0]), expected)).toBeLessThan(1e-6);
  // Not the same as normalising the second by the state that the first has changed already.
  const first = Float32Array.from(byHand(state, controls.slice(0, 1)));
  expect(relativeL2(byHand({ ...state, data: first }, controls.slice(1)), expected)).toBeGreaterThan(1e-3);
});

test('a step with two modules: the order is a matter of rounding, each has an effect', async () => {
  const [pose, other] = [
    { name: 'pose', network: model.controlnext },
    { name: 'depth', network: depth },
  ] as const;
  const scales = { pose: 1, depth: 0.5 };
  const both = await predict({ controls: [pose, other], scales });
  expect(relativeL2(await predict({ controls: [other, pose], scales }), both)).toBeLessThan(networkTolerance);
  expect(relativeL2(await predict({ controls: [pose], scales }), both)).toBeGreaterThan(0.002);
  expect(relativeL2(await predict({ controls: [other], scales }), both)).toBeGreaterThan(0.002);
});

test('a module brings inputs, work and weights of its own', () => {
  const step = (names: readonly string[]) =>
    stepOf(model.unet, model.unetConfig, { controls: names.map((name) => ({ name, network: model.controlnext })) });
  const [none, one, two] = [step([]), step(['pose']), step(['pose', 'depth'])];
  expect(two.inputs.map(({ name }) => name)).toEqual([
    ...one.inputs.map(({ name }) => name).filter((name) => name !== 'guidance'),
    ...['control.depth', 'control_scale.depth', 'guidance'],
  ]);
  const added = (kind: 'convolution' | 'linear') => [
    one.multiplyAdds[kind] - none.multiplyAdds[kind],
    two.multiplyAdds[kind] - one.multiplyAdds[kind],
  ];
  for (const kind of ['convolution', 'linear'] as const) {
    const [first, second] = added(kind);
    expect(first).toBeGreaterThan(0);
    expect(second).toBe(first);
  }
  expect(two.weightBytes - one.weightBytes).toBe(one.weightBytes - none.weightBytes);
});
