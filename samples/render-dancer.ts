/**
 * Renders `samples/driving/dancer.mp4`:
 *
 *     npm run build && node dist/samples/render-dancer.js
 *
 * Pure arithmetic on one core (a few minutes), the same pictures every time. ffmpeg only encodes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ffmpeg from '@ffmpeg-installer/ffmpeg';
import { beatLoop, wavOf } from './dancer/beat.js';
import { clip, clipFrame } from './dancer/clip.js';
import { beatsPerMinute } from './dancer/motion.js';

const folder = (name: string): string => fileURLToPath(new URL(`../../samples/${name}/`, import.meta.url));
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function renderClip(): Promise<void> {
  await mkdir(folder('driving'), { recursive: true });
  const path = `${folder('driving')}dancer.mp4`;
  const partial = `${folder('driving')}dancer.partial.mp4`;
  const track = `${folder('driving')}dancer.partial.wav`;
  const { width, height, framesPerSecond, frames } = clip;
  await writeFile(track, wavOf(beatLoop(frames / framesPerSecond, 48000, beatsPerMinute), 48000));
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', `${framesPerSecond}`];
  const tags = ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709', '-color_range', 'tv'];
  const encode = ['-c:v', 'libx264', '-preset', 'veryslow', '-crf', '19', '-threads', '1', ...tags];
  const filter = ['-vf', 'scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format=yuv420p'];
  const exact = ['-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact', '-map_metadata', '-1'];
  const sound = ['-c:a', 'aac', '-b:a', '96k', '-shortest'];
  const child = spawn(
    ffmpeg.path,
    ['-v', 'error', '-y', ...input, '-i', '-', '-i', track, ...filter, ...encode, ...sound, ...exact].concat(
      '-movflags',
      '+faststart',
      partial,
    ),
    { stdio: ['pipe', 'inherit', 'inherit'] },
  );
  const ended = once(child, 'close');
  for (let frame = 0; frame < frames; frame++) {
    if (!child.stdin.write(clipFrame(frame).data)) await once(child.stdin, 'drain');
    if (frame % 12 === 11) say(`frame ${frame + 1} of ${frames}`);
  }
  child.stdin.end();
  const [code] = await ended;
  await rm(track);
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
  await rename(partial, path);
  say(path);
}

await renderClip();
