import { open } from 'node:fs/promises';
import type { Checkpoint } from '../models/checkpoint/checkpoint.js';
import { featureSide } from '../models/controlnext/controlnext.js';
import { buildControlNeXt } from '../models/graphs/controlnext.js';
import type { BuiltGraph, Residency, Target } from '../models/onnx/built-graph.js';
import type { Precision } from '../models/onnx/graph.js';
import { requireNumbers } from '../models/require-numbers.js';
import type { Engine } from '../models/runtime/engine.js';
import { parseUNetConfig } from '../models/svd/unet-config.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import type { ControlMaps } from './control-maps.js';
import type { PlannedControl } from './controls.js';
import type { Size } from './size.js';

/** ControlNeXt's features of every frame in a raw file, float32 [frames, C, h, w], read by rows. */
export type ControlFeatures = {
  readonly file: string;
  readonly dtype: 'float32';
  readonly dims: FeatureDims;
};

export type FeatureDims = readonly [frames: number, channels: number, height: number, width: number];

export type ControlFeaturesJob = {
  readonly network: Checkpoint;
  readonly maps: ControlMaps;
  readonly unetConfig: unknown;
  readonly residency: Residency;
  readonly precision: Precision;
  readonly onFrame?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Whether the denoiser is given a module's features: those that are the same at all steps always, others on a CPU. On a device
 * they would travel through the memory of the host, which takes longer than computing them in the denoiser's graph.
 */
export function featuresAreGiven({ once }: Pick<PlannedControl, 'once'>, target: Target): boolean {
  return once || target === 'cpu';
}

/** Shape of the features of `maps`. */
export function featureDims(
  maps: { readonly dims: readonly [number, number, number, ...number[]] },
  unetConfig: unknown,
): FeatureDims {
  const [frames, height, width] = maps.dims;
  const channels = parseUNetConfig(unetConfig).levels[0]?.channels ?? 0;
  return [frames, channels, featureSide(height), featureSide(width)];
}

/** Pictures that go through the network at once. */
export const featureBatch = 4;

/** `frames` in batches; the last one repeats its last frame. */
export function featureBatches(frames: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(frames.length / featureBatch) }, (_, batch) =>
    Array.from(
      { length: featureBatch },
      (_, i) => frames[Math.min(batch * featureBatch + i, frames.length - 1)] as number,
    ),
  );
}

/** The graph of one batch. Throws PantomimeError `model.mismatch`. */
export function buildControlFeatures(
  controlnext: Checkpoint,
  unetConfig: unknown,
  how: Size & { readonly residency: Residency; readonly target: Target; readonly precision: Precision },
): BuiltGraph {
  const channels = parseUNetConfig(unetConfig).levels[0]?.channels ?? 0;
  return buildControlNeXt({ ...how, controlnext, channels, frames: featureBatch });
}

/**
 * Computes the features of all control pictures once, for a network that does not look at the noise level, and writes them
 * to `file`.
 */
export async function writeControlFeatures(engine: Engine, file: string, job: ControlFeaturesJob): Promise<void> {
  const [frames, height, width] = job.maps.dims;
  const { residency, precision } = job;
  const how = { width, height, residency, precision, target: engine.info.provider };
  const graph = buildControlFeatures(job.network, job.unetConfig, how);
  const session = await engine.load(graph);
  try {
    await engine.define('pictures', job.maps);
    const handle = await open(file, 'w');
    try {
      const timestep = floatTensor([1], new Float32Array(1));
      for (const rows of featureBatches([...Array(frames).keys()])) {
        const first = rows[0] as number;
        const inputs = { control: { ref: 'pictures', rows }, timestep };
        const { features: found } = await engine.run(session, inputs, { signal: job.signal });
        const wanted = Math.min(featureBatch, frames - first);
        const { data } = found as FloatTensor;
        requireNumbers(data, 'the control network', `pictures ${first} to ${first + wanted - 1}`);
        await handle.writeFile(new Uint8Array(data.buffer, data.byteOffset, (data.byteLength / featureBatch) * wanted));
        job.onFrame?.(first + wanted);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await engine.forget('pictures').catch(() => {});
    await engine.release(session).catch(() => {});
  }
}
