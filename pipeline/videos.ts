import { rename } from 'node:fs/promises';
import type { Engine } from '../models/runtime/engine.js';
import type { Span } from '../models/runtime/monotonic.js';
import type { FloatTensor } from '../models/tensor.js';
import { sampleColumns } from '../stages/contact-sheet.js';
import { decodeFrames } from '../stages/decode.js';
import { type EncodeAudio, encodeVideo } from '../stages/encode.js';
import { overlaySkeleton } from '../stages/pose/overlay.js';
import { sideBySide } from '../stages/side-by-side.js';
import type { RgbImage } from '../stages/types.js';
import { broadcast } from './broadcast.js';
import { readControlMap } from './control-maps.js';
import type { ControlTrack } from './control-track.js';
import { decodeToPictures } from './decode-to-pictures.js';
import type { Plan } from './plan.js';
import type { Run } from './run.js';

export type VideoInputs = {
  readonly picture: RgbImage;
  readonly track: ControlTrack;
  readonly latents: FloatTensor;
  /** Sees every frame of the video before it is encoded, and must not change it. Waited for. */
  readonly onFrame?: ((frame: number, image: RgbImage) => Promise<void> | void) | undefined;
  /** undefined: writes output.mp4 alone. */
  readonly poses: PoseVideo | undefined;
};

/** What was written, and a few frames of it for the contact sheet. */
export type Videos = {
  readonly frames: number;
  readonly samples: readonly SampledFrame[];
  /** undefined where only the result was wanted. */
  readonly poseVideo: string | undefined;
  readonly comparison: string | undefined;
};

/** One moment of the clip: movement, pose and result. */
export type SampledFrame = {
  readonly frame: number;
  readonly driving: RgbImage | undefined;
  readonly pose: RgbImage;
  readonly result: RgbImage;
};

/** A video of the poses among the work files, and the frames of it that the contact sheet shows. */
export type PoseVideo = { readonly file: string; readonly frames: ReadonlyMap<number, RgbImage> };

/** The found poses are shown on the driving clip at this height. */
const overlayHeight = 512;

/** Decodes the latents and writes output.mp4 and comparison.mp4 (or the first alone) as streams; pose.mp4 gets its place. */
export async function writeVideos(run: Run, plan: Plan, engine: Engine, inputs: VideoInputs): Promise<Videos> {
  const { options, movement, tools } = plan;
  const { frameRate } = movement;
  const first = options.keepReferenceFrame ? 0 : 1;
  const count = (inputs.latents.dims[0] as number) - first;
  const wanted = new Set(sampleColumns(count));
  const { onFrame, poses } = inputs;

  const samples: SampledFrame[] = [];
  const frames = await run.stage('decode', 'decoding and encoding', async (progress) => {
    const { decodeChunk, decodeOverlap, decodeMode, crf } = options;
    const pictures = decodeToPictures(engine, inputs.latents, {
      ...{ vae: plan.model.vae, residency: plan.residency, signal: run.signal, skip: first },
      ...{ chunk: decodeChunk, overlap: decodeOverlap, mode: decodeMode, tile: plan.memory.decodeTile },
    });
    const moments = withControl(pictures, inputs, first, async (moment) => {
      await onFrame?.(moment.frame, moment.result);
      if (wanted.has(moment.frame)) samples.push({ ...moment, driving: poses?.frames.get(moment.frame) });
      progress(moment.frame + 1, count, 'frames');
    });
    const shared = { frameRate, tools, crf, signal: run.signal };
    const audio = audioOf(plan, count);
    const onWork = (span: Span) => run.timeline.add('encode', 'result', span, 0);
    const encodeResult = (of: AsyncIterable<Moment>) =>
      encodeVideo({
        ...shared,
        ...plan.size,
        frames: each(of, ({ result }) => result),
        out: plan.video,
        audio,
        onWork,
      });
    if (!poses) return encodeResult(moments);
    const [results, compared] = broadcast(moments, 2) as [AsyncIterable<Moment>, AsyncIterable<Moment>];
    const [written] = await Promise.all([
      encodeResult(results),
      encodeComparison(run, plan, inputs.picture, compared, audio),
    ]);
    return written;
  });
  if (!poses) return { frames, samples, poseVideo: undefined, comparison: undefined };
  const poseVideo = run.store.result('pose.mp4');
  await rename(poses.file, poseVideo);
  return { frames, samples, poseVideo, comparison: run.store.result('comparison.mp4') };
}

type Moment = Omit<SampledFrame, 'driving'>;

/** Joins every decoded picture with its control picture. */
async function* withControl(
  pictures: AsyncIterable<RgbImage>,
  { track }: VideoInputs,
  first: number,
  onMoment: (moment: Moment) => Promise<void>,
): AsyncGenerator<Moment> {
  let frame = 0;
  for await (const result of pictures) {
    const moment = { frame, result, pose: await readControlMap(track.maps, first + frame) };
    await onMoment(moment);
    yield moment;
    frame++;
  }
}

async function encodeComparison(
  run: Run,
  { size, movement, tools, options }: Plan,
  picture: RgbImage,
  moments: AsyncIterable<Moment>,
  audio: EncodeAudio | undefined,
): Promise<void> {
  const { width, height } = sideBySide([picture, picture, picture], size.height);
  await encodeVideo({
    frames: each(moments, ({ pose, result }) =>
      run.timeline.measure('draw', 'comparison', () => sideBySide([picture, pose, result], size.height)),
    ),
    onWork: (span) => run.timeline.add('encode', 'comparison', span, 1),
    ...{ width, height, frameRate: movement.frameRate, tools, audio, crf: options.crf, signal: run.signal },
    out: run.store.result('comparison.mp4'),
  });
}

/** What pose.mp4 is going to be. Needs no engine, so that it can be done beside something that does. */
export async function drawPoseVideo(run: Run, plan: Plan, track: ControlTrack): Promise<PoseVideo> {
  const first = plan.options.keepReferenceFrame ? 0 : 1;
  const count = track.maps.dims[0] - first;
  const file = run.store.work('pose', 'video', 'mp4');
  return { file, frames: await writePoseVideo(run, plan, track, { file, first, count }) };
}

/**
 * pose.mp4: the found poses on the driving clip, so that a person can check them; the control pictures themselves where
 * there is no driving clip. Gives the frames that the contact sheet shows.
 */
export async function writePoseVideo(
  run: Run,
  plan: Pick<Plan, 'movement' | 'tools' | 'options'>,
  track: Pick<ControlTrack, 'driving'> & Partial<ControlTrack>,
  { file, first, count }: { readonly file: string; readonly first: number; readonly count: number },
): Promise<ReadonlyMap<number, RgbImage>> {
  const { movement, tools, options } = plan;
  const { signal } = run;
  const kept = new Map<number, RgbImage>();
  const wanted = new Set(sampleColumns(count));
  await run.stage('encode', 'drawing the poses', async (progress) => {
    const onFrame = (done: number) => progress(done, count, 'frames');
    const onWork = (span: Span) => run.timeline.add('encode', 'poses', span, 2);
    const shared = { frameRate: movement.frameRate, tools, crf: options.crf, out: file, signal, onFrame, onWork };
    const { driving, maps } = track;
    if (movement.kind !== 'video' || !driving) {
      if (!maps) return;
      const [, height, width] = maps.dims;
      const pictures = async function* () {
        for (let frame = 0; frame < count; frame++) yield readControlMap(maps, first + frame);
      };
      await encodeVideo({ ...shared, width, height, frames: pictures() });
      return;
    }
    const height = Math.min(overlayHeight, movement.info.video.height);
    const stream = decodeFrames(movement.info, movement.decode, tools, { height, signal });
    let frame = 0;
    const drawn = each(run.timeline.waiting('read', 'driving video', stream.frames, 1), (image) => {
      const people = driving.frames[frame]?.people ?? [];
      const overlaid = run.timeline.measure('draw', 'overlays', () => overlaySkeleton(image, people));
      // The kept reference frame comes before the clip's first.
      const column = frame + 1 - first;
      if (wanted.has(column)) kept.set(column, overlaid);
      frame++;
      return overlaid;
    });
    await encodeVideo({ ...shared, width: stream.width, height: stream.height, frames: drawn });
  });
  return kept;
}

function audioOf({ movement, options }: Plan, count: number): EncodeAudio | undefined {
  if (!options.audio || movement.kind === 'pose' || movement.kind === 'control-folder') return undefined;
  if (!movement.info.audio) return undefined;
  const durationSec = (count * movement.frameRate.den) / movement.frameRate.num;
  return { path: movement.path, info: movement.info.audio, startSec: movement.decode.startSec, durationSec };
}

async function* each<T, U>(source: AsyncIterable<T>, make: (item: T) => U): AsyncGenerator<U> {
  for await (const item of source) yield make(item);
}
