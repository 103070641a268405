import { spawn } from 'node:child_process';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RgbImage } from '#dist/stages/types.js';
import { codedFrame, turnedBack } from './coded-frame.js';

/**
 * Makes the nasty media of this tier. Frames are drawn here and piped into ffmpeg, so that their content is known. Uses
 * only options that ffmpeg has kept from 2018 to now.
 */
export type Clip = {
  readonly frames?: number;
  readonly width?: number;
  readonly height?: number;
  /** ffmpeg's spelling, e.g. `30000/1001`. */
  readonly rate?: string;
  /** Arguments after the inputs; the default is near-lossless H.264. */
  readonly video?: readonly string[];
  /** Further inputs and their arguments, e.g. sound. */
  readonly inputs?: readonly string[];
  /** Draws frame `index`; the default is `codedFrame`. Bytes of `pixelFormat`. */
  readonly draw?: (index: number) => Uint8Array;
  readonly pixelFormat?: string;
};

export const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '8', '-pix_fmt', 'yuv420p'] as const;
export const sine = (seconds: number, channels = 2, rate = 44_100) => [
  ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${rate}:duration=${seconds}`, '-ac', String(channels)],
];

export async function makeClip(ffmpeg: string, path: string, clip: Clip = {}): Promise<string> {
  const { frames = 24, width = 64, height = 48, rate = '24', video = h264, inputs = [], pixelFormat = 'rgb24' } = clip;
  const draw = clip.draw ?? ((index: number) => codedFrame(index % 256, width, height).data);
  const source = ['-f', 'rawvideo', '-pix_fmt', pixelFormat, '-video_size', `${width}x${height}`, '-framerate', rate];
  function* drawn() {
    for (let index = 0; index < frames; index += 1) yield draw(index);
  }
  await runFfmpeg(ffmpeg, [...source, '-i', 'pipe:0', ...inputs, ...video, `file:${path}`], Readable.from(drawn()));
  return path;
}

export async function runFfmpeg(ffmpeg: string, args: readonly string[], input?: Readable): Promise<Buffer> {
  const child = spawn(ffmpeg, ['-y', '-v', 'error', ...args], { stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  const [out, messages]: [Buffer[], Buffer[]] = [[], []];
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => messages.push(chunk));
  const code = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (input) await pipeline(input, child.stdin!).catch(() => {});
  if ((await code) !== 0) throw new Error(`ffmpeg ${args.join(' ')}\n${Buffer.concat(messages)}`);
  return Buffer.concat(out);
}

/**
 * A clip stored turned, with the display matrix that turns it upright again (clockwise by `degrees`). The matrix is
 * written into the file here, because versions of ffmpeg differ in how they are told.
 */
export async function makeTurnedClip(ffmpeg: string, path: string, degrees: 90 | 180 | 270): Promise<string> {
  const upright = { width: 64, height: 96 };
  const stored = turnedBack(codedFrame(0, upright.width, upright.height), degrees);
  await makeClip(ffmpeg, path, {
    width: stored.width,
    height: stored.height,
    draw: (index) => turnedBack(codedFrame(index, upright.width, upright.height), degrees).data,
  });
  const bytes = await readFile(path);
  const header = bytes.indexOf('tkhd');
  const version = bytes[header + 4];
  const matrixAt = header + (version === 1 ? 56 : 44);
  const [cos, sin] = { 90: [0, 1], 180: [-1, 0], 270: [0, -1] }[degrees] as [number, number];
  const [tx, ty] = { 90: [stored.height, 0], 180: [stored.width, stored.height], 270: [0, stored.width] }[degrees] as [
    number,
    number,
  ];
  const matrix = [cos, sin, 0, -sin, cos, 0, tx, ty, 0x4000];
  matrix.forEach((value, index) => {
    bytes.writeInt32BE(index === 8 ? 0x40000000 : value * 65_536, matrixAt + index * 4);
  });
  await writeFile(path, bytes);
  return path;
}

/** H.264 whose index comes first, cut off after `share` of its bytes: the frames up to there can be read. */
export async function makeTruncatedClip(ffmpeg: string, path: string, share: number): Promise<string> {
  await makeClip(ffmpeg, path, { frames: 60, video: [...h264, '-g', '10', '-movflags', '+faststart'] });
  const { length } = await readFile(path);
  await truncate(path, Math.floor(length * share));
  return path;
}

/** A folder of pictures `frame-1.png` ... `frame-<count>.png` (so that plain sorting puts 10 before 2). */
export async function makePictures(ffmpeg: string, folder: string, count: number): Promise<string> {
  await makeClip(ffmpeg, join(folder, 'frame-%d.png'), { frames: count, video: ['-c:v', 'png', '-start_number', '1'] });
  return folder;
}

export async function collect(frames: AsyncIterable<RgbImage>): Promise<RgbImage[]> {
  const all: RgbImage[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
}
