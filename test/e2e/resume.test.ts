import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { descendants } from '../support/processes.js';
import {
  allGone,
  type Event,
  eventsOf,
  makeFolder,
  pantomime,
  readJson,
  removeFolder,
  sample,
  small,
  start,
  words,
} from './program.js';

/** Six steps of one window: long enough to be hit between the first and the last. */
const options = { ...small, ...sample, steps: 6 };
const command = (out: string, changes = {}) => ['animate', ...words({ ...options, ...changes }), '-o', out, '--json'];

let folder: string;
let whole: Buffer;

beforeAll(async () => {
  folder = await makeFolder();
  const { code, stderr } = await pantomime(...command(join(folder, 'whole')));
  expect(code, stderr).toBe(0);
  whole = await latents('whole');
});
afterAll(() => removeFolder(folder));

const latents = (name: string) => readFile(join(folder, name, 'latents.safetensors'));
const isStep =
  (step: number) =>
  ({ type, stage, done }: Event) =>
    type === 'stage.progress' && stage === 'denoise' && (done as number) >= step;

const started = (stdout: string, stage: string) =>
  eventsOf(stdout).find((event) => event.type === 'stage.start' && event.stage === stage);

it.runIf(process.platform === 'linux')(
  'killed while denoising, the same command goes on to the same latents',
  async () => {
    const out = join(folder, 'killed');
    const run = start(command(out));
    await run.until(isStep(3));
    const children = await descendants(run.pid);
    expect(children.length).toBeGreaterThan(0);
    process.kill(run.pid, 'SIGKILL');
    expect((await run.ended).code).toBe(null);
    await allGone(children);

    const again = await pantomime(...command(out));
    expect(again.code, again.stderr).toBe(0);
    expect(started(again.stdout, 'pose')).toMatchObject({ reused: true });
    expect(started(again.stdout, 'control')).toMatchObject({ reused: true });
    expect(started(again.stdout, 'encode-reference')).toMatchObject({ reused: true });
    const title = started(again.stdout, 'denoise')?.title as string;
    expect(Number(/on from step (\d)/.exec(title)?.[1])).toBeGreaterThanOrEqual(2);
    expect(eventsOf(again.stdout).filter(isStep(0))[0]?.done).toBeGreaterThanOrEqual(3);
    expect((await latents('killed')).equals(whole)).toBe(true);
    expect((await readdir(out)).sort()).toEqual((await readdir(join(folder, 'whole'))).sort());
  },
);

it.runIf(process.platform === 'linux')(
  'Ctrl-C ends everything with 130; a drawn seed is kept for the next attempt',
  async () => {
    const out = join(folder, 'stopped');
    const run = start(command(out, { seed: 'auto' }));
    const begun = await run.until(({ type }) => type === 'run.start');
    await run.until(isStep(2));
    const children = await descendants(run.pid);
    // As a terminal does it: the signal goes to the whole group, engine and ffmpeg included.
    process.kill(-run.pid, 'SIGINT');
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(130);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ type: 'run.error', code: 'run.interrupted', exitCode: 130 });
    await allGone(children);
    expect(await readdir(out)).toEqual(['work']);

    const again = await pantomime(...command(out, { seed: 'auto' }));
    expect(again.code, again.stderr).toBe(0);
    expect(eventsOf(again.stdout)[0]).toMatchObject({ type: 'run.start', seed: begun.seed });
    expect(started(again.stdout, 'denoise')?.title).toMatch(/on from step \d/);
    expect(await readJson(join(out, 'run.json'))).toMatchObject({ options: { seed: begun.seed } });
  },
);

it.runIf(process.platform === 'linux')('killed while videos are written, nothing half-written stays', async () => {
  const out = join(folder, 'film', 'made.mp4');
  const run = start(command(out, { steps: 1 }));
  await run.until(({ type, stage }) => type === 'stage.start' && stage === 'decode');
  const children = await descendants(run.pid);
  await expect.poll(() => readdir(dirname(out)), { interval: 5 }).toContainEqual(expect.stringMatching(/\.part\.mp4$/));
  process.kill(run.pid, 'SIGKILL');
  await run.ended;
  await allGone(children);
  const again = await pantomime(...command(out, { steps: 1 }));
  expect(again.code, again.stderr).toBe(0);
  expect(started(again.stdout, 'denoise')).toMatchObject({ reused: true });
  expect(await readdir(dirname(out))).toEqual(['made.mp4', 'made.mp4.run']);
  expect((await readdir(`${out}.run`)).filter((name) => name.startsWith('.') || name === 'work')).toEqual([]);
});
