import { spawn } from 'node:child_process';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import type { AnimateInput } from '#dist/pipeline/index.js';
import { alive } from '../support/processes.js';

const main = fileURLToPath(new URL('../../dist/pipeline/cli/main.js', import.meta.url));

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
/** A line of `--json`. */
export type Event = { readonly type: string; readonly stage?: string; readonly [name: string]: unknown };

export type Running = {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves with the first event that fits; rejects when the program ends without one. */
  readonly until: (fits: (event: Event) => boolean) => Promise<Event>;
};

/** Starts the command line as users do: a process of its own, at the head of its own process group. */
export function start(words: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...env },
  });
  let [stdout, stderr] = ['', ''];
  const watchers = new Set<() => void>();
  child.stdout.on('data', (data) => {
    stdout += data;
    for (const look of watchers) look();
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const until = (fits: (event: Event) => boolean) =>
    new Promise<Event>((resolve, reject) => {
      const look = () => {
        const found = eventsOf(stdout.slice(0, stdout.lastIndexOf('\n') + 1)).find(fits);
        if (!found) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
      void ended.then((end) => reject(new Error(`ended first: ${end.code} ${end.stderr}`)));
    });
  return { pid: child.pid as number, ended, until };
}

export function pantomime(...words: string[]): Promise<Ended> {
  return start(words).ended;
}

export function eventsOf(stdout: string): Event[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

export const sample = { image: 'samples/reference/ida.png', video: 'samples/driving/dancer.mp4' };
export const model = 'test/fixtures/model';

/** As little work as shows everything. */
export const small: AnimateInput = {
  ...{ image: sample.image, model, width: 64, height: 64, steps: 1, seed: 7, chunk: 4, overlap: 1 },
  ...{ poseModel: 'lite', hands: false, face: false, residency: 'low-memory', maxFrames: 3 },
};

/** Options of a library call as words of the command line. */
export function words(options: AnimateInput): string[] {
  return Object.entries(options).flatMap(([name, value]) => ['--set', `${name}=${String(value)}`]);
}

export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'pantomime-e2e-'));
}

export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

export async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The final latents of a run, [1 + frames, 4, h, w]. */
export async function latentsOf(runDir: string) {
  const { tensors } = await openSafetensors(join(runDir, 'latents.safetensors'));
  return readTensor(tensors.get('latents')!);
}

export async function allGone(pids: readonly number[]): Promise<void> {
  await expect.poll(() => alive(pids), { timeout: 20_000, interval: 100 }).toEqual([]);
}
