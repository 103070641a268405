import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { injectControls } from '../controlnext/inject.js';
import type { BuiltGraph, Residency, Target } from '../onnx/built-graph.js';
import { Graph, type Precision } from '../onnx/graph.js';
import { cast, expand, reshape } from '../onnx/ops.js';
import { UNet } from '../svd/unet.js';
import { parseUNetConfig } from '../svd/unet-config.js';

export type UnetOptions = {
  readonly unet: Checkpoint;
  readonly unetConfig: unknown;
  readonly batch: number;
  readonly frames: number;
  /** Rows and columns of the latents. */
  readonly latentHeight: number;
  readonly latentWidth: number;
  /** Shape of the control features, N being batch * frames or frames (then shared by the batch). */
  readonly features?: readonly [n: number, channels: number, height: number, width: number] | undefined;
  readonly residency: Residency;
  readonly target: Target;
  /** float32 when left out; inputs and outputs are float32 at any precision. */
  readonly precision?: Precision | undefined;
  /** Modules whose results become outputs of the same name, e.g. `unet.mid_block`. */
  readonly taps?: readonly string[];
};

/**
 * The bare UNet, as its class in diffusers is called; for parity checks.
 * Inputs: `sample` [B, F, 8, h, w], `timestep` [1], `encoder_hidden_states` [B, 1, D], `added_time_ids` [B, 3], and with
 * features `control` (their shape) and `control_scale` [B * F], one for each picture. Output: `out` [B, F, 4, h, w]. All float32.
 */
export function buildUnet(options: UnetOptions): BuiltGraph {
  const { batch, frames, latentHeight: h, latentWidth: w, features, residency, target, precision } = options;
  const config = parseUNetConfig(options.unetConfig);
  const graph = new Graph({ name: 'unet', residency, target, precision });
  const unet = new UNet(config);
  graph.bind(unet, options.unet, 'unet');

  const samples = batch * frames;
  const sample = graph.input('sample', 'float32', [batch, frames, config.inChannels, h, w]);
  const timestep = graph.input('timestep', 'float32', [1]);
  const context = graph.input('encoder_hidden_states', 'float32', [batch, 1, config.contextWidth]);
  const addedTimeIds = graph.input('added_time_ids', 'float32', [batch, 3]);
  const control = features && graph.input('control', 'float32', features);
  const scale = features && graph.input('control_scale', 'float32', [samples]);

  const prediction = unet.forward({
    sample: reshape(sample, [samples, config.inChannels, h, w]),
    frames,
    timestep,
    context,
    addedTimeIds,
    control:
      control &&
      scale &&
      ((state) => {
        const [n, ...shape] = control.dims as [number, number, number, number];
        const shared = expand(reshape(control, [1, n, ...shape]), [samples / n, n, ...shape]);
        const features = reshape(shared, [samples, ...shape]);
        return injectControls(state, [{ features, scale: reshape(scale, [samples, 1, 1, 1]) }]);
      }),
  });
  graph.output('out', reshape(cast(prediction, 'float32'), [batch, frames, config.outChannels, h, w]));
  for (const path of options.taps ?? []) graph.output(path, graph.tapped(path));
  return graph.finish();
}
