import type { Checkpoint } from '#dist/models/checkpoint/checkpoint.js';
import { buildUnetStep, controlInputs, type UnetStepOptions } from '#dist/models/graphs/unet-step.js';
import { byteTensor, floatTensor } from '#dist/models/tensor.js';
import { runGraph } from './run-graph.js';
import { someFloats } from './tensors.js';

/** Two frames of the tiny model, at the smallest size at which no norm divides by next to nothing. */
export const stepSize = { frames: 2, height: 128, width: 64 } as const;

/** A step of the tiny model. */
export function stepOf(unet: Checkpoint, unetConfig: unknown, options: Partial<UnetStepOptions> = {}) {
  const how = { guidance: true, residency: 'low-memory', target: 'cpu' } as const;
  return buildUnetStep({ unet, unetConfig, ...stepSize, ...how, ...options });
}

export const someFloatTensor = (seed: number, ...dims: number[]) =>
  floatTensor(
    dims,
    someFloats(
      dims.reduce((a, b) => a * b),
      seed,
    ),
  );

/** Control pictures of noise. */
export function somePictures(seed: number) {
  const { frames, height, width } = stepSize;
  const values = someFloats(frames * height * width * 3, seed);
  return byteTensor(
    [frames, height, width, 3],
    Uint8Array.from(values, (value) => 128 + 127 * value),
  );
}

/** Inputs of random numbers that every step has. */
export function stepInputs() {
  const { frames } = stepSize;
  return {
    latents: someFloatTensor(1, frames, 4, 16, 8),
    sigma: floatTensor([1], Float32Array.of(2)),
    timestep: floatTensor([1], Float32Array.of(0.25 * Math.log(2))),
    image_latents: someFloatTensor(2, 4, 16, 8),
    image_embeds: someFloatTensor(3, 1, 1, 32),
    added_time_ids: floatTensor([3], Float32Array.of(6, 128, 0.02)),
    guidance: floatTensor([frames], Float32Array.of(1, 3)),
  };
}

/** The prediction of a step of the tiny model for random inputs; every control sees noise of its own. */
export async function predictStep(
  unet: Checkpoint,
  unetConfig: unknown,
  { scales = {}, ...options }: Partial<UnetStepOptions> & { readonly scales?: Readonly<Record<string, number>> } = {},
): Promise<Float32Array> {
  const controls = (options.controls ?? []).flatMap(({ name }) => {
    const inputs = controlInputs(name);
    const scale = floatTensor([1], Float32Array.of(scales[name] ?? 1));
    return [
      [inputs.pictures, somePictures(name.length)],
      [inputs.scale, scale],
    ];
  });
  const graph = stepOf(unet, unetConfig, options);
  const { prediction } = await runGraph(graph, { ...stepInputs(), ...Object.fromEntries(controls) });
  return prediction!.data;
}
