import { PantomimeError } from '../models/errors.js';
import { type DecodePipe, decodeToPipe, ffmpegFailed } from './ffmpeg/command.js';
import { decodeArguments, type FrameSelection } from './ffmpeg/decode-arguments.js';
import { fileUrl } from './ffmpeg/file-input.js';
import type { FfmpegTools } from './ffmpeg/locate.js';
import { nearestCommonRate, rational, toNumber } from './ffmpeg/rational.js';
import type { FrameStream, MediaInfo, Rational, RgbImage, VideoInfo } from './types.js';

/** Most frames one decode gives, whatever the file claims. */
export const maxDecodedFrames = 1_000_000;
/** Highest constant rate a clip may be resampled to. */
export const maxResampledRate = 240;

export type DecodeOptions = {
  /** Where to begin, in seconds; snapped to the nearest frame. */
  readonly startSec?: number | undefined;
  readonly durationSec?: number | undefined;
  /** Take every n-th frame of the constant-rate stream: 0, n, 2n, ... */
  readonly stride?: number | undefined;
  /** Resample to this rate first. Default: the clip's own rate; the nearest common one when it varies. */
  readonly fps?: Rational | undefined;
  /** Most frames given, after the stride. */
  readonly maxFrames?: number | undefined;
};

/** Which frames of a clip will be decoded. Frame i is the picture shown at `startSec + i / frameRate`. */
export type DecodePlan = FrameSelection & {
  /** `startFrame / baseRate`: where to cut the sound. */
  readonly startSec: number;
  /** Frames expected; undefined when the file does not tell. Off by one at most unless the file is damaged. */
  readonly frameCount: number | undefined;
  /** `frameCount / frameRate`: how long the result is, and where to end the sound. */
  readonly durationSec: number | undefined;
};

/** Decide which frames are taken; decodes nothing. Throws PantomimeError `usage` for values that make no sense. */
export function planDecode(info: MediaInfo, options: DecodeOptions = {}): DecodePlan {
  const { startSec = 0, durationSec, stride = 1, fps, maxFrames } = options;
  demand(Number.isFinite(startSec) && startSec >= 0, 'start', startSec, 'seconds from 0');
  demand(durationSec === undefined || durationSec > 0, 'duration', durationSec, 'more than 0 seconds');
  demand(Number.isInteger(stride) && stride >= 1 && stride <= 1000, 'stride', stride, 'a whole number from 1 to 1000');
  demand(
    maxFrames === undefined || (Number.isInteger(maxFrames) && maxFrames >= 1),
    'max-frames',
    maxFrames,
    'a whole number from 1',
  );
  demand(!fps || toNumber(fps) <= maxResampledRate, 'fps', fps && toNumber(fps), `at most ${maxResampledRate}`);

  const { video } = info;
  const own = video.variableFrameRate ? nearestCommonRate(toNumber(video.frameRate), 0.02) : video.frameRate;
  const baseRate = fps ?? own;
  const frameRate = rational(baseRate.num, baseRate.den * stride);
  const startFrame = Math.round((startSec * baseRate.num) / baseRate.den);

  const sourceFrames = countAt(baseRate, info);
  const available = sourceFrames === undefined ? undefined : sourceFrames - startFrame;
  if (available !== undefined && available <= 0) {
    throw new PantomimeError({
      code: 'video.start-after-end',
      kind: 'input',
      what: 'the video ends before the start that was asked for',
      where: info.path,
      got: `start ${startSec} s`,
      expected: `less than ${((sourceFrames ?? 0) / toNumber(baseRate)).toFixed(2)} s`,
    });
  }
  const wanted = durationSec === undefined ? undefined : Math.max(1, Math.round(durationSec * toNumber(baseRate)));
  const taken = (frames: number | undefined) => (frames === undefined ? undefined : Math.ceil(frames / stride));
  const frameLimit = Math.min(maxFrames ?? maxDecodedFrames, taken(wanted) ?? maxDecodedFrames, maxDecodedFrames);
  const takenAvailable = taken(available);
  const frameCount = takenAvailable === undefined ? undefined : Math.min(takenAvailable, frameLimit);
  return {
    baseRate,
    frameRate,
    stride,
    startFrame,
    startSec: (startFrame * baseRate.den) / baseRate.num,
    frameLimit,
    frameCount,
    durationSec: frameCount === undefined ? undefined : frameCount / toNumber(frameRate),
  };
}

function countAt(rate: Rational, { video, durationSec }: MediaInfo): number | undefined {
  const same = rate.num * video.frameRate.den === video.frameRate.num * rate.den;
  if (same && !video.variableFrameRate && video.frameCount !== undefined) return video.frameCount;
  const seconds = video.frameCount === undefined ? durationSec : video.frameCount / toNumber(video.frameRate);
  return seconds === undefined ? undefined : Math.max(1, Math.round(seconds * toNumber(rate)));
}

function demand(holds: boolean, option: string, got: unknown, expected: string): void {
  if (holds) return;
  throw new PantomimeError({
    code: `decode.bad-${option}`,
    kind: 'usage',
    what: `${option} is out of range`,
    where: `--${option}`,
    got: String(got),
    expected,
  });
}

export type DecodeFramesOptions = {
  /** Size of the frames; default: display size. One alone keeps the aspect ratio. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told when the file is damaged, ends early, or cannot be shown as it was meant. */
  readonly onWarning?: ((message: string) => void) | undefined;
};

/**
 * Upright constant-rate RGB frames with square pixels. One ffmpeg runs from the first `next()` to the end of the
 * iteration; it waits while nobody reads. 8-bit SDR frames at display size equal those of `ffmpeg -i IN -pix_fmt rgb24`.
 * Alpha lies on black. HDR is tone-mapped to BT.709. A file cut off in the middle gives the frames it has and a warning.
 * Iterating throws PantomimeError (`input` when there is no frame, `ffmpeg` when ffmpeg fails) or the signal's reason.
 */
export function decodeFrames(
  info: MediaInfo,
  plan: DecodePlan,
  tools: FfmpegTools,
  options: DecodeFramesOptions = {},
): FrameStream {
  const { width, height } = outputSize(info.video, options.width, options.height);
  return {
    width,
    height,
    frameRate: plan.frameRate,
    frameCount: plan.frameCount,
    frames: { [Symbol.asyncIterator]: () => decodeAll(info, plan, tools, { ...options, width, height }) },
  };
}

type SizedOptions = DecodeFramesOptions & { readonly width: number; readonly height: number };

async function* decodeAll(
  info: MediaInfo,
  plan: DecodePlan,
  tools: FfmpegTools,
  options: SizedOptions,
): AsyncGenerator<RgbImage, void, void> {
  const { width, height, signal, onWarning } = options;
  const input = fileUrl(info.path);
  const pipe = decodeToPipe({ ffmpeg: tools.ffmpeg, input, ...decodeArguments(info, plan, tools, options), signal });
  let count = 0;
  try {
    for await (const data of groupBytes(pipe, width * height * 3, info.path)) {
      count += 1;
      yield { width, height, data };
    }
    const end = await pipe.exit();
    // 69 is ffmpeg's "too many damaged frames": what could be decoded has been given.
    if (end.exitCode !== 0 && !(end.exitCode === 69 && count > 0)) {
      if (count === 0 && end.exitCode !== null) throw noFrames(info, plan, end.stderr);
      throw ffmpegFailed('decode the video', input, end);
    }
    if (count === 0) throw noFrames(info, plan, end.stderr);
    if (end.stderr.trim()) {
      const lines = end.stderr.trim().split('\n');
      onWarning?.(
        `${info.path}: damaged video, ${count} frames could be read (${lines.length} messages, last: ${lines.at(-1)})`,
      );
    } else if (plan.frameCount !== undefined && count < plan.frameCount - 1) {
      onWarning?.(`${info.path}: the video ends early, ${count} of ${plan.frameCount} frames could be read`);
    }
  } finally {
    await pipe.stop();
  }
}

/** Cut ffmpeg's output into frames, each in its own memory. Bytes left over at the end are an error. */
async function* groupBytes(pipe: DecodePipe, sizeBytes: number, path: string): AsyncGenerator<Uint8Array, void, void> {
  let frame = new Uint8Array(sizeBytes);
  let filled = 0;
  for await (const chunk of pipe.stdout as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + sizeBytes - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < sizeBytes) continue;
      yield frame;
      frame = new Uint8Array(sizeBytes);
      filled = 0;
    }
  }
  if (filled === 0) return;
  const end = await pipe.exit();
  if (end.exitCode === null) throw ffmpegFailed('decode the video', path, end);
  throw new PantomimeError({
    code: 'video.partial-frame',
    kind: 'ffmpeg',
    what: 'ffmpeg stopped in the middle of a frame',
    where: path,
    got: `${filled} of ${sizeBytes} bytes, exit code ${end.exitCode}${end.stderr ? `, ${end.stderr}` : ''}`,
    hint: 'try another ffmpeg with --ffmpeg',
  });
}

function noFrames(info: MediaInfo, plan: DecodePlan, stderr: string): PantomimeError {
  return new PantomimeError({
    code: 'video.no-frames',
    kind: 'input',
    what: 'no frame of the video could be decoded',
    where: info.path,
    got: stderr.trim().slice(-500) || `0 frames${plan.startSec > 0 ? ` from ${plan.startSec} s on` : ''}`,
    expected: 'at least one frame',
    hint: plan.startSec > 0 ? 'choose an earlier --start' : `play ${info.path} to see whether it is damaged`,
  });
}

function outputSize(
  video: VideoInfo,
  width: number | undefined,
  height: number | undefined,
): { readonly width: number; readonly height: number } {
  const size = {
    width: width ?? Math.max(1, Math.round((video.width * (height ?? video.height)) / video.height)),
    height: height ?? Math.max(1, Math.round((video.height * (width ?? video.width)) / video.width)),
  };
  for (const [name, value] of Object.entries(size)) {
    demand(Number.isInteger(value) && value >= 1 && value <= 16_384, name, value, 'a whole number from 1 to 16384');
  }
  return size;
}
