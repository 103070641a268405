import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { animate } from '#dist/pipeline/index.js';
import { probe } from '#dist/stages/probe.js';
import { carried } from '../media/toolsets.js';
import {
  type Ended,
  eventsOf,
  isThere,
  makeFolder,
  pantomime,
  readJson,
  removeFolder,
  sample,
  small,
  words,
} from './program.js';

const files = [
  ...['comparison.mp4', 'contact-sheet.png', 'latents.safetensors', 'output.mp4', 'pose.json', 'pose.mp4'],
  ...['run.json', 'timings.json'],
];

let folder: string;
let first: Ended;
/** Enough frames that copied sound, whose packets are 21 ms long, can be told from none. */
const frames = 5;
const options = { ...small, ...sample, width: 64, height: 128, hands: true, face: true, maxFrames: frames };

beforeAll(async () => {
  folder = await makeFolder();
  first = await pantomime('animate', ...words(options), '-o', join(folder, 'first'));
});
afterAll(() => removeFolder(folder));

describe('the sample', () => {
  it('is animated: every result is there and nothing else, and stdout is the path of the video', async () => {
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toBe(`${join(folder, 'first', 'output.mp4')}\n`);
    expect((await readdir(join(folder, 'first'))).sort()).toEqual(files);
  });

  it.each([
    ['output.mp4', 64, 128],
    ['comparison.mp4', undefined, 128],
    ['pose.mp4', undefined, undefined],
  ])('%s has the exact rate, all frames, BT.709', async (name, width, height) => {
    const { video, audio } = await probe(join(folder, 'first', name), carried);
    expect(video).toMatchObject({
      // The clip plays at 24; every second frame is used.
      ...{ codec: 'h264', frameRate: { num: 12, den: 1 }, variableFrameRate: false, frameCount: frames },
      color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'tv', hdr: false },
    });
    if (width) expect(video.width).toBe(width);
    if (height) expect(video.height).toBe(height);
    if (name === 'pose.mp4') return;
    expect(audio?.codec).toBe('aac');
    expect(Math.abs((audio?.durationSec as number) - frames / 12)).toBeLessThan(1 / 12);
  });

  it('has a contact sheet, poses and a record', async () => {
    const { format, width } = await sharp(join(folder, 'first', 'contact-sheet.png')).metadata();
    expect([format, (width as number) > 100]).toEqual(['png', true]);
    const poses = await readJson(join(folder, 'first', 'pose.json'));
    expect(poses).toMatchObject({ frameRate: { num: 12, den: 1 } });
    expect(poses.frames).toHaveLength(frames);
    const run = await readJson(join(folder, 'first', 'run.json'));
    expect(run).toMatchObject({ frames, size: { width: 64, height: 128 }, options: { seed: 7 } });
    const timings = await readJson(join(folder, 'first', 'timings.json'));
    expect((timings.stages as { stage: string }[]).map(({ stage }) => stage)).toEqual(
      expect.arrayContaining(['pose', 'denoise', 'decode', 'report']),
    );
  });

  it('can be repeated from run.json: the same latents and the same video, into a file by name', async () => {
    const { repeat } = await readJson(join(folder, 'first', 'run.json'));
    expect(repeat).toBe(`pantomime animate --config ${join(folder, 'first', 'run.json')}`);
    const out = join(folder, 'new', 'again.mp4');
    const { code, stdout, stderr } = await pantomime(...(repeat as string).split(' ').slice(1), '-o', out, '--json');
    expect(code, stderr).toBe(0);
    const events = eventsOf(stdout);
    expect(events[0]).toMatchObject({ type: 'run.start', command: 'animate', seed: 7, runDir: `${out}.run` });
    expect(events.at(-1)).toMatchObject({ type: 'run.done', frames, outputs: { video: out } });
    expect(await readdir(join(folder, 'new'))).toEqual(['again.mp4', 'again.mp4.run']);
    expect((await readdir(`${out}.run`)).sort()).toEqual(files.filter((name) => name !== 'output.mp4'));
    const same = async (a: string, b: string) => (await readFile(a)).equals(await readFile(b));
    expect(await same(join(folder, 'first', 'latents.safetensors'), join(`${out}.run`, 'latents.safetensors'))).toBe(
      true,
    );
    expect(await same(join(folder, 'first', 'output.mp4'), out)).toBe(true);
  });

  it('has a time line, and a report that draws it', async () => {
    const page = join(folder, 'report.html');
    const words = ['report', join(folder, 'first'), '--out', page];
    const { code, stdout, stderr } = await pantomime(...words, '--json');
    expect(code, stderr).toBe(0);
    const [told] = eventsOf(stdout);
    expect(told).toMatchObject({ type: 'report', file: page, frames, stepSeconds: [expect.any(Number)] });
    const { engine, work } = told as unknown as { engine: Record<string, number>; work: { row: string }[] };
    expect(engine.computingSeconds).toBeGreaterThan(0);
    expect(engine.idleShare).toBeGreaterThan(0);
    expect(engine.idleShare).toBeLessThan(1);
    expect(new Set(work.map(({ row }) => row))).toEqual(new Set(['read', 'pose', 'draw', 'engine', 'step', 'encode']));
    const text = await readFile(page, 'utf8');
    for (const row of ['Stages', 'Poses', 'Engine', 'VAE decoding', 'Video encoding'])
      expect(text).toContain(`>${row}<`);
    expect(text).toContain('<img src="first/contact-sheet.png"');
    expect((await pantomime(...words)).stdout).toBe(`${page}\n`);

    const none = await pantomime('report', folder);
    expect([none.code, none.stdout]).toEqual([3, '']);
    expect(none.stderr).toMatch(/this is not the folder of a run\n +where /);
  });

  it('is not replaced by another run unless asked', async () => {
    const { code, stderr } = await pantomime('animate', ...words(options), '-o', join(folder, 'first'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/the result of another run is there already\n +where .*output\.mp4\n +hint --overwrite/);
  });
});

describe('from the library', () => {
  /** Poses of the first run, so that nothing has to be found again. */
  const run = async (name: string, changes: object) => {
    const runDir = join(folder, name);
    const result = await animate({ ...small, pose: join(folder, 'first', 'pose.json'), output: runDir, ...changes });
    const { video } = await probe(result.outputs.video as string, carried);
    return { runDir, result, video, latents: await readFile(join(runDir, 'latents.safetensors')) };
  };

  it('another seed gives other latents; the reference frame comes on top and first', async () => {
    const plain = await run('plain', {});
    const other = await run('other', { seed: 8, keepReferenceFrame: true, overlap: 0 });
    expect(plain.video).toMatchObject({ frameCount: 3, frameRate: { num: 12, den: 1 } });
    expect(other.video).toMatchObject({ frameCount: 4, frameRate: { num: 12, den: 1 } });
    expect(plain.result.frames).toBe(3);
    expect(other.latents.length).toBe(plain.latents.length);
    expect(other.latents.equals(plain.latents)).toBe(false);
  });

  it.each([
    // 0.3 s at 30 per second are 9 frames, each third of them.
    [
      'start, duration, fps and stride',
      { start: 0.5, duration: 0.3, fps: 30, stride: 3, maxFrames: 10 },
      3,
      { num: 10, den: 1 },
    ],
    ['a fraction', { fps: '30000/1001', stride: 5, maxFrames: 2 }, 2, { num: 6000, den: 1001 }],
  ])('%s give the promised counts and rates', async (name, clip, frameCount, frameRate) => {
    const { video, result } = await run(name, { pose: undefined, video: sample.video, controlnext: 'none', ...clip });
    expect(video).toMatchObject({ frameCount, frameRate });
    expect(await isThere(join(result.runDir, 'work'))).toBe(false);
  });
});
