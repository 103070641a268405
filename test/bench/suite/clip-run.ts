import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { StageTiming } from '#dist/pipeline/run.js';
import { locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { runFfmpeg } from '../../media/media-factory.js';
import { type PeakMemory, runPantomime } from './processes.js';

/** The rendered dancer, 96 frames of 384x576. */
export const dancer = resolve('samples/driving/dancer.mp4');
const dancerFrames = 96;

/** The dancer again and again, for as many frames. */
export async function longDance(folder: string, frames: number): Promise<string> {
  const { ffmpeg } = await locateFfmpeg();
  const file = join(folder, 'dance.mp4');
  const loops = String(Math.ceil(frames / dancerFrames) - 1);
  await runFfmpeg(ffmpeg, ['-stream_loop', loops, '-i', dancer, '-c', 'copy', '-an', file]);
  return file;
}

export type ClipRun = {
  readonly seconds: number;
  readonly frames: number;
  /** Seconds by stage. */
  readonly stages: Readonly<Record<string, number>>;
  readonly peakBytes: PeakMemory;
};

/** A whole run of the command line with the embedded model, from files to files. */
export async function animateClip(
  folder: string,
  video: string,
  frames: number,
  more: readonly string[] = [],
): Promise<ClipRun> {
  const out = join(folder, 'run');
  const words = [
    'animate',
    resolve('samples/reference/ida.png'),
    video,
    '--max-frames',
    String(frames),
    '--stride',
    '1',
  ];
  const { seconds, peakBytes } = await runPantomime([...words, '--seed', '1', '--quiet', '-o', out, ...more]);
  const { stages } = JSON.parse(await readFile(join(out, 'timings.json'), 'utf8')) as { stages: StageTiming[] };
  await rm(out, { recursive: true });
  const sums: Record<string, number> = {};
  for (const { stage, ms } of stages) sums[stage] = (sums[stage] ?? 0) + ms / 1000;
  return { seconds, frames, stages: sums, peakBytes };
}
