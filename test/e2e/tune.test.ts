import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TuneResult } from '#dist/pipeline/index.js';
import { locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { runTool } from '#dist/stages/ffmpeg/run-tool.js';
import { descendants, descendantsNamed } from '../support/processes.js';
import {
  allGone,
  type Ended,
  type Event,
  eventsOf,
  isThere,
  makeFolder,
  pantomime,
  readJson,
  removeFolder,
  sample,
  small,
  start,
  words,
} from './program.js';

let folder: string;
let out: string;
let children: readonly number[];
let killed: Event[];
let again: Ended;
let result: TuneResult;

const { chunk: _chunk, overlap: _overlap, maxFrames: _frames, ...options } = { ...small, ...sample, steps: 8 };
const command = (output: string, ...more: string[]) => [
  ...['tune', ...words(options), '--chunks', '4,5', '--overlaps', '1,2', '--frames', '9'],
  ...['-o', output, '--json', '--all', ...more],
];
const stages = (events: readonly Event[], stage: string) =>
  events.filter(
    ({ event }) => (event as Event | undefined)?.type === 'stage.start' && (event as Event).stage === stage,
  );
const started = (events: readonly Event[]) =>
  events.filter(({ type }) => type === 'cell.start').map(({ cell }) => cell);
/** Some steps are done and some are left: three windows each. */
const isStep = ({ stage, done }: Event) => stage === 'denoise' && (done as number) >= 4;
const grid = ['c4-o1-flat-s8', 'c4-o2-flat-s8', 'c5-o1-flat-s8', 'c5-o2-flat-s8'];

beforeAll(async () => {
  folder = await makeFolder();
  out = join(folder, 'tuned');
  const run = start(command(out));
  await run.until(({ type, cell, event }) => type === 'cell.event' && cell === grid[2] && isStep(event as Event));
  children = await descendants(run.pid);
  process.kill(run.pid, 'SIGKILL');
  killed = eventsOf((await run.ended).stdout.replace(/[^\n]*$/, ''));
  again = await pantomime(...command(out));
  result = (await readJson(join(out, 'results.json'))) as unknown as TuneResult;
}, 300_000);
afterAll(() => removeFolder(folder));

describe.runIf(process.platform === 'linux')('a sweep that is killed half way', () => {
  it('goes on where it was, by the same command', async () => {
    await allGone(children);
    expect(again.code, again.stderr).toBe(0);
    expect(started(killed)).toEqual(grid.slice(0, 3));
    expect(started(eventsOf(again.stdout))).toEqual(grid.slice(2));
    const denoise = stages(eventsOf(again.stdout), 'denoise')[0]?.event as Event;
    expect(denoise.title).toMatch(/on from step [1-7]/);
  });

  it('finds poses, encodes the picture and computes features once', () => {
    const both = [...killed, ...eventsOf(again.stdout)];
    const made = (stage: string) => stages(both, stage).filter(({ event }) => (event as Event).reused !== true);
    expect(made('pose')).toHaveLength(1);
    expect(made('encode-reference')).toHaveLength(1);
    expect(made('control')).toHaveLength(1);
    expect(stages(both, 'reference').every(({ type }) => type === 'tune.event')).toBe(true);
  });

  it('knows of every step of the run that was killed', () => {
    const frames = result.cells.find(({ id }) => id === grid[2])?.runs[0]?.disagreement.frames;
    expect(frames).toHaveLength(9);
  });

  it('writes down every cell with its metrics, windows, score and video', async () => {
    expect(result).toMatchObject({ version: 1, kind: 'tune', frames: 9, seeds: [7], selfReenactment: false });
    expect(result.cells.map(({ id, state }) => [id, state])).toEqual(grid.map((id) => [id, 'done']));
    for (const { runs, values, windows, joints, score } of result.cells) {
      expect(windows[0]?.frames[0]).toBe(-1);
      expect(joints.length).toBeGreaterThan(0);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
      for (const name of ['flicker', 'colorDrift', 'pck10', 'oks', 'secondsPerFrame', 'costFactor'] as const)
        expect(values[name]?.mean, name).toEqual(expect.any(Number));
      expect(runs[0]?.metrics.curves.difference).toHaveLength(9);
      expect((await stat(join(out, runs[0]!.video))).size).toBeGreaterThan(0);
    }
    // Of the others every frame is at a joint.
    expect(result.cells[0]?.values.seamRatio?.mean).toBeGreaterThan(0);
    expect(result.cells.filter(({ onFront }) => onFront).length).toBeGreaterThan(0);
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('c5-o2-flat-s8');
    expect(await readdir(join(out, 'work'))).toEqual(['shared', 'tune.json']);
  });

  it('measures again nothing that it has measured, also for a larger grid', async () => {
    const more = await pantomime(...command(out, '--fusions', 'flat,triangular', '--overlaps', '2'));
    expect(more.code, more.stderr).toBe(0);
    expect(started(eventsOf(more.stdout))).toEqual(['c4-o2-triangular-s8', 'c5-o2-triangular-s8']);
    expect(stages(eventsOf(more.stdout), 'pose')[0]?.event).toMatchObject({ reused: true });
  });

  it('refuses a folder with another sweep unless it is told to overwrite', async () => {
    const other = await pantomime(...command(out, '--seed', '7', '--guidance-scale', '2'));
    expect(other.code).toBe(2);
    expect(eventsOf(other.stdout).at(-1)).toMatchObject({ code: 'tune.other' });
  });

  it('recommends by a preset that animate takes', async () => {
    // That of the last sweep in the folder.
    const { cells, recommendation } = (await readJson(join(out, 'results.json'))) as unknown as TuneResult;
    const preset = join(out, recommendation!.preset);
    const made = join(folder, 'made');
    const { steps: _steps, ...rest } = options;
    const run = await pantomime('animate', ...words({ ...rest, maxFrames: 3 }), '--preset', preset, '-o', made);
    expect(run.code, run.stderr).toBe(0);
    const recommended = cells.find(({ id }) => id === recommendation?.cell)?.settings;
    expect((await readJson(join(made, 'run.json'))).options).toMatchObject({ ...recommended });
  });

  it('compares two finished runs', async () => {
    const runs = [0, 2].map((i) => join(out, 'cells', grid[i]!, 'seed-7'));
    const dir = join(folder, 'compared');
    const run = await pantomime('compare', ...runs, '-o', dir, '--json');
    expect(run.code, run.stderr).toBe(0);
    const compared = (await readJson(join(dir, 'results.json'))) as unknown as TuneResult;
    expect(compared).toMatchObject({ kind: 'compare', frames: 9 });
    for (const [i, { runs: own, values, settings }] of compared.cells.entries()) {
      const before = result.cells.find(({ id }) => id === runs[i]!.split('/').at(-2))!;
      expect(settings).toEqual(before.settings);
      expect(values.secondsPerFrame?.mean).toBe(before.runs[0]?.values.secondsPerFrame);
      // From the compressed video, so nearly the same.
      expect(values.seamRatio?.mean).toBeCloseTo(before.values.seamRatio?.mean as number, 0);
      expect(await isThere(join(dir, own[0]!.video))).toBe(true);
    }
    const twice = await pantomime('compare', ...runs, '-o', dir, '--json');
    expect(eventsOf(twice.stdout).at(-1)).toMatchObject({ code: 'output.exists', exitCode: 2 });
    const none = await pantomime('compare', folder, runs[0]!, '-o', join(folder, 'none'), '--json');
    expect(eventsOf(none.stdout).at(-1)).toMatchObject({ code: 'compare.no-run', exitCode: 3 });
  });
});

it.runIf(process.platform === 'linux')('tries a cell again whose engine was killed', async () => {
  const dir = join(folder, 'crashed');
  const run = start(command(dir, '--chunks', '4', '--overlaps', '1', '--frames', '5'));
  await run.until(({ type, event }) => type === 'cell.event' && isStep(event as Event));
  const [engine] = await descendantsNamed(run.pid, /engine-process/);
  process.kill(engine as number, 'SIGKILL');
  const end = await run.ended;
  expect(end.code, end.stderr).toBe(0);
  const events = eventsOf(end.stdout);
  expect(events.filter(({ type }) => type === 'warning')).toMatchObject([{ code: 'engine.crashed' }]);
  expect(stages(events, 'denoise')[1]).toMatchObject({ event: { title: expect.stringMatching(/on from step [1-7]/) } });
  expect(events.find(({ type }) => type === 'cell.end')).toMatchObject({ state: 'done' });
});

it.runIf(process.platform === 'linux')(
  'goes on without a cell that fails, and tries it again when asked to',
  async () => {
    const dir = join(folder, 'failed');
    const words = command(dir, '--overlaps', '1', '--frames', '5');
    const run = start(words);
    const again = ({ stage, title }: Event) => stage === 'denoise' && /on from step/.test(String(title));
    for (const fits of [isStep, again]) {
      await run.until(({ type, event }) => type === 'cell.event' && fits(event as Event));
      const [engine] = await descendantsNamed(run.pid, /engine-process/);
      process.kill(engine as number, 'SIGKILL');
    }
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(7);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ type: 'run.error', code: 'tune.cells-failed', exitCode: 7 });
    const states = ({ stdout }: Ended) =>
      eventsOf(stdout).flatMap(({ type, state }) => (type === 'cell.end' ? [state] : []));
    expect(states(end)).toEqual(['failed', 'done']);
    const more = await pantomime(...words);
    expect(more.code, more.stderr).toBe(0);
    expect(started(eventsOf(more.stdout))).toEqual([grid[0]]);
    expect(states(more)).toEqual(['done', 'done']);
  },
);

it('knows a picture that is a frame of the clip, and compares with the clip', async () => {
  const { ffmpeg } = await locateFfmpeg({});
  const image = join(folder, 'first.png');
  await runTool(ffmpeg, ['-v', 'error', '-i', sample.video, '-frames:v', '1', image]);
  const words = ['--image', image, '--chunks', '4', '--overlaps', '1', '--frames', '5', '--seeds', '2'];
  const dir = join(folder, 'self');
  const run = await pantomime(...command(dir), ...words);
  expect(run.code, run.stderr).toBe(0);
  const found = (await readJson(join(dir, 'results.json'))) as unknown as TuneResult;
  expect(found).toMatchObject({ selfReenactment: true, seeds: [7, 8], cells: [{ runs: [{}, {}] }] });
  expect(found.cells[0]?.values.psnr?.deviation).toBeGreaterThan(0);
  expect(found.cells[0]?.values.ssim?.mean).toBeLessThan(1);
});

it('says before any work what is wrong, and what it would do', async () => {
  const dir = join(folder, 'nothing');
  const plan = await pantomime(...command(dir, '--dry-run', '--overlaps', '1,4', '--steps', '1,2'));
  expect(plan.code, plan.stderr).toBe(0);
  const { cells } = eventsOf(plan.stdout).at(-1) as unknown as { cells: { id: string; why?: string }[] };
  expect(cells.filter(({ why }) => why).map(({ id }) => id)).toEqual(['c4-o4-flat-s1', 'c4-o4-flat-s2']);
  const grid = await pantomime(...command(dir, '--chunks', '2', '--overlaps', '4'));
  expect(eventsOf(grid.stdout).at(-1)).toMatchObject({ code: 'tune.grid', exitCode: 2 });
  const words = await pantomime(...command(dir, '--chunks', '4,many'));
  expect(eventsOf(words.stdout).at(-1)).toMatchObject({ code: 'tune.settings', exitCode: 2 });
  expect(await isThere(dir)).toBe(false);
});
