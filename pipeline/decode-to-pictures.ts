import type { ModelFolder } from '../models/checkpoint/model-folder.js';
import { buildVaeDecode } from '../models/graphs/vae-decode.js';
import type { Residency } from '../models/onnx/built-graph.js';
import type { Engine, SessionId } from '../models/runtime/engine.js';
import { parseVaeConfig } from '../models/svd/vae-config.js';
import type { FloatTensor } from '../models/tensor.js';
import { type DecodeLatentsOptions, decodeChunks, decodeLatents } from '../stages/decode-latents.js';
import { decodeInTiles } from '../stages/decode-tiles.js';
import type { RgbImage } from '../stages/types.js';

export type FrameDecoding = Pick<DecodeLatentsOptions, 'chunk' | 'overlap' | 'mode'> & {
  readonly vae: ModelFolder['vae'];
  readonly residency: Residency;
  /** Side in pixels of the tiles that a frame is decoded in; none: whole frames. */
  readonly tile?: number | null | undefined;
  /** Leading frames that are decoded as context but not given out. */
  readonly skip: number;
  readonly signal?: AbortSignal | undefined;
  /** Sees every decoded chunk, or tile of one, before it is blended and rounded. */
  readonly onDecoded?: ((pixels: FloatTensor) => void) | undefined;
};

/** Latents [frames, L, h, w] to pictures, through one decoder session for each size of chunk that occurs. */
export async function* decodeToPictures(
  engine: Engine,
  latents: FloatTensor,
  options: FrameDecoding,
): AsyncGenerator<RgbImage, void, void> {
  const [count = 0, , h = 0, w = 0] = latents.dims;
  const { vae, residency, signal } = options;
  const { scalingFactor, pixelsPerLatent } = parseVaeConfig(vae.config);
  const side = options.tile ? options.tile / pixelsPerLatent : Number.POSITIVE_INFINITY;
  const [rows, columns] = [Math.min(h, side), Math.min(w, side)];
  const [height, width] = [rows * pixelsPerLatent, columns * pixelsPerLatent];
  const sessions = new Map<number, SessionId>();
  try {
    for (const frames of new Set(decodeChunks(count, options).map((plan) => plan.frames.length))) {
      const target = engine.info.provider;
      const graph = buildVaeDecode({ ...vae, frames, height, width, residency, target });
      sessions.set(frames, await engine.load(graph));
    }
    const decode = async (chunk: FloatTensor) => {
      const session = sessions.get(chunk.dims[0] as number) as SessionId;
      const { frames } = await engine.run(session, { latents: chunk }, { signal, outputs: ['frames'] });
      options.onDecoded?.(frames as FloatTensor);
      return frames as FloatTensor;
    };
    const { chunk, overlap, mode, skip } = options;
    const decodeWhole = decodeInTiles(decode, { rows, columns, pixelsPerLatent });
    yield* decodeLatents(latents, decodeWhole, { chunk, overlap, mode, scalingFactor, signal }, skip);
  } finally {
    for (const session of sessions.values()) await engine.release(session).catch(() => {});
  }
}
