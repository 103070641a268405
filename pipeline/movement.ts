import { stat } from 'node:fs/promises';
import { PantomimeError } from '../models/errors.js';
import { openControlFrames } from '../stages/control-video.js';
import { type DecodePlan, decodeFrames, planDecode } from '../stages/decode.js';
import type { FfmpegTools } from '../stages/ffmpeg/locate.js';
import { rational } from '../stages/ffmpeg/rational.js';
import { readPoseJson } from '../stages/pose/pose-json.js';
import { probe } from '../stages/probe.js';
import type { FrameStream, MediaInfo, PoseSequence, Rational } from '../stages/types.js';
import type { AnimateOptions } from './options/schema.js';
import type { Size } from './size.js';

type Located = { readonly path: string; readonly frameRate: Rational };

/** A video or folder of control pictures. */
export type ControlSource = Located &
  (
    | { readonly kind: 'control-video'; readonly info: MediaInfo; readonly decode: DecodePlan }
    | { readonly kind: 'control-folder'; readonly frameCount: number }
  );

/** What says how to move, read as far as is needed to plan: nothing is decoded yet. */
export type Movement =
  | ControlSource
  | (Located & { readonly kind: 'video'; readonly info: MediaInfo; readonly decode: DecodePlan })
  | (Located & { readonly kind: 'pose'; readonly poses: PoseSequence });

/** Opens the driving video, pose file or control pictures that the options name. */
export async function openMovement(
  options: AnimateOptions,
  tools: FfmpegTools,
  signal: AbortSignal | undefined,
): Promise<Movement> {
  if (options.pose !== null) {
    const poses = selectPoses(await readPoseJson(options.pose), options);
    return { kind: 'pose', path: options.pose, poses, frameRate: poses.frameRate };
  }
  if (options.controlVideo !== null) return openControlSource(options.controlVideo, options, tools, signal);
  return { kind: 'video', ...(await openVideo(options.video as string, options, tools, signal)) };
}

/** Opens a video or folder of control pictures, cut as the options say. */
export async function openControlSource(
  path: string,
  options: AnimateOptions,
  tools: FfmpegTools,
  signal: AbortSignal | undefined,
): Promise<ControlSource> {
  if (!(await isFolder(path))) return { kind: 'control-video', ...(await openVideo(path, options, tools, signal)) };
  const { frameRate, frameCount = 0 } = await openControlFolder(path, options, { width: 1, height: 1 }, signal);
  return { kind: 'control-folder', path, frameRate, frameCount };
}

async function openVideo(path: string, options: AnimateOptions, tools: FfmpegTools, signal: AbortSignal | undefined) {
  const info = await probe(path, tools, { signal });
  const decode = planDecode(info, {
    startSec: options.start,
    durationSec: options.duration ?? undefined,
    stride: options.stride,
    fps: options.fps ?? undefined,
    maxFrames: options.maxFrames ?? undefined,
  });
  return { path, info, decode, frameRate: decode.frameRate };
}

/** Control pictures as a stream at the size of the video. */
export async function openControlPictures(
  source: ControlSource,
  options: AnimateOptions,
  tools: FfmpegTools,
  size: Size,
  signal: AbortSignal | undefined,
): Promise<FrameStream> {
  if (source.kind === 'control-video') return decodeFrames(source.info, source.decode, tools, { ...size, signal });
  return openControlFolder(source.path, options, size, signal);
}

/** Frames per second of a picture folder when --fps does not say. */
const folderRate: Rational = { num: 15, den: 1 };

function openControlFolder(
  path: string,
  { fps, stride, maxFrames }: AnimateOptions,
  size: Size,
  signal: AbortSignal | undefined,
): Promise<FrameStream> {
  const frameRate = fps ?? folderRate;
  return openControlFrames(path, {
    ...{ ...size, frameRate, stride, maxFrames: maxFrames ?? undefined, signal },
    openVideo: (path) => Promise.reject(new RangeError(`${path} is not a folder any more`)),
  });
}

/** The part of a pose file that start, duration, stride and frame limit leave. */
function selectPoses(sequence: PoseSequence, options: AnimateOptions): PoseSequence {
  const { num, den } = sequence.frameRate;
  const first = Math.round((options.start * num) / den);
  const end = options.duration === null ? sequence.frames.length : first + Math.round((options.duration * num) / den);
  const frames = sequence.frames
    .slice(first, end)
    .filter((_, i) => i % options.stride === 0)
    .slice(0, options.maxFrames ?? undefined);
  if (frames.length === 0) {
    throw new PantomimeError({
      code: 'pose.no-frames',
      kind: 'input',
      what: 'no frame of the pose file is left',
      where: options.pose ?? undefined,
      got: `${sequence.frames.length} frames at ${(num / den).toFixed(2)} a second, start ${options.start} s`,
      hint: 'use a smaller --start',
    });
  }
  return { ...sequence, frames, frameRate: rational(num, den * options.stride) };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
