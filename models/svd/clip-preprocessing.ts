import { PantomimeError } from '../errors.js';

/** How a picture is prepared for CLIP: side of the square, and mean and deviation of each channel of RGB in 0..1. */
export type ClipPreprocessing = {
  readonly size: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};

/** Values of the published feature extractor, used for what a config leaves out. */
const published: ClipPreprocessing = {
  size: 224,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** Reads `feature_extractor/preprocessor_config.json`. Throws a model error (`model.preprocessor`) on values that make no sense. */
export function clipPreprocessing(config: unknown): ClipPreprocessing {
  const fields = typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
  const crop = fields.crop_size as { height?: unknown } | number | undefined;
  const size = (typeof crop === 'object' && crop !== null ? crop.height : crop) ?? published.size;
  const mean = fields.image_mean ?? published.mean;
  const std = fields.image_std ?? published.std;
  if (
    typeof size === 'number' &&
    size >= 1 &&
    size <= 4096 &&
    isTriple(mean) &&
    isTriple(std) &&
    std.every((s) => s > 0)
  ) {
    return { size, mean, std };
  }
  throw new PantomimeError({
    code: 'model.preprocessor',
    kind: 'model',
    what: 'the feature extractor of this model makes no sense',
    where: 'feature_extractor/preprocessor_config.json',
    got: JSON.stringify({ size, mean, std }).slice(0, 200),
    expected: 'crop_size up to 4096, three numbers each for image_mean and image_std',
  });
}

function isTriple(value: unknown): value is [number, number, number] {
  return Array.isArray(value) && value.length === 3 && value.every((item) => Number.isFinite(item));
}
