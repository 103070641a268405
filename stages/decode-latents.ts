import { requireNumbers } from '../models/require-numbers.js';
import { roundHalfEven } from '../models/round-half-even.js';
import { type FloatTensor, floatTensor } from '../models/tensor.js';
import type { RgbImage } from './types.js';

/** Decodes `latents` [frames, C, h, w], already divided by the scaling factor, to pixels [frames, 3, H, W] about -1..1. */
export type DecodeChunk = (latents: FloatTensor) => Promise<FloatTensor>;

export type DecodeLatentsOptions = {
  /** Frames decoded together. */
  readonly chunk: number;
  /** Frames that neighbouring chunks share and cross-fade over; only `overlapped`. */
  readonly overlap: number;
  /**
   * `reference`: consecutive chunks, the last one as short as it comes, as published. `overlapped`: chunks of one fixed
   * size, blended linearly where they meet; the temporal decoder's result depends on a chunk's size and place, so this
   * hides the joints.
   */
  readonly mode: 'reference' | 'overlapped';
  readonly scalingFactor: number;
  readonly signal?: AbortSignal | undefined;
};

/** A chunk to decode and where its frames go. */
export type DecodeChunkPlan = {
  /** Frame indices decoded together; past the end they run backwards again, so that every chunk has the same size. */
  readonly frames: readonly number[];
  /** Number of leading frames blended with the chunk before. */
  readonly blend: number;
  /** Number of leading frames (blended ones included) that are real; the rest is padding. */
  readonly used: number;
};

/** Chunks that decode `count` frames. */
export function decodeChunks(
  count: number,
  options: Pick<DecodeLatentsOptions, 'chunk' | 'overlap' | 'mode'>,
): DecodeChunkPlan[] {
  const chunk = Math.max(1, options.mode === 'reference' ? Math.min(options.chunk, count) : options.chunk);
  const overlap = options.mode === 'reference' ? 0 : Math.min(options.overlap, chunk - 1);
  const plans: DecodeChunkPlan[] = [];
  for (let start = 0; start === 0 || start + overlap < count; start += chunk - overlap) {
    const used = Math.min(chunk, count - start);
    const length = options.mode === 'reference' ? used : chunk;
    const frames = Array.from({ length }, (_, i) => mirrored(start + i, count));
    plans.push({ frames, blend: start === 0 ? 0 : overlap, used });
  }
  return plans;
}

/** Index of a sequence continued by reflection at its ends. */
function mirrored(index: number, count: number): number {
  if (count === 1) return 0;
  const period = 2 * (count - 1);
  const i = index % period;
  return i < count ? i : period - i;
}

/**
 * Latents to pictures, in order, a chunk at a time: memory does not grow with the number of frames. The next chunk is decoded
 * while the pictures of one are taken.
 * @param latents [frames, C, h, w], as sampled (not yet divided by the scaling factor)
 * @param skip leading frames that are decoded as context but not given out
 */
export async function* decodeLatents(
  latents: FloatTensor,
  decode: DecodeChunk,
  options: DecodeLatentsOptions,
  skip = 0,
): AsyncGenerator<RgbImage, void, void> {
  const count = latents.dims[0] as number;
  const plans = decodeChunks(count, options);
  let tail: Float32Array[] = [];
  let next = 0;
  const ask = (plan: DecodeChunkPlan | undefined) => {
    options.signal?.throwIfAborted();
    const asked = plan && decode(scaledFrames(latents, plan.frames, options.scalingFactor));
    asked?.catch(() => {}); // reported when its turn comes; not an unhandled rejection before
    return asked;
  };
  let asked = ask(plans[0]);
  for (const [k, plan] of plans.entries()) {
    const pixels = (await asked) as FloatTensor;
    asked = ask(plans[k + 1]);
    const first = plan.frames[0] as number;
    requireNumbers(pixels.data, 'the VAE decoder', `frames ${first} to ${first + plan.used - 1}`);
    const [, , height = 0, width = 0] = pixels.dims;
    const size = 3 * height * width;
    const frames = Array.from({ length: plan.used }, (_, i) => pixels.data.subarray(i * size, (i + 1) * size));
    for (let i = 0; i < plan.blend; i++) crossFade(tail[i], frames[i], (i + 1) / (plan.blend + 1));
    const held = plans[k + 1]?.blend ?? 0;
    const ready = frames.length - held;
    tail = frames.slice(ready).map((frame) => frame.slice());
    for (const frame of frames.slice(0, ready)) {
      if (next++ >= skip) yield quantise(frame, width, height);
    }
  }
}

function scaledFrames(latents: FloatTensor, frames: readonly number[], scalingFactor: number): FloatTensor {
  const [count = 1, ...inner] = latents.dims;
  const size = latents.data.length / count;
  const result = floatTensor([frames.length, ...inner]);
  frames.forEach((frame, k) => {
    for (let i = 0; i < size; i++)
      result.data[k * size + i] = (latents.data[frame * size + i] as number) / scalingFactor;
  });
  return result;
}

/** `into` becomes `(1 - share) before + share into`. */
function crossFade(before: Float32Array | undefined, into: Float32Array | undefined, share: number): void {
  if (!before || !into) return;
  for (let i = 0; i < into.length; i++) into[i] = (before[i] as number) * (1 - share) + (into[i] as number) * share;
}

/** Pixels [3, H, W] about -1..1 to RGB24: `round(255 clamp(x/2 + 0.5, 0, 1))`, halves to even, as published. */
export function quantise(pixels: Float32Array, width: number, height: number): RgbImage {
  const area = width * height;
  const data = new Uint8Array(area * 3);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < area; i++) {
      // float32 like the published code, so that ties fall on the same side
      const unit = Math.fround(Math.fround((pixels[channel * area + i] as number) / 2) + 0.5);
      data[i * 3 + channel] = roundHalfEven(Math.fround(255 * Math.min(1, Math.max(0, unit))));
    }
  }
  return { width, height, data };
}
