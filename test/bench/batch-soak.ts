/**
 * Many short clips in one batch: memory and open files of every process at an early and at the last clip, and what is left over.
 *
 *     npm run build && node test/bench/run.mjs batch-soak [--clips 200] [--early 20] [--frames 2] [--steps 1]
 *
 * One JSON object on stdout, progress on stderr. Linux only: it reads /proc. Resident memory is read when a clip ends, of which
 * the least of five neighbouring clips counts, so that a moment between two garbage collections is no leak.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { alive, descendants } from '../support/processes.js';

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '200' },
    early: { type: 'string', default: '20' },
    frames: { type: 'string', default: '2' },
    steps: { type: 'string', default: '1' },
  },
});
const [clips, early] = [Number(values.clips), Number(values.early)];
/** Clips before and after the one that is meant. */
const neighbours = 2;

type Sample = { readonly clip: number; readonly process: string; readonly rssBytes: number; readonly files: number };

/** What the processes of a run hold now. */
async function look(root: number, clip: number): Promise<Sample[]> {
  const samples = [root, ...(await descendants(root))].map(async (pid): Promise<Sample[]> => {
    try {
      const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      const rssBytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
      const files = (await readdir(`/proc/${pid}/fd`)).length;
      const name =
        pid === root ? 'main' : /engine-process/.test(line) ? 'engine' : /ffmpeg|ffprobe/.test(line) ? 'ffmpeg' : line;
      return [{ clip, process: name, rssBytes, files }];
    } catch {
      return []; // it has just ended
    }
  });
  return (await Promise.all(samples)).flat();
}

const folder = await mkdtemp(join(tmpdir(), 'pantomime-soak-'));
try {
  const out = join(folder, 'out');
  const manifest = join(folder, 'clips.json');
  const video = resolve('samples/driving/dancer.mp4');
  // Every clip begins a little later, so that none takes over what another one has found.
  const rows = Array.from({ length: clips }, (_, i) => ({ name: `clip${i}`, video, start: (i / clips) * 3 }));
  await writeFile(manifest, JSON.stringify(rows));
  const words = [
    '--image',
    resolve('samples/reference/ida.png'),
    '--max-frames',
    values.frames,
    '--steps',
    values.steps,
  ];
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  const main = resolve('dist/pipeline/cli/main.js');
  const child = spawn(process.execPath, [main, 'batch', manifest, ...words, '--seed', '1', '-o', out, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const ended = new Promise((done) => child.on('close', done));
  const begun = performance.now();
  const samples: Sample[] = [];
  const errors: unknown[] = [];
  let done = 0;
  let seen: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { type: string; state?: string; error?: unknown };
    if (event.type !== 'clip.end') continue;
    done += 1;
    if (event.state !== 'done') errors.push(event.error);
    samples.push(...(await look(child.pid as number, done)));
    seen = [child.pid as number, ...(await descendants(child.pid as number))];
    if (done % 20 === 0) console.error(`${done} clips`);
  }
  const code = await ended;
  const least = (name: string, at: number, of: 'rssBytes' | 'files') =>
    Math.min(
      ...samples
        .filter(({ clip, process }) => process === name && Math.abs(clip - at) <= neighbours)
        .map((one) => one[of]),
    );
  const compare = (name: string, of: 'rssBytes' | 'files') => {
    const [first, last] = [least(name, early, of), least(name, clips - neighbours, of)];
    return { [`clip${early}`]: first, [`clip${clips}`]: last, ratio: last / first };
  };
  const leftOver = (await readdir(out)).filter((name) => !/^(clip\d+|logs|manifest\.jsonl|summary\.html)$/.test(name));
  const result = {
    ...{ clips: done, errors, exitCode: code, seconds: (performance.now() - begun) / 1000 },
    rssBytes: { main: compare('main', 'rssBytes'), engine: compare('engine', 'rssBytes') },
    openFiles: { main: compare('main', 'files'), engine: compare('engine', 'files') },
    ...{ processesLeft: (await alive(seen)).length, filesLeftOver: leftOver },
    temporaryFilesLeft: await readdir(temporary),
  };
  console.log(JSON.stringify(result, null, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}
