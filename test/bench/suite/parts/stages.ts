import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildImageEncoder } from '#dist/models/graphs/image-encoder.js';
import { buildVaeDecode } from '#dist/models/graphs/vae-decode.js';
import { buildVaeEncode } from '#dist/models/graphs/vae-encode.js';
import { createEngine } from '#dist/models/runtime/engine.js';
import { decodeFrames, planDecode } from '#dist/stages/decode.js';
import { encodeVideo } from '#dist/stages/encode.js';
import { type FfmpegTools, locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { createPoseDetector } from '#dist/stages/pose/detector.js';
import { drawSkeleton } from '#dist/stages/pose/draw.js';
import { probe } from '#dist/stages/probe.js';
import type { RgbImage } from '#dist/stages/types.js';
import { collect } from '../../../media/media-factory.js';
import type { Bench, Part } from '../bench.js';
import { dancer } from '../clip-run.js';
import { embeddedSize, openEmbedded } from '../embedded.js';
import { loadRun } from '../load-run.js';
import { takeTurns } from '../take-turns.js';
import { gigaflops, speeds } from '../work.js';

/** Everything around the UNet, a frame or a picture at a time. */
export const stages: Part = {
  name: 'stages',
  seconds: [40, 80],
  async run(bench) {
    await networks(bench);
    await pictures(bench);
  },
};

/** Frames that the VAE decodes together by default. */
const decodeChunk = 8;

async function networks({ figure, rounds, threads }: Bench): Promise<void> {
  const { folder } = await openEmbedded();
  const { width, height } = embeddedSize;
  const how = { residency: 'fast', target: 'cpu' } as const;
  await using engine = await createEngine({ provider: 'cpu', threads });
  const [encode, decode, clip] = [
    await loadRun(engine, buildVaeEncode({ ...folder.vae, width, height, ...how })),
    await loadRun(engine, buildVaeDecode({ ...folder.vae, width, height, frames: decodeChunk, ...how })),
    await loadRun(engine, buildImageEncoder({ ...folder.imageEncoder, ...how })),
  ];
  const times = await takeTurns({ encode: encode.run, decode: decode.run, clip: clip.run }, rounds);
  const size = `${width}x${height}`;
  figure('VAE encodes a picture', 'ms', milliseconds(times.encode, 1), size);
  figure('VAE encodes a picture', 'GFLOP/s', speeds(times.encode, gigaflops(encode.graph)));
  figure('VAE decodes a frame', 'ms', milliseconds(times.decode, decodeChunk), `${size}, ${decodeChunk} together`);
  figure('VAE decodes a frame', 'GFLOP/s', speeds(times.decode, gigaflops(decode.graph)));
  figure('image encoder', 'ms', milliseconds(times.clip, 1));
  figure('image encoder', 'GFLOP/s', speeds(times.clip, gigaflops(clip.graph)));
}

async function pictures({ quick, figure, folder, rounds }: Bench): Promise<void> {
  const tools = await locateFfmpeg();
  const frames = await dancerFrames(tools, quick ? 12 : 48);
  const several = availableParallelism();
  const options = { model: 'full', hands: true, face: true, maxPeople: 4 } as const;
  await using one = await createPoseDetector({ ...options, workers: 1 });
  await using many = await createPoseDetector({ ...options, workers: several });
  const found = await Promise.all(frames.map((frame) => many.detect(frame)));
  const large = { width: 576, height: 1024 };
  const skeletons = found.map((people) => drawSkeleton(people, large.width, large.height));
  const video = join(folder, 'skeletons.mp4');
  const times = await takeTurns(
    {
      one: async () => {
        for (const frame of frames) await one.detect(frame);
      },
      many: () => Promise.all(frames.map((frame) => many.detect(frame))),
      small: async () => found.map((people) => drawSkeleton(people, embeddedSize.width, embeddedSize.height)),
      large: async () => found.map((people) => drawSkeleton(people, large.width, large.height)),
      decode: () => dancerFrames(tools, frames.length),
      encode: () =>
        encodeVideo({ frames: stream(skeletons), ...large, frameRate: { num: 24, den: 1 }, out: video, tools }),
    },
    Math.min(rounds, 3),
  );
  const each = (name: keyof typeof times) => milliseconds(times[name], frames.length);
  figure('pose of a frame, 1 worker', 'ms', each('one'), 'MediaPipe full, hands and face, 384x576');
  figure(`pose of a frame, ${several} workers`, 'ms', each('many'));
  figure('skeleton drawn', 'ms', each('small'), '128x192');
  figure('skeleton drawn', 'ms', each('large'), '576x1024');
  figure('ffmpeg decodes a frame', 'ms', each('decode'), '384x576, starting ffmpeg included');
  figure('ffmpeg encodes a frame', 'ms', each('encode'), 'skeletons of 576x1024, x264 medium');
}

async function dancerFrames(tools: FfmpegTools, maxFrames: number): Promise<RgbImage[]> {
  const info = await probe(dancer, tools);
  return collect(decodeFrames(info, planDecode(info, { maxFrames }), tools).frames);
}

async function* stream(images: readonly RgbImage[]): AsyncGenerator<RgbImage> {
  yield* images;
}

const milliseconds = (seconds: readonly number[], frames: number) => seconds.map((each) => (each * 1000) / frames);
