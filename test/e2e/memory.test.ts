import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AnimateInput } from '#dist/pipeline/index.js';
import { makeClip } from '../media/media-factory.js';
import { carried } from '../media/toolsets.js';
import { makeFolder, pantomime, readJson, removeFolder, sample, small, words } from './program.js';

const library = new URL('../../dist/pipeline/index.js', import.meta.url).href;
const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => removeFolder(folder));

/** Highest memory, in MiB, of a process of its own that finds the poses of `frames` frames. */
async function posePeak(frames: number): Promise<number> {
  const { poseModel } = small;
  const input: AnimateInput = {
    video: sample.video,
    poseModel,
    hands: false,
    face: false,
    fps: 96,
    stride: 1,
    maxFrames: frames,
  };
  const program = `
    import { extractPoses } from ${JSON.stringify(library)};
    await extractPoses(${JSON.stringify({ ...input, output: join(folder, `poses-${frames}`) })});
    console.log(process.resourceUsage().maxRSS / 1024);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd: root });
  return Number(stdout);
}

/** Highest memory of the engine and of the program around it, in MiB, animating `frames` frames. */
async function animatePeaks(frames: number): Promise<{ engine: number; main: number }> {
  const clip = join(folder, `${frames}.mp4`);
  const out = join(folder, `run-${frames}`);
  await makeClip(carried.ffmpeg, clip, { frames, width: 64, height: 64 });
  const options = { ...small, maxFrames: frames, chunk: 8, overlap: 0, guidanceScale: 0.5, decodeChunk: 4 };
  const { code, stderr } = await pantomime('animate', ...words({ ...options, controlVideo: clip }), '-o', out);
  expect(code, stderr).toBe(0);
  const { engine, process } = (await readJson(join(out, 'timings.json'))) as Record<string, { peakRssBytes: number }>;
  return { engine: engine!.peakRssBytes / 2 ** 20, main: process!.peakRssBytes / 2 ** 20 };
}

it('finding poses keeps no frames', async () => {
  // From 48 frames on, when the heap has settled; 144 more of 0.63 MiB each would be 90 MiB.
  expect(await posePeak(192)).toBeLessThan((await posePeak(48)) + 50);
});

it('animating keeps keypoints and latents only', async () => {
  // Six windows instead of two: what a window or a chunk leaves behind would show, activations are 5 MiB a window.
  const [short, long] = [await animatePeaks(8), await animatePeaks(40)];
  expect(long.engine).toBeLessThan(short.engine + 30);
  expect(long.main).toBeLessThan(short.main + 30);
});
