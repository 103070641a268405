import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hasCudaPlatform, missingCudaLibraries } from '#dist/models/runtime/providers.js';
import type { Finding } from '#dist/pipeline/doctor/finding.js';
import { startNuget } from '../support/nuget-server.js';
import { eventsOf, pantomime, start } from './program.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-doctor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Told = { readonly type: string; readonly ok: boolean; readonly findings: readonly Finding[] };

it('doctor finds what a run on the CPU needs, and every lack ends in one command', async () => {
  const { code, stdout } = await pantomime('doctor', '--json');
  expect(code).toBe(0);
  const told = eventsOf(stdout).at(-1) as unknown as Told;
  expect(told).toMatchObject({ type: 'doctor', ok: true });
  const states = new Map(told.findings.map(({ area, name, state }) => [`${area} ${name}`, state]));
  for (const name of ['machine Node', 'video ffmpeg', 'poses MediaPipe', 'models embedded', 'devices cpu'])
    expect([name, states.get(name)]).toEqual([name, 'ok']);
  for (const name of ['devices cuda', 'devices webgpu', 'models dwpose', 'cuda NVIDIA driver'])
    expect(states.has(name) || process.platform !== 'linux').toBe(true);
  for (const { state, fix } of told.findings) expect(fix === undefined).toBe(state === 'ok' || state === 'not needed');
  for (const { fix } of told.findings) expect(fix ?? '').not.toMatch(/[\n;]/);
});

it('doctor says what is wrong, and ends with the code that a run would end with', async () => {
  const { code, stdout, stderr } = await start(['doctor'], { FFMPEG_PATH: join(folder, 'none') }).ended;
  expect(code).toBe(6);
  expect(stdout).toMatch(/^ {2}missing +ffmpeg +.*cannot be run/m);
  expect(stdout).toMatch(/^ {2}ok +cpu +a session computed 2 \+ 2$/m);
  expect(stdout).toContain('A run does not work here.');
  expect(stderr).toMatch(/hint .*install ffmpeg/);
});

it.runIf(hasCudaPlatform && missingCudaLibraries().length > 0)(
  'setup cuda shows what it would do and asks; without a terminal it needs --yes',
  async () => {
    const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
    await using server = await startNuget('Microsoft.ML.OnnxRuntime.Gpu.Linux', version, Buffer.alloc(5_000_000));
    const env = { PANTOMIME_CACHE: folder };
    const { code, stdout, stderr } = await start(['setup', 'cuda', '--feed', server.feed], env).ended;
    expect([code, stdout]).toEqual([2, '']);
    for (const part of ['5 MB', '.nupkg', 'MIT', 'SHA-512', 'NVIDIA', 'pantomime setup cuda --yes'])
      expect(stderr).toContain(part);
    expect(server.seen.filter((line) => line.includes('.nupkg'))).toEqual([]);

    const offline = await start(['setup', 'cuda', '--yes', '--feed', server.feed], { ...env, HF_HUB_OFFLINE: '1' })
      .ended;
    expect(offline).toMatchObject({ code: 2, stderr: expect.stringContaining('--from FILE') });
    // All zeros are no package: nothing of it may reach the folder of onnxruntime.
    const wrong = await start(['setup', 'cuda', '--yes', '--json', '--feed', server.feed], env).ended;
    expect(wrong.code).toBe(5);
    expect(eventsOf(wrong.stdout).at(-1)).toMatchObject({ type: 'run.error', code: 'cuda.package' });
  },
);
