import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnimateInput, animate } from '#dist/pipeline/index.js';
import { alignPoses } from '#dist/stages/pose/align.js';
import { drawSkeleton, type SkeletonStyle } from '#dist/stages/pose/draw.js';
import { readPoseJson } from '#dist/stages/pose/pose-json.js';
import { probe } from '#dist/stages/probe.js';
import { h264, makeClip, makeTurnedClip } from '../media/media-factory.js';
import { carried } from '../media/toolsets.js';
import { isThere, latentsOf, makeFolder, pantomime, readJson, removeFolder, sample, small, words } from './program.js';

let folder: string;
let pose: string;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await makeFolder();
  const { poseModel, maxFrames } = small;
  const flags = words({ video: sample.video, poseModel, hands: false, face: false, maxFrames: (maxFrames ?? 0) + 2 });
  const { code, stdout, stderr } = await pantomime('pose', ...flags, '-o', at('poses'), '--json');
  expect(code, stderr).toBe(0);
  // Finding poses draws no random numbers.
  expect(JSON.parse(stdout.split('\n')[0] as string)).not.toHaveProperty('seed');
  pose = at('poses', 'pose.json');
});
afterAll(() => removeFolder(folder));

/** Animates and checks what every run must give: finite latents that vary, and a video of all frames. */
async function run(name: string, options: AnimateInput) {
  const output = at(name);
  const input: AnimateInput = {
    ...small,
    ...(options.video || options.controlVideo ? {} : { pose }),
    output,
    ...options,
  };
  const result = await animate(input);
  const latents = await latentsOf(output);
  expect(latents.data.every(Number.isFinite)).toBe(true);
  expect(new Set(latents.data.slice(0, 100)).size).toBeGreaterThan(50);
  const { video, audio } = await probe(result.outputs.video as string, carried);
  expect(video.frameCount).toBe(result.frames);
  expect(await isThere(at(name, 'work'))).toBe(false);
  return { result, latents, video, audio, record: await readJson(at(name, 'run.json')) };
}

function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    size += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference / size);
}

describe('options together', () => {
  it('low memory and fast give the same; a window longer than the clip; guidance 1', async () => {
    // At 64x64 the deepest level is one pixel, and its group norms divide by next to nothing: rounding would be all there is.
    const options = { chunk: 16, overlap: 4, guidanceScale: 1, width: 128, height: 128 };
    const low = await run('low', { ...options, residency: 'low-memory' });
    const fast = await run('fast', { ...options, residency: 'fast' });
    expect(relativeDifference(low.latents.data, fast.latents.data)).toBeLessThan(1e-4);
    expect(low.record).toMatchObject({ windows: [0], device: { residency: 'low-memory' } });
  });
  it('everything as published', async () => {
    const { result, record } = await run('published', {
      ...{ preset: 'reference', video: sample.video, steps: 1, chunk: 4, overlap: 1, stride: 12 },
    });
    expect(result.frames).toBe(4);
    expect(record).toMatchObject({
      alignment: { mode: 'reference' },
      options: { align: 'reference', resample: 'reference', decodeMode: 'reference', keepReferenceFrame: true },
    });
  });
  it('fast preset, without overlap, unaligned', async () => {
    const { record } = await run('quick', { preset: 'fast', steps: 2, chunk: 2, overlap: 0, align: 'none' });
    expect(record).toMatchObject({ windows: [0, 2], options: { scheduler: 'ays' }, alignment: { mode: 'none' } });
  });
  it('triangular fusion, true anchor, phase rotation, shuffled noise, a ramp of guidance over the clip', async () => {
    const { result } = await run('better', {
      ...{ fusion: 'triangular', anchor: 'true', phaseRotation: true, noise: 'freenoise', steps: 2, maxFrames: 5 },
      ...{ guidanceScaleMin: 1, guidanceScale: 3, guidanceIndex: 'global' },
    });
    expect(result.frames).toBe(5);
  });
  it('one frame, no pose control, no guidance', async () => {
    const { result, record } = await run('one', { maxFrames: 1, controlnext: 'none', guidanceScale: 0.5 });
    expect(result.frames).toBe(1);
    expect(record).toMatchObject({ frames: 1, options: { controlnext: 'none' } });
  });
});

describe('ready-made skeletons', () => {
  /** Draws the poses, unfitted, into a folder of pictures. */
  async function drawInto(folder: string, style: SkeletonStyle) {
    const driving = await readPoseJson(pose);
    const reference = { width: 64, height: 64, people: [] };
    const { frames } = alignPoses({ mode: 'none', reference, driving }).sequence;
    const skeletons = frames.slice(0, 3).map(({ people }) => drawSkeleton(people, 64, 64, { style }));
    await mkdir(at(folder));
    for (const [i, { data, width, height }] of skeletons.entries()) {
      await sharp(data, { raw: { width, height, channels: 3 } }).toFile(at(folder, `${i}.png`));
    }
    return skeletons;
  }

  it('as a folder of pictures and as a video: both move as the same poses do', async () => {
    const skeletons = await drawInto('pictures', 'published');
    await makeClip(carried.ffmpeg, at('skeletons.mp4'), {
      ...{ frames: 3, width: 64, height: 64, rate: '30000/1001', draw: (i) => skeletons[i]!.data },
      video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '1', '-pix_fmt', 'yuv444p'],
    });
    const own = await run('own', { align: 'none' });
    const folderRun = await run('folder', { controlVideo: at('pictures'), fps: 12 });
    const videoRun = await run('video', { controlVideo: at('skeletons.mp4') });
    expect(folderRun.video.frameRate).toEqual({ num: 12, den: 1 });
    expect(videoRun.video.frameRate).toEqual({ num: 30000, den: 1001 });
    // The same pictures, hence the same numbers; from a video, as near as its coding is.
    expect(relativeDifference(folderRun.latents.data, own.latents.data)).toBe(0);
    expect(relativeDifference(videoRun.latents.data, own.latents.data)).toBeLessThan(0.02);
  });

  it('in the style that the run draws in', async () => {
    await drawInto('solid-pictures', 'solid');
    const own = await run('solid-own', { align: 'none', skeletonStyle: 'solid' });
    const published = await run('published-own', { align: 'none' });
    const folderRun = await run('solid-folder', {
      controlVideo: at('solid-pictures'),
      fps: 12,
      skeletonStyle: 'solid',
    });
    expect(relativeDifference(folderRun.latents.data, own.latents.data)).toBe(0);
    expect(relativeDifference(published.latents.data, own.latents.data)).toBeGreaterThan(0);
    expect(own.record).toMatchObject({ options: { skeletonStyle: 'solid' } });
  });
});

describe('nasty videos as control', () => {
  const make: Record<string, (path: string) => Promise<unknown>> = {
    'variable frame rate': (path) =>
      makeClip(carried.ffmpeg, path, {
        ...{ frames: 12, rate: '24', width: 64, height: 64 },
        video: ['-vf', "select='not(mod(n\\,4))+eq(n\\,1)'", '-vsync', 'vfr', ...h264],
      }),
    rotated: (path) => makeTurnedClip(carried.ffmpeg, path, 90),
    'odd size': (path) =>
      makeClip(carried.ffmpeg, path, {
        ...{ frames: 4, width: 51, height: 37 },
        video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '8', '-pix_fmt', 'yuv444p'],
      }),
  };
  it.each(Object.keys(make))('%s, without sound', async (name) => {
    const path = at(`${name}.mp4`);
    await make[name]!(path);
    const { video, audio, result } = await run(`control ${name}`, {
      controlVideo: path,
      maxFrames: 2,
      guidanceScale: 1,
    });
    expect(result.frames).toBe(2);
    expect(video).toMatchObject({ width: 64, height: 64, variableFrameRate: false });
    expect(audio).toBeUndefined();
  });
});
