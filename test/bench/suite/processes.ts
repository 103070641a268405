import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { descendants } from '../../support/processes.js';

/** Largest memory of each kind of process, in bytes: `main`, `engine`, `ffmpeg` (the largest one). */
export type PeakMemory = Readonly<Record<string, number>>;

const main = resolve('dist/pipeline/cli/main.js');
const pollMs = 100;

/** Runs the command line to its end, and looks at its processes meanwhile (on Linux). Throws when it fails. */
export async function runPantomime(words: readonly string[]): Promise<{
  readonly seconds: number;
  readonly peakBytes: PeakMemory;
}> {
  const begun = performance.now();
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let printed = '';
  child.stderr.on('data', (text) => {
    printed = (printed + text).slice(-2000);
  });
  const peakBytes: Record<string, number> = {};
  const look = async () => {
    const root = child.pid as number;
    for (const pid of [root, ...(await descendants(root))]) {
      const [line, status] = await Promise.all(['cmdline', 'status'].map((name) => read(`/proc/${pid}/${name}`)));
      const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status ?? '')?.[1] ?? 0) * 1024;
      const kind = pid === root ? 'main' : /engine-process/.test(line ?? '') ? 'engine' : 'ffmpeg';
      if (peak > 0) peakBytes[kind] = Math.max(peakBytes[kind] ?? 0, peak);
    }
  };
  const ended = new Promise<number | null>((done) => child.on('close', done));
  const polling = process.platform === 'linux' ? setInterval(() => void look(), pollMs) : undefined;
  const code = await ended;
  clearInterval(polling);
  if (code !== 0) throw new Error(`pantomime ${words.join(' ')} ended with ${code}: ${printed}`);
  return { seconds: (performance.now() - begun) / 1000, peakBytes };
}

const read = (path: string) => readFile(path, 'utf8').catch(() => '');
