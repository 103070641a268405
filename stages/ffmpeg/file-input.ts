import { resolve } from 'node:path';

/**
 * Containers that ffmpeg may open, by the names of its demuxers. Play lists and scripts (hls, dash, concat, ...) are left
 * out on purpose: such a file can make ffmpeg read other files of this machine or of the network.
 */
export const allowedContainers: readonly string[] = [
  ...['mov', 'mp4', 'matroska', 'webm', 'avi', 'mpegts', 'mpeg', 'flv', 'asf', 'ogg', 'mxf', 'nut', 'gif', 'apng'],
  ...['h264', 'hevc', 'm4v', 'mpegvideo', 'ivf', 'obu', 'av1', 'mjpeg', 'yuv4mpegpipe', 'dv', 'rm', 'wtv'],
  // Pictures and sound, so that the error can say what the file is.
  ...['png_pipe', 'jpeg_pipe', 'webp_pipe', 'bmp_pipe', 'tiff_pipe', 'wav', 'mp3', 'aac', 'flac', 'aiff', 'w64', 'ac3'],
];

/** Options before `-i` for a file that may be hostile: no network, no play lists. */
export const guardedInput: readonly string[] = [
  '-protocol_whitelist',
  'file,pipe',
  '-format_whitelist',
  allowedContainers.join(','),
];

/** How ffmpeg is told a path so that no character of it (a leading `-`, a colon, a percent sign) means anything. */
export function fileUrl(path: string): string {
  return `file:${resolve(path)}`;
}
