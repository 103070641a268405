import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { PantomimeError } from '../models/errors.js';
import { monotonicMs, type Span } from '../models/runtime/monotonic.js';
import { encodeFromPipe } from './ffmpeg/command.js';
import { fileUrl, guardedInput } from './ffmpeg/file-input.js';
import { isWholeMp4 } from './ffmpeg/is-whole-mp4.js';
import type { FfmpegTools } from './ffmpeg/locate.js';
import { formatRational } from './ffmpeg/rational.js';
import type { AudioInfo, Rational, RgbImage } from './types.js';

/** Audio codecs that mp4 and every common player accept as they are. Others become AAC. */
const copiedAudio: ReadonlySet<string> = new Set(['aac', 'mp3', 'ac3', 'eac3', 'alac']);
/** x264's result depends on its number of threads: a fixed one gives the same bytes on every machine. */
const encoderThreads = 4;

export type EncodeAudio = {
  /** File whose first audio stream is taken; a file without one gives a silent video. */
  readonly path: string;
  /** What `probe` said of it; decides between copying and AAC. AAC when left out. */
  readonly info?: AudioInfo | undefined;
  /** The same cut as the frames': see `DecodePlan`. */
  readonly startSec: number;
  readonly durationSec: number;
};

export type EncodeOptions = {
  readonly frames: AsyncIterable<RgbImage>;
  /** Size of every frame; odd ones get their last column or row twice (H.264 4:2:0 wants even sizes). */
  readonly width: number;
  readonly height: number;
  readonly frameRate: Rational;
  /** The finished file, `.mp4` or `.mov`. */
  readonly out: string;
  readonly tools: Pick<FfmpegTools, 'ffmpeg'>;
  readonly audio?: EncodeAudio | undefined;
  /** x264 quality, 0 (lossless) to 51. Default 18. */
  readonly crf?: number | undefined;
  /** x264 speed. Default `medium`. */
  readonly preset?: string | undefined;
  /** Goes into the file's `comment` tag. */
  readonly comment?: string | undefined;
  /** Called with the number of frames taken so far. */
  readonly onFrame?: ((count: number) => void) | undefined;
  /** Told how long ffmpeg took for each frame to take it, and for the end. */
  readonly onWork?: ((span: Span) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Write frames as H.264 in mp4: exact frame rate, BT.709 (converted and tagged), playable while it downloads. Frames are
 * pulled one at a time as ffmpeg takes them. The same frames and options give the same bytes with one ffmpeg build.
 * Written beside `out` under another name and renamed when whole; after a failure nothing is left. Returns the number of
 * frames. Throws PantomimeError (`usage` for `out`, `ffmpeg`, `internal` for frames of a wrong size), what `frames`
 * throws, or the signal's reason.
 */
export async function encodeVideo(options: EncodeOptions): Promise<number> {
  const { frames, width, height, audio, out, tools, onFrame, onWork, signal } = options;
  signal?.throwIfAborted();
  const extension = extname(out).toLowerCase();
  if (extension !== '.mp4' && extension !== '.mov') {
    throw outputError(out, 'encode.bad-extension', 'this kind of video cannot be written', {
      got: extension || 'no extension',
      expected: '.mp4 or .mov',
    });
  }
  const part = await reservePart(out, extension);
  let count = 0;
  let handedMs = monotonicMs();
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const frame of frames) {
      if (frame.width !== width || frame.height !== height || frame.data.length !== width * height * 3) {
        throw new PantomimeError({
          code: 'encode.frame-size',
          kind: 'internal',
          what: `frame ${count} has another size than the video`,
          where: out,
          got: `${frame.width}x${frame.height}, ${frame.data.length} bytes`,
          expected: `${width}x${height} RGB`,
        });
      }
      const bytes = evenSized(frame);
      handedMs = monotonicMs();
      yield bytes;
      onWork?.({ startMs: handedMs, endMs: monotonicMs() });
      count += 1;
      onFrame?.(count);
    }
    handedMs = monotonicMs();
    if (count === 0) {
      throw new PantomimeError({ code: 'encode.no-frames', kind: 'internal', what: 'no frames to write', where: out });
    }
  }
  try {
    await encodeFromPipe({
      ffmpeg: tools.ffmpeg,
      source: bytes(),
      sourceOptions: sourceArguments(options),
      second: audio && {
        options: [...guardedInput, '-ss', seconds(audio.startSec), '-t', seconds(audio.durationSec)],
        input: fileUrl(audio.path),
      },
      outputOptions: outputArguments(options),
      output: fileUrl(part),
      shownAs: out,
      signal,
    });
    onWork?.({ startMs: handedMs, endMs: monotonicMs() });
    await syncFile(part);
    // ffmpeg can end well without having written everything.
    if (!(await isWholeMp4(part))) {
      throw new PantomimeError({
        code: 'ffmpeg.failed',
        kind: 'ffmpeg',
        what: 'ffmpeg wrote only part of the video',
        where: out,
      });
    }
    await rename(part, resolve(out));
    return count;
  } catch (error) {
    throw await explainWriteError(error, out);
  } finally {
    await rm(part, { force: true });
  }
}

function sourceArguments({ width, height, frameRate }: EncodeOptions): string[] {
  const size = `${width + (width % 2)}x${height + (height % 2)}`;
  return [
    ...['-nostdin', '-v', 'error', '-protocol_whitelist', 'file,pipe', '-f', 'rawvideo', '-pix_fmt', 'rgb24'],
    ...['-video_size', size, '-framerate', formatRational(frameRate)],
  ];
}

function outputArguments({ audio, crf = 18, preset = 'medium', comment, frameRate }: EncodeOptions): string[] {
  const scale = 'scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int+bitexact';
  const args = ['-y', '-map', '0:v:0', '-vf', `${scale},format=yuv420p`, '-r', formatRational(frameRate)];
  args.push('-c:v', 'libx264', '-preset', preset, '-crf', String(crf), '-pix_fmt', 'yuv420p');
  args.push('-threads:v', String(encoderThreads));
  args.push('-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709', '-color_range', 'tv');
  if (audio) {
    args.push('-map', '1:a:0?');
    if (audio.info && copiedAudio.has(audio.info.codec)) {
      // Copied sound begins with the first packet of the cut, not hidden behind an edit list from the file's start.
      args.push('-c:a', 'copy', '-copypriorss:a', '0');
    } else args.push('-c:a', 'aac', '-b:a', '192k');
  }
  // Nothing of the driving clip's tags: they may say where and when it was filmed.
  args.push('-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact');
  args.push('-flags:a', '+bitexact', '-movflags', '+faststart');
  if (comment) args.push('-metadata', `comment=${comment}`);
  return args;
}

/** The frame's bytes with even width and height; the edge is repeated so that no dark line appears. */
function evenSized({ width, height, data }: RgbImage): Uint8Array {
  const evenWidth = width + (width % 2);
  const evenHeight = height + (height % 2);
  if (evenWidth === width && evenHeight === height) return data;
  const rowBytes = evenWidth * 3;
  const padded = new Uint8Array(rowBytes * evenHeight);
  for (let y = 0; y < evenHeight; y += 1) {
    const row = Math.min(y, height - 1) * width * 3;
    padded.set(data.subarray(row, row + width * 3), y * rowBytes);
    if (evenWidth > width)
      padded.copyWithin(y * rowBytes + width * 3, y * rowBytes + (width - 1) * 3, y * rowBytes + width * 3);
  }
  return padded;
}

/** Make the unfinished file's name ours, beside the result so that the rename cannot cross file systems. */
async function reservePart(out: string, extension: string): Promise<string> {
  const folder = dirname(resolve(out));
  // The name is cut so that a long result name still fits with its ending.
  const stem = basename(out).slice(0, 60);
  const part = join(folder, `.${stem}.${randomBytes(4).toString('hex')}.part${extension}`);
  try {
    if (
      await stat(out).then(
        (info) => info.isDirectory(),
        () => false,
      )
    ) {
      throw Object.assign(new Error('a folder of that name exists'), { code: 'EISDIR' });
    }
    await mkdir(folder, { recursive: true });
    await (await open(part, 'wx')).close();
    return part;
  } catch (cause) {
    throw outputError(out, 'encode.not-writable', 'the video cannot be written there', {
      got: (cause as Error).message,
      hint: 'choose another place with --out',
      cause,
    });
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A full disk shows as one of ffmpeg's messages, or as an error of our own sync and rename. */
async function explainWriteError(error: unknown, out: string): Promise<unknown> {
  const full =
    error instanceof Error && /no space left|ENOSPC|disk quota|EDQUOT|file too large|EFBIG/i.test(error.message);
  if (full) {
    return outputError(out, 'encode.no-space', 'there is no room for the video', {
      hint: 'free some space or choose another place with --out',
      cause: error,
    });
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (error instanceof PantomimeError || !code || !/^E[A-Z]+$/.test(code)) return error;
  return outputError(out, 'encode.not-writable', 'the video could not be finished', {
    got: (error as Error).message,
    cause: error,
  });
}

function seconds(value: number): string {
  return value.toFixed(6);
}

function outputError(
  out: string,
  code: string,
  what: string,
  rest: { got?: string; expected?: string; hint?: string; cause?: unknown },
): PantomimeError {
  return new PantomimeError({ code, kind: 'usage', what, where: out, ...rest });
}
