import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { BuiltGraph, Residency, Target } from '../onnx/built-graph.js';
import { Graph, type Precision } from '../onnx/graph.js';
import { cast } from '../onnx/ops.js';
import { ClipVision } from '../svd/clip.js';
import { parseClipVisionConfig } from '../svd/clip-config.js';

export type ImageEncoderOptions = {
  readonly checkpoint: Checkpoint;
  /** Parsed `image_encoder/config.json`. */
  readonly config: unknown;
  readonly residency: Residency;
  readonly target: Target;
  /** float32 when left out; inputs and outputs are float32 at any precision. */
  readonly precision?: Precision | undefined;
};

/**
 * CLIP's embedding of one picture. Input `pixel_values` float32 [1, 3, S, S], S being the config's `image_size`
 * (resized and normalised, see stages). Output `image_embeds` float32 [1, D].
 * Throws PantomimeError: `model.mismatch`, `model.clip-config`.
 */
export function buildImageEncoder({ checkpoint, config, ...how }: ImageEncoderOptions): BuiltGraph {
  const parsed = parseClipVisionConfig(config);
  const graph = new Graph({ name: 'image-encoder', ...how });
  const clip = new ClipVision(parsed);
  graph.bind(clip, checkpoint, 'image_encoder');
  const pixels = graph.input('pixel_values', 'float32', [1, parsed.channels, parsed.imageSize, parsed.imageSize]);
  graph.output('image_embeds', cast(clip.forward(pixels), 'float32'));
  return graph.finish();
}
