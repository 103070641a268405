import { join } from 'node:path';
import sharp from 'sharp';
import { openModelFolder } from '#dist/models/checkpoint/model-folder.js';
import { buildVaeEncode } from '#dist/models/graphs/vae-encode.js';
import { createEngine } from '#dist/models/runtime/engine.js';
import { parseVaeConfig } from '#dist/models/svd/vae-config.js';
import { type FloatTensor, floatTensor } from '#dist/models/tensor.js';
import { decodeToPictures } from '#dist/pipeline/decode-to-pictures.js';
import { type AnimateInput, animate, type RunContext } from '#dist/pipeline/index.js';
import { decodeFrames, planDecode } from '#dist/stages/decode.js';
import { encodeVideo } from '#dist/stages/encode.js';
import type { FfmpegTools } from '#dist/stages/ffmpeg/locate.js';
import { probe } from '#dist/stages/probe.js';
import { vaeImageTensor } from '#dist/stages/reference/vae-image-tensor.js';
import type { RgbImage } from '#dist/stages/types.js';
import { collect, makeClip } from '../media/media-factory.js';
import { castRate, drawClip, type Size } from './cast-clip.js';

/** What the detector and the picture reader are given is this many times as large as the video, as users' files are. */
const inputScale = 2;

/**
 * Animates a character of the cast by its own motion through the whole pipeline: a picture and a lossless clip as files, poses
 * by MediaPipe. The poses are not fitted (`align: 'none'`), since the truth stands where the clip does.
 * @returns the frames of the video that was written, without loss by its codec (crf 0).
 */
export async function animateSelf(
  seed: number,
  count: number,
  options: {
    readonly folder: string;
    readonly size: Size;
    readonly tools: FfmpegTools;
    readonly changes: AnimateInput;
  },
  context: RunContext = {},
): Promise<{ readonly pictures: readonly RgbImage[]; readonly runDir: string; readonly seconds: number }> {
  const { folder, size, tools, changes } = options;
  const large = { width: size.width * inputScale, height: size.height * inputScale };
  const clip = drawClip(seed, count, large);
  const image = join(folder, `${seed}.png`);
  const { data } = clip.reference;
  await sharp(data, { raw: { ...large, channels: 3 } })
    .png()
    .toFile(image);
  const video = await makeClip(tools.ffmpeg, join(folder, `${seed}.mkv`), {
    ...{ ...large, frames: count, rate: String(castRate), video: ['-c:v', 'png'] },
    draw: (frame) => clip.frames[frame]!.data,
  });
  const { runDir, outputs, seconds } = await animate(
    {
      ...{ image, video, ...size, stride: 1, align: 'none', crf: 0, seed: 1, output: join(folder, `${seed}`) },
      ...{ overwrite: true, resume: false, ...changes },
    },
    context,
  );
  return { pictures: await readVideo(outputs.video as string, tools), runDir, seconds };
}

/** All frames of a video. */
export async function readVideo(path: string, tools: FfmpegTools): Promise<RgbImage[]> {
  const info = await probe(path, tools);
  return collect(decodeFrames(info, planDecode(info), tools).frames);
}

/**
 * Pictures as the model's VAE gives them back, in overlapping chunks as `animate` decodes.
 * @param tile side in pixels of the tiles that frames are decoded in
 */
export async function throughVae(
  modelDir: string,
  pictures: readonly RgbImage[],
  tile?: number,
): Promise<readonly RgbImage[]> {
  const { vae } = await openModelFolder(modelDir);
  const [{ width, height }] = pictures as [RgbImage];
  const config = parseVaeConfig(vae.config);
  await using engine = await createEngine({ provider: 'cpu' });
  const session = await engine.load(buildVaeEncode({ ...vae, width, height, residency: 'fast', target: 'cpu' }));
  const encoded: Float32Array[] = [];
  for (const picture of pictures) {
    const { latents } = await engine.run(session, { image: vaeImageTensor(picture) });
    encoded.push((latents as FloatTensor).data);
  }
  await engine.release(session);
  const [rows, columns] = [height / config.pixelsPerLatent, width / config.pixelsPerLatent];
  const latents = floatTensor([pictures.length, config.latentChannels, rows, columns]);
  const size = encoded[0]!.length;
  for (const [i, frame] of encoded.entries()) {
    const scaled = frame.map((value) => value * config.scalingFactor);
    latents.data.set(scaled, i * size);
  }
  const decoding = { vae, tile, residency: 'fast', skip: 0, chunk: 8, overlap: 2, mode: 'overlapped' } as const;
  return await collect(decodeToPictures(engine, latents, decoding));
}

/** Pictures after the way into the same kind of video file as the output and back. */
export async function throughCodec(
  pictures: readonly RgbImage[],
  out: string,
  tools: FfmpegTools,
): Promise<RgbImage[]> {
  const [{ width, height }] = pictures as [RgbImage];
  const frames = (async function* () {
    yield* pictures;
  })();
  await encodeVideo({ frames, width, height, frameRate: { num: castRate, den: 1 }, out, tools, crf: 0 });
  return readVideo(out, tools);
}
