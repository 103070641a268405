import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchWords, clipOptions, writeManifest } from './batch-program.js';
import {
  type Ended,
  eventsOf,
  isThere,
  makeFolder,
  pantomime,
  readJson,
  removeFolder,
  sample,
  start,
  words,
} from './program.js';

let folder: string;
let clips: string;
let out: string;
let first: Ended;

/** The plan for people. */
const dryRun = (...of: Parameters<typeof batchWords>) => [
  ...batchWords(...of).filter((word) => word !== '--json'),
  '--dry-run',
];
const ended = (run: Ended) => eventsOf(run.stdout).filter(({ type }) => type === 'clip.end');
const started = (run: Ended) => eventsOf(run.stdout).filter(({ type }) => type === 'clip.start');

beforeAll(async () => {
  folder = await makeFolder();
  clips = join(folder, 'clips');
  out = join(folder, 'out');
  await mkdir(clips);
  await copyFile(sample.video, join(clips, 'one.mp4'));
  await copyFile(sample.video, join(clips, 'two.mp4'));
  await writeFile(join(clips, 'broken.mp4'), 'no video at all');
  await writeFile(join(clips, 'notes.txt'), 'for people');
  first = await pantomime(...batchWords(clips, out));
});
afterAll(() => removeFolder(folder));

describe('a folder of clips', () => {
  it('animates those that can be and says of the others why, with exit code 7', async () => {
    expect(first.code, first.stderr).toBe(7);
    const done = eventsOf(first.stdout).find(({ type }) => type === 'batch.done');
    expect(done).toMatchObject({ skipped: [{ name: 'notes.txt', why: expect.stringContaining('not a video') }] });
    expect(ended(first).map(({ name, state }) => [name, state])).toEqual(
      expect.arrayContaining([
        ['broken', 'failed'],
        ['one', 'done'],
        ['two', 'done'],
      ]),
    );
    expect(started(first).filter(({ clip }) => clip === 'broken')).toHaveLength(1);
    expect(await readdir(join(out, 'one'))).toEqual(
      expect.arrayContaining(['output.mp4', 'comparison.mp4', 'pose.mp4', 'contact-sheet.png', 'run.json']),
    );
    expect(await readFile(join(out, 'logs', 'broken.log'), 'utf8')).toContain('error:');
    expect(await readFile(join(out, 'summary.html'), 'utf8')).toContain('one/output.mp4');
  });

  it('finds the poses of equal clips once, and starts detector and engine once', () => {
    const [one, two] = ['one', 'two'].map((name) => ended(first).find((event) => event.name === name));
    const poses = (two?.stages as { stage: string; reused: boolean }[] | undefined)?.find(
      ({ stage }) => stage === 'pose',
    );
    expect(poses).toMatchObject({ reused: true });
    expect(two?.startUpSec as number).toBeLessThan((one?.startUpSec as number) / 4);
  });

  it('gives the same bits as a single run', async () => {
    const single = join(folder, 'single');
    const run = await pantomime('animate', ...words({ ...clipOptions, ...sample }), '-o', single);
    expect(run.code, run.stderr).toBe(0);
    for (const name of ['latents.safetensors', 'output.mp4', 'comparison.mp4', 'pose.json']) {
      expect((await readFile(join(out, 'two', name))).equals(await readFile(join(single, name))), name).toBe(true);
    }
  });

  it('does nothing twice: the same command tries only what has failed', async () => {
    const again = await pantomime(...batchWords(clips, out));
    expect(again.code).toBe(7);
    expect(started(again).map(({ clip }) => clip)).toEqual(['broken']);
    expect(eventsOf(again.stdout)[0]).toMatchObject({ type: 'batch.start', clips: 1, earlier: 2 });
  });

  it('knows what is done from the run folders alone, when the ledger is lost and files were touched', async () => {
    await writeFile(join(out, 'manifest.jsonl'), '{"half a li');
    await copyFile(sample.video, join(clips, 'one.mp4'));
    const again = await pantomime(...dryRun(clips, out));
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/one +done earlier/);
    expect(again.stdout).toMatch(/two +done earlier/);
    expect(again.stdout).toMatch(/broken +would fail/);
  });

  it('leaves what was made with other options alone unless it is told to overwrite', async () => {
    const other = await pantomime(...dryRun(clips, out, { seed: 8 }));
    expect(other.stdout).toMatch(/one +skipped: finished before with other options/);
    const anew = await pantomime(...dryRun(clips, out, { seed: 8, overwrite: true }));
    expect(anew.stdout).toMatch(/one +64x64, 3 frames in 1 windows, about/);
  });
});

it('refuses a second batch on the same folder, names its owner, and takes a stale lock over', async () => {
  const target = join(folder, 'shared');
  const manifest = await writeManifest(folder, ['a']);
  const run = start(batchWords(manifest, target));
  await run.until(({ type }) => type === 'clip.start');
  const second = await pantomime(...batchWords(manifest, target));
  expect(second.code).toBe(2);
  expect(eventsOf(second.stdout).at(-1)).toMatchObject({
    code: 'output.locked',
    got: expect.stringContaining(`${run.pid}`),
  });
  process.kill(run.pid, 'SIGKILL');
  await run.ended;
  const third = await pantomime(...batchWords(manifest, target));
  expect(third.code, third.stderr).toBe(0);
  expect(await isThere(join(target, 'work'))).toBe(false);
});

it('splits a folder over machines without a word between them', async () => {
  const target = join(folder, 'shards');
  const manifest = await writeManifest(folder, ['a', 'b', 'c', 'd', 'e', 'f']);
  const of = async (shard: string) => {
    const words = batchWords(manifest, target, {}, '--shard', shard, '--dry-run');
    const { stdout, stderr, code } = await pantomime(...words);
    expect(code, stderr).toBe(0);
    const plan = eventsOf(stdout).at(-1) as unknown as { clips: { name: string; frames: number; seconds: number }[] };
    for (const clip of plan.clips) expect(clip).toMatchObject({ frames: 4, seconds: expect.any(Number) });
    return plan.clips.map(({ name }) => name);
  };
  const [one, two] = [await of('1/2'), await of('2/2')];
  expect([...one, ...two].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

it('takes options of single clips from a manifest', async () => {
  const target = join(folder, 'rows');
  const manifest = join(folder, 'rows.csv');
  await writeFile(manifest, `clip,name,max_frames,seed\n${join(process.cwd(), sample.video)},short,2,\n`);
  const run = await pantomime(...batchWords(manifest, target));
  expect(run.code, run.stderr).toBe(0);
  expect(await readJson(join(target, 'short', 'run.json'))).toMatchObject({ frames: 2, options: { seed: 7 } });
});

it('says before any work what is wrong', async () => {
  const run = await pantomime('batch', join(folder, 'none'), '--image', sample.image, '--json');
  expect(run.code).toBe(3);
  expect(eventsOf(run.stdout).at(-1)).toMatchObject({ type: 'run.error', code: 'batch.clips' });
  const gpus = await pantomime(...batchWords(clips, join(folder, 'gpus'), { provider: 'cpu' }, '--gpus', '0,1'));
  expect(eventsOf(gpus.stdout).at(-1)).toMatchObject({ code: 'device.gpus', exitCode: 2 });
  const empty = join(folder, 'empty');
  await mkdir(empty);
  const nothing = await pantomime(...batchWords(empty, join(folder, 'nothing')));
  expect(eventsOf(nothing.stdout).at(-1)).toMatchObject({ code: 'batch.nothing', exitCode: 3 });
  const wrong = await pantomime(...batchWords(clips, join(folder, 'wrong'), { chunk: 4, overlap: 6 }));
  expect(wrong.code).toBe(2);
  for (const name of ['gpus', 'nothing', 'wrong']) expect(await isThere(join(folder, name))).toBe(false);
});
