import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { BuiltGraph, Residency, Target } from '../onnx/built-graph.js';
import { Graph, type Precision } from '../onnx/graph.js';
import { cast } from '../onnx/ops.js';
import { Vae } from '../svd/vae.js';
import { parseVaeConfig } from '../svd/vae-config.js';
import { checkVaeSize } from '../svd/vae-size.js';

export type VaeEncodeOptions = {
  readonly checkpoint: Checkpoint;
  /** Parsed `vae/config.json`. */
  readonly config: unknown;
  /** Size of the picture in pixels. */
  readonly height: number;
  readonly width: number;
  readonly residency: Residency;
  readonly target: Target;
  /** float32 when left out; inputs and outputs are float32 at any precision. */
  readonly precision?: Precision | undefined;
};

/**
 * Picture to latents. Input `image` float32 [1, 3, H, W] about -1..1, noise already added. Output `latents` float32
 * [1, L, h, w]: mode of the latent distribution, not scaled.
 * Throws PantomimeError: `model.mismatch`, `model.vae-config`, `model.size`.
 */
export function buildVaeEncode({ checkpoint, config, height, width, ...how }: VaeEncodeOptions): BuiltGraph {
  const parsed = parseVaeConfig(config);
  checkVaeSize(parsed, height, width);
  const graph = new Graph({ name: 'vae-encode', ...how });
  const vae = new Vae(parsed);
  graph.bind(vae, checkpoint, 'vae');
  const image = graph.input('image', 'float32', [1, parsed.inChannels, height, width]);
  graph.output('latents', cast(vae.encodeMode(image), 'float32'));
  return graph.finish();
}
