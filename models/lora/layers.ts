import type { Checkpoint, TensorLocation } from '../checkpoint/checkpoint.js';
import type { LayerKey } from './layer-key.js';

/** A weight that a LoRA can change. */
export type Layer = { readonly weight: string; readonly shape: readonly number[] };

/** The layers of a UNet as LoRA files name them. */
export type Layers = {
  /** The layer meant by a key; undefined when there is none, a list when several would fit. */
  readonly find: (key: LayerKey) => Layer | readonly Layer[] | undefined;
};

/**
 * Every linear and convolutional layer of a checkpoint. kohya's names have underscores for dots, which cannot be undone by rule
 * (`to_q`, `time_emb_proj`), so they are looked up among the names that the UNet really has.
 */
export function layersOf({ tensors }: Checkpoint): Layers {
  const dotted = new Map<string, Layer>();
  const flat = new Map<string, Layer[]>();
  for (const [weight, { shape }] of tensors) {
    const path = layerPath(weight, shape);
    if (path === undefined) continue;
    const layer = { weight, shape };
    dotted.set(path, layer);
    const key = path.replaceAll('.', '_');
    flat.set(key, [...(flat.get(key) ?? []), layer]);
  }
  return {
    find(key) {
      if (!key.flat) return dotted.get(key.layer);
      const found = flat.get(key.layer);
      return found?.length === 1 ? found[0] : found;
    },
  };
}

const suffix = '.weight';

function layerPath(name: string, shape: TensorLocation['shape']): string | undefined {
  return name.endsWith(suffix) && shape.length > 1 ? name.slice(0, -suffix.length) : undefined;
}
