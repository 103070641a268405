import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { descendants, descendantsNamed } from '../support/processes.js';
import { batchWords, isStage, ofClip, writeManifest } from './batch-program.js';
import {
  allGone,
  type Ended,
  type Event,
  eventsOf,
  isThere,
  makeFolder,
  pantomime,
  removeFolder,
  sample,
  start,
} from './program.js';

/** Every fault is really caused, from outside, while a batch of two clips is at work. */
let folder: string;
let whole: string;
const names = ['a', 'b'];

beforeAll(async () => {
  folder = await makeFolder();
  whole = join(folder, 'whole');
  const run = await pantomime(...batchWords(await writeManifest(folder, names), whole));
  expect(run.code, run.stderr).toBe(0);
});
afterAll(() => removeFolder(folder));

const ends = (run: Ended) =>
  Object.fromEntries(
    eventsOf(run.stdout).flatMap((event) => (event.type === 'clip.end' ? [[event.name as string, event]] : [])),
  );
const retries = (run: Ended) => eventsOf(run.stdout).filter(({ type }) => type === 'clip.retry');
const warnings = (run: Ended) =>
  eventsOf(run.stdout).flatMap(({ type, event }) =>
    type === 'clip.event' && (event as Event).type === 'warning' ? [(event as Event).code] : [],
  );
const isDenoising = (clip: string, step: number) =>
  ofClip(clip, ({ type, stage, done }) => type === 'stage.progress' && stage === 'denoise' && (done as number) >= step);

/** The bits of an undisturbed batch. */
async function sameAsWhole(out: string, ...clips: string[]): Promise<void> {
  for (const clip of clips) {
    for (const name of ['latents.safetensors', 'output.mp4', 'pose.json']) {
      const [made, wanted] = await Promise.all([out, whole].map((dir) => readFile(join(dir, clip, name))));
      expect(made?.equals(wanted as Buffer), `${clip}/${name}`).toBe(true);
    }
  }
}

async function batch(name: string, manifestOf = names) {
  const place = join(folder, name);
  await mkdir(place);
  const manifest = await writeManifest(place, manifestOf);
  return { out: join(place, 'out'), manifest };
}

const onLinux = it.runIf(process.platform === 'linux');

describe('processes that die', () => {
  onLinux('engine killed: another one goes on from the last step', async () => {
    const { out, manifest } = await batch('engine');
    const run = start(batchWords(manifest, out));
    await run.until(isDenoising('a', 2));
    const [engine] = await descendantsNamed(run.pid, /engine-process/);
    process.kill(engine as number, 'SIGKILL');
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(0);
    expect(retries(end)).toMatchObject([{ clip: 'a', code: 'engine.crashed', attempt: 1 }]);
    const again = eventsOf(end.stdout)
      .filter(ofClip('a', isStage('denoise')))
      .at(-1);
    expect((again?.event as Event | undefined)?.title).toMatch(/on from step [123]/);
    await sameAsWhole(out, ...names);
  });

  it.runIf(process.platform !== 'win32')('ffmpeg killed, once while it decodes and once while it encodes', async () => {
    const { out, manifest } = await batch('ffmpeg');
    const { ffmpeg: real } = await locateFfmpeg();
    const place = join(folder, 'ffmpeg');
    // Starts the real program, and the first time of each kind kills it and itself.
    const program = join(place, 'ffmpeg');
    await writeFile(
      program,
      `#!/bin/sh
       case "$*" in *libx264*) kind=encoding;; *rawvideo*) kind=decoding;; *) kind=;; esac
       if [ -n "$kind" ] && mkdir "${place}/killed-$kind" 2>/dev/null; then
         "${real}" "$@" <&0 & sleep 0.05; kill -9 $!; kill -9 $$
       fi
       exec "${real}" "$@"`,
      { mode: 0o755 },
    );
    const end = await pantomime(...batchWords(manifest, out, { ffmpeg: program }));
    expect(end.code, end.stderr).toBe(0);
    expect(await isThere(join(place, 'killed-decoding'))).toBe(true);
    expect(await isThere(join(place, 'killed-encoding'))).toBe(true);
    expect(retries(end).map(({ code }) => code)).toEqual(['ffmpeg.failed', 'ffmpeg.failed']);
    await sameAsWhole(out, ...names);
  });

  it('pose worker killed: another detector is started', async () => {
    const { out, manifest } = await batch('pose-worker');
    // Ends the first worker of the detector from inside the program, which is the only way to kill a thread.
    const hook = join(folder, 'kill-worker.mjs');
    await writeFile(
      hook,
      `import threads from 'node:worker_threads';
       import { syncBuiltinESMExports } from 'node:module';
       const { Worker } = threads;
       let killed = false;
       threads.Worker = class extends Worker {
         constructor(entry, options) {
           super(entry, options);
           if (killed || !String(entry).includes('mediapipe-worker')) return;
           killed = true;
           // Its second message: the first says that it is ready.
           let messages = 0;
           this.on('message', () => { if (++messages === 2) void this.terminate(); });
         }
       };
       syncBuiltinESMExports();`,
    );
    const end = await start(batchWords(manifest, out), { NODE_OPTIONS: `--import=file://${hook}` }).ended;
    expect(end.code, end.stderr).toBe(0);
    expect(retries(end)).toMatchObject([{ clip: 'a', code: 'pose.worker-crashed' }]);
    await sameAsWhole(out, ...names);
  });
});

describe('signals', () => {
  it.runIf(process.platform !== 'win32').each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s keeps what is done and ends with %d', async (signal, exitCode) => {
    const { out, manifest } = await batch(signal);
    const run = start(batchWords(manifest, out));
    await run.until(isDenoising('a', 2));
    const children = await descendants(run.pid);
    process.kill(-run.pid, signal);
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(exitCode);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ type: 'run.error', code: 'run.interrupted', exitCode });
    expect(ends(end).a).toMatchObject({ state: 'interrupted' });
    await allGone(children);
    const again = await pantomime(...batchWords(manifest, out));
    expect(again.code, again.stderr).toBe(0);
    const denoise = eventsOf(again.stdout).find(ofClip('a', isStage('denoise')));
    expect((denoise?.event as Event | undefined)?.title).toMatch(/on from step/);
    await sameAsWhole(out, ...names);
  });
});

describe('files that go away or are damaged', () => {
  it('the run folder vanishes: the clip is made again', async () => {
    const { out, manifest } = await batch('run-folder');
    const run = start(batchWords(manifest, out));
    await run.until(isDenoising('a', 2));
    await rm(join(out, 'a'), { recursive: true, maxRetries: 50, retryDelay: 20 });
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(0);
    expect(retries(end)).toMatchObject([{ clip: 'a', code: 'output.vanished' }]);
    await sameAsWhole(out, ...names);
  });

  it('the whole batch folder vanishes: everything at work is made again, the ledger included', async () => {
    const { out, manifest } = await batch('batch-folder');
    const run = start(batchWords(manifest, out));
    await run.until(isDenoising('a', 2));
    await rm(out, { recursive: true, maxRetries: 50, retryDelay: 20 }); // the batch goes on writing into it
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(0);
    expect(retries(end).map(({ code }) => code)).toContain('output.vanished');
    await sameAsWhole(out, ...names);
    const states = (await readFile(join(out, 'manifest.jsonl'), 'utf8')).trim().split('\n');
    expect(states.map((line) => JSON.parse(line) as Event).filter(({ state }) => state === 'done')).toHaveLength(2);
  });

  it('a clip is deleted half way: it fails alone', async () => {
    const place = join(folder, 'deleted');
    await mkdir(place);
    const clip = join(place, 'clip.mp4');
    await copyFile(sample.video, clip);
    const manifest = join(place, 'clips.json');
    await writeFile(
      manifest,
      JSON.stringify([
        { video: clip, name: 'gone' },
        { video: join(process.cwd(), sample.video), name: 'a' },
      ]),
    );
    const run = start(batchWords(manifest, join(place, 'out')));
    await run.until(ofClip('gone', isStage('reference')));
    await rm(clip);
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(7);
    expect(ends(end)).toMatchObject({ gone: { state: 'failed', attempts: 1 }, a: { state: 'done' } });
    expect(JSON.stringify(ends(end).gone)).toContain('clip.mp4');
    await sameAsWhole(join(place, 'out'), 'a');
  });

  it('a clip is replaced half way: it is made again from what it is now', async () => {
    const place = join(folder, 'changed');
    await mkdir(place);
    const clip = join(place, 'a.mp4');
    await copyFile(sample.video, clip);
    const manifest = join(place, 'clips.json');
    await writeFile(manifest, JSON.stringify([{ video: clip, name: 'a' }]));
    const run = start(batchWords(manifest, join(place, 'out')));
    await run.until(isDenoising('a', 2));
    // One more byte at the end: another file, the same pictures.
    await writeFile(clip, Buffer.concat([await readFile(sample.video), Buffer.from([0])]));
    const end = await run.ended;
    expect(end.code, end.stderr).toBe(0);
    expect(retries(end)).toMatchObject([{ clip: 'a', code: 'input.changed' }]);
    await sameAsWhole(join(place, 'out'), 'a');
  });

  it('a truncated clip gives what can be read of it, or a reason, and stops nobody', async () => {
    const place = join(folder, 'truncated');
    await mkdir(place);
    const bytes = await readFile(sample.video);
    await writeFile(join(place, 'cut.mp4'), bytes.subarray(0, bytes.length / 2));
    const manifest = join(place, 'clips.json');
    const cutClip = { video: join(place, 'cut.mp4'), max_frames: 48, steps: 1, chunk: 24 };
    await writeFile(manifest, JSON.stringify([cutClip, { video: join(process.cwd(), sample.video), name: 'a' }]));
    const end = await pantomime(...batchWords(manifest, join(place, 'out')));
    expect([0, 7], end.stderr).toContain(end.code);
    const { cut, a } = ends(end);
    expect(a).toMatchObject({ state: 'done' });
    if (cut?.state === 'failed') expect(cut).toMatchObject({ attempts: 1, error: { kind: 'input' } });
    else expect(cut?.warnings).not.toEqual([]);
  });

  it.each(['empty', 'one bit flipped'])(
    'a work file that is damaged (%s) is noticed and made again',
    async (damage) => {
      const { out, manifest } = await batch(damage.replaceAll(' ', '-'));
      const run = start(batchWords(manifest, out));
      await run.until(isDenoising('a', 3));
      process.kill(-run.pid, 'SIGKILL');
      await run.ended;
      const damaged: string[] = [];
      for (const dir of [join(out, 'work'), join(out, 'a', 'work')]) {
        for (const name of await readdir(dir)) {
          if (!/\.(json|u8|safetensors)$/.test(name) || name === 'begun.json') continue;
          damaged.push(name.replace(/-.*/, ''));
          const file = join(dir, name);
          if (damage === 'empty') await truncate(file);
          else {
            const bytes = await readFile(file);
            const at = Math.floor(bytes.length / 2);
            bytes[at] = (bytes[at] as number) ^ 1;
            await writeFile(file, bytes);
          }
        }
      }
      expect(new Set(damaged)).toEqual(new Set(['poses', 'reference', 'control', 'latents']));
      const again = await pantomime(...batchWords(manifest, out));
      expect(again.code, again.stderr).toBe(0);
      expect(warnings(again).filter((code) => code === 'work.damaged')).toHaveLength(damaged.length);
      await sameAsWhole(out, ...names);
    },
  );
});

const mayMount = await promisify(execFile)('unshare', ['-rm', 'true']).then(
  () => true,
  () => false,
);
if (!mayMount) console.warn('a full disk is not tested: no small disk can be made here (unshare -rm is not allowed)');

it.runIf(mayMount)('a full disk: the clip fails with what to do, and goes on when there is room', async () => {
  const { out, manifest } = await batch('full-disk');
  await mkdir(out);
  // A disk of 72 MB, of which all but 600 KB is taken as soon as denoising begins; the same disk with room afterwards.
  const script = `
    mount -t tmpfs -o size=72m none "$1" || exit 99
    shift
    node -e '
      const { spawn } = require("node:child_process");
      const fs = require("node:fs");
      const [out, ...words] = process.argv.slice(1);
      const run = (onLine) => new Promise((resolve) => {
        const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
        child.stdout.setEncoding("utf8").on("data", (text) => { process.stdout.write(text); onLine(text); });
        child.on("close", resolve);
      });
      let full = false;
      (async () => {
        const first = await run((text) => {
          if (full || !text.includes("stage.progress") || !text.includes("denoise")) return;
          full = true;
          const { bavail, bsize } = fs.statfsSync(out);
          try { fs.writeFileSync(out + "/ballast", Buffer.alloc(bavail * bsize)); } catch {}
        });
        fs.rmSync(out + "/ballast");
        const second = await run(() => {});
        fs.cpSync(out, out + "-kept", { recursive: true });
        console.log(JSON.stringify({ type: "codes", first, second }));
      })();
    ' "$@"`;
  const main = join(process.cwd(), 'dist/pipeline/cli/main.js');
  const words = [main, ...batchWords(manifest, out, {}, '--retries', '0')];
  const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', script, 'sh', out, out, ...words], {
    maxBuffer: 64 * 2 ** 20,
  });
  const events = eventsOf(stdout);
  expect(events.at(-1)).toMatchObject({ type: 'codes', first: 7, second: 0 });
  const failed = events.find(({ type, name, state }) => type === 'clip.end' && name === 'a' && state === 'failed');
  expect(failed?.error).toMatchObject({
    code: expect.stringMatching(/no-space/),
    hint: expect.stringMatching(/room|space/),
  });
  await sameAsWhole(`${out}-kept`, ...names);
  expect(await isThere(join(`${out}-kept`, 'work'))).toBe(false);
});
