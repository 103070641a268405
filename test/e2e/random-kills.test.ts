import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { descendants } from '../support/processes.js';
import { batchWords, clipOptions, writeManifest } from './batch-program.js';
import {
  allGone,
  type Event,
  eventsOf,
  isThere,
  makeFolder,
  pantomime,
  removeFolder,
  sample,
  start,
  words,
} from './program.js';

/** Processes that are killed in all, each at a moment and of a kind drawn at random. */
const kills = 24;
const seed = 20;
const names = ['first', 'second'];

let folder: string;
let manifest: string;
/** Time that an undisturbed run takes: moments are drawn from it. */
let wholeMs: number;

beforeAll(async () => {
  folder = await makeFolder();
  manifest = await writeManifest(folder, names);
  const begun = performance.now();
  const { code, stderr } = await pantomime(...commands.batch(join(folder, 'batch')));
  wholeMs = performance.now() - begun;
  expect(code, stderr).toBe(0);
  const single = await pantomime(...commands.animate(join(folder, 'animate')));
  expect(single.code, single.stderr).toBe(0);
});
afterAll(() => removeFolder(folder));

const commands = {
  batch: (out: string) => batchWords(manifest, out),
  animate: (out: string) => ['animate', ...words({ ...clipOptions, ...sample }), '-o', out, '--json'],
};

/** Numbers in 0..1 that are the same in every run of the test (mulberry32). */
function randomNumbers(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Denoising steps that were surely saved, by clip: a step is saved before the next one begins. */
function savedSteps(stdout: string): Map<string, number> {
  const saved = new Map<string, number>();
  for (const [clip, event] of clipEvents(stdout)) {
    if (event.type !== 'stage.progress' || event.stage !== 'denoise') continue;
    saved.set(clip, Math.max(saved.get(clip) ?? 0, (event.done as number) - 1));
  }
  return saved;
}

/** At which step each clip began to denoise; a reused result counts as the end. */
function firstSteps(stdout: string): Map<string, number> {
  const first = new Map<string, number>();
  for (const [clip, event] of clipEvents(stdout)) {
    if (event.type !== 'stage.start' || event.stage !== 'denoise' || first.has(clip)) continue;
    const from = /on from step (\d+)/.exec(event.title as string)?.[1];
    first.set(clip, event.reused ? Number.POSITIVE_INFINITY : Number(from ?? 0));
  }
  return first;
}

function clipEvents(stdout: string): [string, Event][] {
  return eventsOf(stdout.slice(0, stdout.lastIndexOf('\n') + 1)).map((event) =>
    event.type === 'clip.event' ? [event.clip as string, event.event as Event] : ['', event],
  );
}

async function sameFiles(made: string, whole: string): Promise<void> {
  expect((await readdir(made)).sort()).toEqual((await readdir(whole)).sort());
  for (const name of ['latents.safetensors', 'output.mp4', 'comparison.mp4', 'pose.mp4', 'pose.json']) {
    expect((await readFile(join(made, name))).equals(await readFile(join(whole, name))), `${made}/${name}`).toBe(true);
  }
}

it.runIf(process.platform === 'linux')(
  `${kills} kills at random moments cost at most a step each and no bit of the results`,
  async () => {
    const random = randomNumbers(seed);
    let killed = 0;
    for (let round = 0; killed < kills; round++) {
      const command = round % 2 === 0 ? 'batch' : 'animate';
      const out = join(folder, `${command}-${round}`);
      let saved = new Map<string, number>();
      for (let done = false; !done; ) {
        const run = start(commands[command](out));
        const begun = performance.now();
        const delay = killed < kills ? random() * wholeMs : Number.POSITIVE_INFINITY;
        const [who, which] = [random(), random()];
        const timer =
          delay < Number.POSITIVE_INFINITY &&
          setTimeout(async () => {
            const below = await descendants(run.pid);
            const child = below[Math.floor(which * below.length)];
            try {
              // Half of the time the program itself, else one of its processes: engine, ffmpeg, ffprobe.
              process.kill(who < 0.5 || child === undefined ? run.pid : child, 'SIGKILL');
              killed += 1;
            } catch {
              // It has just ended.
            }
          }, delay);
        const end = await run.ended;
        if (timer) clearTimeout(timer);
        // The processes of a killed program notice and end.
        await expect.poll(() => descendants(run.pid), { timeout: 20_000 }).toEqual([]);
        for (const [clip, step] of firstSteps(end.stdout)) {
          expect(step, `${command} ${round}: ${clip} after ${performance.now() - begun} ms`).toBeGreaterThanOrEqual(
            saved.get(clip) ?? 0,
          );
        }
        saved = new Map([...saved, ...savedSteps(end.stdout)]);
        done = end.code === 0;
      }
      if (command === 'animate') await sameFiles(out, join(folder, 'animate'));
      else for (const name of names) await sameFiles(join(out, name), join(folder, 'batch', name));
      expect(await isThere(join(out, 'work'))).toBe(false);
    }
    expect(killed).toBeGreaterThanOrEqual(kills);
    await allGone([]);
  },
  900_000,
);
