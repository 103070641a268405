import { PantomimeError } from '../../models/errors.js';
import { fileUrl, guardedInput } from './file-input.js';
import { inputError } from './input-error.js';
import type { FfmpegTools } from './locate.js';
import { runTool } from './run-tool.js';

/** The fields of ffprobe's JSON that are used. Everything in it comes from the file: nothing is taken on trust. */
export type RawStream = {
  codec_type?: string;
  codec_name?: string;
  width?: number;
  height?: number;
  sample_aspect_ratio?: string;
  pix_fmt?: string;
  bits_per_raw_sample?: string;
  color_range?: string;
  color_space?: string;
  color_transfer?: string;
  color_primaries?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  time_base?: string;
  nb_frames?: string;
  duration?: string;
  channels?: number;
  sample_rate?: string;
  disposition?: { attached_pic?: number };
  tags?: Record<string, string>;
  side_data_list?: { rotation?: number }[];
};
export type RawPacket = { pts?: number; dts?: number; duration?: number; flags?: string };
export type RawProbe = {
  streams?: RawStream[];
  packets?: RawPacket[];
  format?: { format_name?: string; duration?: string };
};

/** Run ffprobe on a file that may be hostile. `show` says what is asked for. Throws as `probe` does. */
export async function ffprobe(
  path: string,
  tools: Pick<FfmpegTools, 'ffprobe'>,
  show: readonly string[],
  signal: AbortSignal | undefined,
): Promise<RawProbe> {
  const args = ['-v', 'error', ...guardedInput, '-of', 'json', ...show, '-i', fileUrl(path)];
  const { exitCode, stdout, stderr, failure } = await runTool(tools.ffprobe, args, signal);
  if (exitCode === 0) return JSON.parse(stdout) as RawProbe;
  if (exitCode === null) {
    throw new PantomimeError({
      code: 'ffmpeg.failed',
      kind: 'ffmpeg',
      what: `ffprobe did not answer: ${failure ?? 'it was ended by a signal'}`,
      where: path,
      hint: 'try another one with FFPROBE_PATH',
    });
  }
  const message = stderr.trim().split('\n').slice(-3).join('; ').replaceAll(fileUrl(path), path).slice(0, 500);
  if (/not on whitelist/i.test(stderr)) {
    throw inputError(path, 'video.container-refused', 'this kind of container is not opened', {
      got: /\[(\w+)(?: @ \w+)?\] Format not on whitelist/i.exec(stderr)?.[1] ?? message,
      expected: 'a video file such as mp4, mov, webm, mkv or avi; play lists are refused for safety',
      hint: 'rewrap it: ffmpeg -i IN -c copy OUT.mkv',
    });
  }
  const cut = /moov atom not found/i.test(stderr);
  throw inputError(path, 'video.not-media', cut ? 'this video is cut off: its index is missing' : 'this is no video', {
    got: message || `ffprobe exit code ${exitCode}`,
    expected: 'a whole video file such as mp4, mov, webm, mkv or avi',
    hint: cut ? 'download or export it again' : undefined,
  });
}

/** ffprobe writes numbers as text, and `N/A` for what it does not know. */
export function positive(value: string | undefined): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : undefined;
}
