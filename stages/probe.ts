import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { ffprobe, positive, type RawStream } from './ffmpeg/ffprobe.js';
import { type PacketScan, readFrameRate } from './ffmpeg/frame-rate.js';
import { inputError } from './ffmpeg/input-error.js';
import type { FfmpegTools } from './ffmpeg/locate.js';
import { parseRational, toNumber } from './ffmpeg/rational.js';
import type { AudioInfo, MediaInfo, VideoInfo } from './types.js';

/** Widest or highest picture that is read. */
export const maxVideoSide = 16_384;
/** Largest picture that is read, in pixels (about 8192x8192). */
export const maxVideoPixels = 2 ** 26;
/** Fastest stream that is read, in frames per second. */
export const maxFrameRate = 1_000;
/** Longest file that is read, in seconds (a day). Also bounds how many frames one gap in the timestamps can become. */
export const maxDurationSec = 86_400;
/** Packets looked at to find out whether the frame rate is constant. */
const maxScannedPackets = 2_000;

/**
 * Find out what a media file holds without decoding it. Throws PantomimeError of kind `input` for what is missing,
 * unreadable, no media, without video or beyond the limits above; of kind `ffmpeg` when ffprobe does not work.
 */
export async function probe(
  path: string,
  tools: Pick<FfmpegTools, 'ffprobe'>,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<MediaInfo> {
  await checkReadable(path);
  const raw = await ffprobe(path, tools, ['-show_streams', '-show_format'], options.signal);
  const streams = raw.streams ?? [];
  const stream = streams.find((one) => one.codec_type === 'video' && one.disposition?.attached_pic !== 1);
  const audio = streams.find((one) => one.codec_type === 'audio');
  if (streams.length === 0) throw inputError(path, 'video.not-media', 'this file holds neither pictures nor sound');
  if (!stream) {
    const found = [...new Set(streams.map((one) => one.codec_type ?? 'unknown'))].join(', ');
    throw inputError(path, 'video.no-video', audio ? 'this file has sound but no video' : 'this file has no video', {
      got: found,
      expected: 'a video stream',
    });
  }
  const packets = await scanPackets(path, tools, options.signal);
  const durationSec = positive(raw.format?.duration) ?? positive(stream.duration);
  const video = readVideo(path, stream, packets, durationSec);
  return {
    path,
    format: raw.format?.format_name ?? 'unknown',
    durationSec: durationSec ?? packets.durationSec,
    video,
    audio: audio && readAudio(audio),
  };
}

async function checkReadable(path: string): Promise<void> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw inputError(path, 'video.missing', 'there is no such file', { got: cause.code, cause });
  });
  if (!info.isFile()) {
    throw inputError(path, 'video.not-a-file', 'this is not a file', {
      got: info.isDirectory() ? 'a folder' : 'a device or pipe',
      expected: 'a video file',
    });
  }
  if (info.size === 0) throw inputError(path, 'video.empty', 'this file is empty', { got: '0 bytes' });
  await access(path, constants.R_OK).catch((cause: unknown) => {
    throw inputError(path, 'video.no-permission', 'this file may not be read', {
      cause,
      hint: 'check its permissions',
    });
  });
}

async function scanPackets(
  path: string,
  tools: Pick<FfmpegTools, 'ffprobe'>,
  signal: AbortSignal | undefined,
): Promise<PacketScan> {
  const show = ['-select_streams', 'V:0', '-read_intervals', `%+#${maxScannedPackets}`];
  const entries = ['-show_entries', 'packet=pts,dts,duration,flags:stream=time_base'];
  const raw = await ffprobe(path, tools, [...show, ...entries], signal);
  // An edit list marks packets that are decoded but never shown with D.
  const packets = (raw.packets ?? []).filter((packet) => !packet.flags?.includes('D'));
  const times = packets.map((one) => one.pts ?? one.dts).filter((time) => time !== undefined);
  times.sort((a, b) => a - b);
  const base = parseRational(raw.streams?.[0]?.time_base);
  const tickSec = base ? toNumber(base) : 0;
  const lastDuration = packets.at(-1)?.duration ?? 0;
  const whole = (raw.packets?.length ?? 0) < maxScannedPackets;
  const [first, last] = [times[0], times.at(-1)];
  const durationSec =
    whole && first !== undefined && last !== undefined ? (last - first + lastDuration) * tickSec : undefined;
  return { times, lastDuration, whole, tickSec, durationSec: durationSec || undefined };
}

function readVideo(path: string, stream: RawStream, packets: PacketScan, durationSec: number | undefined): VideoInfo {
  const codedWidth = stream.width ?? 0;
  const codedHeight = stream.height ?? 0;
  if (codedWidth <= 0 || codedHeight <= 0) {
    throw inputError(path, 'video.no-size', 'the video stream has no picture size', {
      got: `${codedWidth}x${codedHeight}, codec ${stream.codec_name ?? 'unknown'}`,
      hint: 'the file may be damaged or its codec unknown to this ffmpeg',
    });
  }
  if (packets.whole && packets.times.length === 0) {
    throw inputError(path, 'video.no-frames', 'the video stream has no frames', { got: '0 frames' });
  }
  const rotationDeg = readRotation(stream);
  const { width, height } = displaySize(codedWidth, codedHeight, stream.sample_aspect_ratio, rotationDeg);
  checkLimits(path, codedWidth, codedHeight, width, height, durationSec);

  const rate = readFrameRate(stream, packets, durationSec);
  if (toNumber(rate.frameRate) > maxFrameRate) {
    throw inputError(path, 'video.too-fast', 'the frame rate is beyond what is read', {
      got: `${toNumber(rate.frameRate)} frames per second`,
      expected: `at most ${maxFrameRate}`,
    });
  }
  const pixelFormat = stream.pix_fmt ?? 'unknown';
  const transfer = known(stream.color_transfer);
  return {
    codec: stream.codec_name ?? 'unknown',
    codedWidth,
    codedHeight,
    width,
    height,
    rotationDeg,
    ...rate,
    frameCount: packets.whole ? packets.times.length : positive(stream.nb_frames),
    pixelFormat,
    bitDepth: readBitDepth(stream),
    // VP8 and VP9 keep alpha in a second stream that only their own libraries decode; ffprobe shows it as a tag.
    hasAlpha: alphaFormat.test(pixelFormat) || (stream.tags?.alpha_mode ?? stream.tags?.ALPHA_MODE) === '1',
    color: {
      primaries: known(stream.color_primaries),
      transfer,
      matrix: known(stream.color_space),
      range: known(stream.color_range),
      hdr: transfer === 'smpte2084' || transfer === 'arib-std-b67',
    },
  };
}

const alphaFormat = /^(yuva|rgba|bgra|argb|abgr|gbrap|ya\d|pal8|ayuv|vuya)/;

/** ffprobe counts rotation counter-clockwise and writes it into the display matrix; old files have a `rotate` tag. */
function readRotation(stream: RawStream): number {
  const matrix = stream.side_data_list?.find((data) => data.rotation !== undefined)?.rotation;
  const clockwise = matrix !== undefined ? -matrix : Number(stream.tags?.rotate ?? 0);
  if (!Number.isFinite(clockwise)) return 0;
  return (((Math.round(clockwise / 90) * 90) % 360) + 360) % 360;
}

/** Square pixels by enlarging the shorter-sampled axis, then the turn. */
function displaySize(
  codedWidth: number,
  codedHeight: number,
  aspect: string | undefined,
  rotationDeg: number,
): { readonly width: number; readonly height: number } {
  const ratio = parseRational(aspect);
  const sar = ratio ? toNumber(ratio) : 1;
  const wide = sar > 1 ? Math.round(codedWidth * sar) : codedWidth;
  const high = sar < 1 ? Math.round(codedHeight / sar) : codedHeight;
  return rotationDeg % 180 === 0 ? { width: wide, height: high } : { width: high, height: wide };
}

function checkLimits(
  path: string,
  codedWidth: number,
  codedHeight: number,
  width: number,
  height: number,
  durationSec: number | undefined,
): void {
  const side = Math.max(codedWidth, codedHeight, width, height);
  if (side > maxVideoSide || Math.max(codedWidth * codedHeight, width * height) > maxVideoPixels) {
    throw inputError(path, 'video.too-large', 'the picture is larger than what is read', {
      got: `${codedWidth}x${codedHeight} stored, ${width}x${height} shown`,
      expected: `at most ${maxVideoSide} a side and ${maxVideoPixels} pixels`,
    });
  }
  if (durationSec !== undefined && durationSec > maxDurationSec) {
    throw inputError(path, 'video.too-long', 'the video is longer than what is read', {
      got: `${Math.round(durationSec)} s`,
      expected: `at most ${maxDurationSec} s`,
      hint: 'cut it first',
    });
  }
}

function readBitDepth(stream: RawStream): number {
  const format = stream.pix_fmt ?? '';
  const planar = /p(?:f16|0?(9|10|12|14|16))(?:le|be)?$/.exec(format)?.[1];
  if (planar) return Number(planar);
  if (/^(rgb48|bgr48|rgba64|bgra64|gray16|ya16)/.test(format)) return 16;
  const gray = /^gray(\d+)/.exec(format)?.[1];
  if (gray) return Number(gray);
  if (/^(x2rgb10|x2bgr10|y210)/.test(format)) return 10;
  return 8;
}

function readAudio(stream: RawStream): AudioInfo {
  return {
    codec: stream.codec_name ?? 'unknown',
    channels: stream.channels ?? 0,
    sampleRate: Number(stream.sample_rate) || 0,
    durationSec: positive(stream.duration),
  };
}

/** ffprobe writes `unknown` or leaves the field out. */
function known(value: string | undefined): string | undefined {
  return value === undefined || value === 'unknown' || value === 'reserved' ? undefined : value;
}
