import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { BuiltGraph, Residency, Target } from '../onnx/built-graph.js';
import { Graph, type Precision, type Value } from '../onnx/graph.js';
import { add, cast, clip, mul, round, scalar, transpose } from '../onnx/ops.js';
import { Vae } from '../svd/vae.js';
import { parseVaeConfig } from '../svd/vae-config.js';
import { checkVaeSize } from '../svd/vae-size.js';

export type VaeDecodeOptions = {
  readonly checkpoint: Checkpoint;
  /** Parsed `vae/config.json`. */
  readonly config: unknown;
  /** Frames decoded together; they see each other, and zeros before the first and after the last. */
  readonly frames: number;
  /** Size of the frames in pixels. */
  readonly height: number;
  readonly width: number;
  readonly residency: Residency;
  readonly target: Target;
  /** float32 when left out; inputs and outputs are float32 at any precision. */
  readonly precision?: Precision | undefined;
};

/**
 * Latents to frames. Input `latents` float32 [D, L, h, w], divided by the scaling factor. Outputs: `frames` float32
 * [D, 3, H, W] about -1..1, and `pixels` uint8 [D, H, W, 3], the same as RGB pictures. Ask `run` for the one you need.
 * Throws PantomimeError: `model.mismatch`, `model.vae-config`, `model.size`.
 */
export function buildVaeDecode(options: VaeDecodeOptions): BuiltGraph {
  const { frames, height, width, residency, target, precision } = options;
  const config = parseVaeConfig(options.config);
  checkVaeSize(config, height, width);
  const graph = new Graph({ name: 'vae-decode', residency, target, precision });
  const vae = new Vae(config);
  graph.bind(vae, options.checkpoint, 'vae');
  const [h, w] = [height / config.pixelsPerLatent, width / config.pixelsPerLatent];
  const latents = graph.input('latents', 'float32', [frames, config.latentChannels, h, w]);
  const decoded = cast(vae.decode(latents, frames), 'float32');
  graph.output('frames', decoded);
  graph.output('pixels', toPixels(decoded));
  return graph.finish();
}

/** [D, 3, H, W] about -1..1 -> uint8 [D, H, W, 3]: 255 clamp(x / 2 + 0.5, 0, 1), halves to even, as published. */
function toPixels(frames: Value): Value {
  const half = scalar(frames, 0.5);
  const unit = clip(add(mul(frames, half), half), 0, 1);
  const levels = round(mul(unit, scalar(unit, 255)));
  return cast(transpose(levels, [0, 2, 3, 1]), 'uint8');
}
