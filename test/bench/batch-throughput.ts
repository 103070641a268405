/**
 * Clips per minute of `pantomime batch` against a shell loop of `pantomime animate` on the same clips, one after the other on the
 * same machine, with the embedded model.
 *
 *     npm run build && node test/bench/run.mjs batch-throughput [--clips 10] [--frames 7]
 *
 * One JSON object on stdout, progress on stderr. Results are compared bit by bit first: a faster wrong one would be no use.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { clips: { type: 'string', default: '10' }, frames: { type: 'string', default: '7' } },
});
const main = resolve('dist/pipeline/cli/main.js');
const video = resolve('samples/driving/dancer.mp4');
const image = resolve('samples/reference/ida.png');
const clips = Array.from({ length: Number(values.clips) }, (_, i) => ({ name: `clip${i}`, video, start: i * 0.3 }));
const shared = ['--max-frames', values.frames, '--seed', '1', '--image', image];

/** Runs the command line; gives the seconds it took. */
async function pantomime(...words: string[]): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((done) => child.on('close', done));
  if (code !== 0) throw new Error(`pantomime ${words.join(' ')} ended with ${code}`);
  return (performance.now() - begun) / 1000;
}

const folder = await mkdtemp(join(tmpdir(), 'pantomime-bench-'));
try {
  const manifest = join(folder, 'clips.json');
  await writeFile(manifest, JSON.stringify(clips));
  const batchSec = await pantomime('batch', manifest, ...shared, '-o', join(folder, 'batch'));
  let loopSec = 0;
  for (const { name, start } of clips) {
    const words = ['--video', video, '--start', String(start), '-o', join(folder, 'loop', name), '--quiet'];
    loopSec += await pantomime('animate', ...shared, ...words);
  }
  let equal = 0;
  for (const { name } of clips) {
    const [one, other] = await Promise.all(
      ['batch', 'loop'].map((way) => readFile(join(folder, way, name, 'output.mp4'))),
    );
    if (one?.equals(other as Buffer)) equal += 1;
  }
  const perMinute = (seconds: number) => (clips.length / seconds) * 60;
  const result = {
    clips: clips.length,
    framesPerClip: Number(values.frames),
    equalVideos: equal,
    batch: { seconds: batchSec, clipsPerMinute: perMinute(batchSec) },
    loop: { seconds: loopSec, clipsPerMinute: perMinute(loopSec) },
    ratio: loopSec / batchSec,
  };
  console.log(JSON.stringify(result, null, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}
