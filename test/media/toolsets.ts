import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { type FfmpegTools, locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';

/** The carried pair, found as on a machine without ffmpeg. Also makes the media of these tests. */
export const carried = await locateFfmpeg({ env: { ...process.env, PATH: '', FFMPEG_PATH: '', FFPROBE_PATH: '' } });

/** The machine's own pair; undefined where there is none. */
export const system = await locateFfmpeg().then(
  (tools) => (tools.origin === 'carried' ? undefined : tools),
  () => undefined,
);

/** Run a suite with the carried ffmpeg, and once more with the machine's own where it has one. */
export function describeWithEach(name: string, suite: (tools: FfmpegTools) => void): void {
  describe(`${name} (carried ffmpeg ${carried.version})`, () => suite(carried));
  if (system) describe(`${name} (system ffmpeg ${system.version})`, () => suite(system as FfmpegTools));
  else describe.skip(`${name} (system ffmpeg: skipped, there is none on PATH)`, () => suite(carried));
}

/** A fresh folder for one test file. */
export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'pantomime-media-'));
}

export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/** A shell script that takes a program's place. */
export async function makeScript(path: string, body: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Whether a process of this id still runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
