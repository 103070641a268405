import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cudaRuntime, unloadable } from '#dist/models/runtime/cuda/cuda-libraries.js';
import { nvidiaDriver } from '#dist/models/runtime/cuda/nvidia-driver.js';
import { doctorTable } from '#dist/pipeline/cli/doctor-text.js';
import { driverFinding, librariesFinding } from '#dist/pipeline/doctor/cuda.js';
import { cudaFinding, webgpuFinding } from '#dist/pipeline/doctor/devices.js';
import { failureOf } from '#dist/pipeline/doctor/examine.js';
import type { Finding } from '#dist/pipeline/doctor/finding.js';
import { diskFinding, memoryFinding, nodeFinding } from '#dist/pipeline/doctor/machine.js';
import { videoFindings } from '#dist/pipeline/doctor/video.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pantomime-doctor-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function script(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('the machine', () => {
  it.each([
    ['20.18.3', 'failed'],
    ['18.20.4', 'failed'],
    ['20.19.0', 'ok'],
    ['22.0.0', 'ok'],
  ])('Node %s is %s', (version, state) => {
    expect(nodeFinding(version)).toMatchObject({ state, needed: 'usage' });
  });

  it('little memory is said, with what a run needs', () => {
    expect(memoryFinding(8e9, 4e9)).toMatchObject({ state: 'ok', found: '8.0 GB, 4.0 GB free' });
    expect(memoryFinding(8e9, 4e8)).toMatchObject({ state: 'failed', found: expect.stringContaining('1.5 GB') });
  });

  it('a folder that cannot be is said; one that only does not exist yet is none', async () => {
    expect(await diskFinding('x', join(folder, 'a', 'b'), 'df', 'input')).toMatchObject({
      state: 'ok',
      needed: 'input',
    });
    await writeFile(join(folder, 'file'), '');
    const inFile = await diskFinding('x', join(folder, 'file', 'below'), 'df -h .', 'input');
    expect(inFile).toMatchObject({ state: 'failed', fix: expect.stringContaining('ls -ld') });
  });
});

describe('ffmpeg', () => {
  const lists = (encoders: string) =>
    `case "$2" in -version) echo "$(basename "$0") version 7.1";; -encoders) ${encoders};; esac`;

  it('one that lacks an encoder or a filter is said, and what installs another', async () => {
    const ffmpeg = await script('ffmpeg', lists('echo " V....D libx264 x"'));
    await script('ffprobe', lists(':'));
    const found = await videoFindings(undefined, { FFMPEG_PATH: ffmpeg });
    expect(found.map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...['ffmpeg ok', 'ffprobe ok', 'encoders missing', 'HDR clips missing'],
    ]);
    expect(found[0]?.found).toBe(`7.1, ${ffmpeg} (FFMPEG_PATH)`);
    expect(found[2]).toMatchObject({ found: 'without aac', fix: expect.stringContaining('ffmpeg'), needed: 'ffmpeg' });
  });

  it('one that does not run is missing', async () => {
    const [only] = await videoFindings(undefined, { FFMPEG_PATH: join(folder, 'none') });
    expect(only).toMatchObject({ state: 'missing', needed: 'ffmpeg', fix: expect.stringMatching(/install .*ffmpeg$/) });
  });
});

describe('NVIDIA', () => {
  const places = () => ({
    smi: [join(folder, 'nvidia-smi')],
    module: join(folder, 'version'),
    pci: join(folder, 'pci'),
  });
  const look = async () => driverFinding(await nvidiaDriver(undefined, places()));
  const plugIn = async (vendor = '0x10de', kind = '0x030200') => {
    await mkdir(join(folder, 'pci', '0000:01:00.0'), { recursive: true });
    await writeFile(join(folder, 'pci', '0000:01:00.0', 'vendor'), `${vendor}\n`);
    await writeFile(join(folder, 'pci', '0000:01:00.0', 'class'), `${kind}\n`);
  };

  it('driver and cards as its own program says them', async () => {
    await script('nvidia-smi', 'echo "550.54.15, NVIDIA H100 80GB HBM3, 81559 MiB"');
    expect(await look()).toMatchObject({ state: 'ok', found: '550.54.15; NVIDIA H100 80GB HBM3, 81559 MiB' });
  });

  it('a driver without that program, as in many containers', async () => {
    const text = 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n';
    await writeFile(join(folder, 'version'), text);
    expect(await look()).toMatchObject({ state: 'ok', found: '535.104.05' });
    await writeFile(
      join(folder, 'version'),
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  470.1.2  Release Build\n',
    );
    expect(await look()).toMatchObject({ state: 'failed', found: expect.stringContaining('CUDA 12 needs 525.60.13') });
  });

  it('a program that fails is said in its own words', async () => {
    await script('nvidia-smi', 'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18');
    const found = await look();
    expect(found).toMatchObject({ state: 'failed', fix: 'nvidia-smi' });
    expect(found.found).toContain('version mismatch');
  });

  it('a card without a driver is told from no card', async () => {
    await plugIn('0x8086');
    expect((await nvidiaDriver(undefined, places())).plugged).toBe(false);
    await plugIn('0x10de', '0x020000');
    expect((await nvidiaDriver(undefined, places())).plugged).toBe(false);
    await plugIn();
    expect(await look()).toMatchObject({ state: 'missing', found: expect.stringContaining('no driver') });
  });

  it.runIf(process.platform === 'linux')('libraries are found as the dynamic loader finds them', async () => {
    const lacking = await unloadable(['libm.so.6', 'libnobody.so.7']);
    expect([...lacking.keys()]).toEqual(['libnobody.so.7']);
    const finding = librariesFinding('x', ['libm.so.6', 'libnobody.so.7'], lacking, 'nobody', '');
    expect(finding).toMatchObject({ state: 'missing', found: 'not found: libnobody.so.7' });
    expect(librariesFinding('x', ['libm.so.6'], lacking, 'nobody', '')).toMatchObject({ state: 'ok' });
  });

  it('a library that lacks another one is broken, not missing', () => {
    const lacking = new Map([['libcudnn.so.9', 'libzzz.so.1: cannot open shared object file']]);
    const finding = librariesFinding('cuDNN 9', cudaRuntime.cudnn9, lacking, 'libcudnn9-cuda-12', '');
    expect(finding).toMatchObject({
      state: 'failed',
      found: 'libcudnn.so.9: libzzz.so.1: cannot open shared object file',
    });
  });
});

describe('devices', () => {
  const missing: Finding = { area: 'cuda', name: 'cuDNN 9', state: 'missing', found: 'not found', fix: 'get cudnn' };
  const failed = { provider: 'cuda', available: false, why: 'no' } as const;

  it('CUDA that fails ends in the command that mends its cause', () => {
    expect(cudaFinding({ wanted: true, findings: [missing] }, failed)).toMatchObject({
      state: 'failed',
      fix: 'get cudnn',
    });
    expect(cudaFinding({ wanted: true, findings: [] }, failed)).toMatchObject({ state: 'failed', fix: 'nvidia-smi' });
    expect(cudaFinding({ wanted: true, findings: [missing] }, undefined)).toMatchObject({ state: 'missing' });
    expect(cudaFinding({ wanted: false, findings: [missing] }, undefined)).toMatchObject({ state: 'not needed' });
  });

  it('WebGPU is missed only where there is a graphics card', () => {
    const report = { provider: 'webgpu', available: false, why: 'no adapter' } as const;
    expect(webgpuFinding(report, false).state).toBe('not needed');
    expect(webgpuFinding(report, true)).toMatchObject({
      state: 'failed',
      found: 'no adapter',
      fix: expect.any(String),
    });
  });
});

describe('as a whole', () => {
  const line = (name: string, more: Partial<Finding>): Finding => ({
    ...{ area: 'video', name, state: 'ok', found: `${name} is so` },
    ...more,
  });

  it('only what every run needs is a failure, and the first decides its kind', () => {
    expect(failureOf([line('a', { needed: 'ffmpeg' }), line('b', { state: 'missing', fix: 'x' })])).toBeUndefined();
    const broken = [
      line('encoders', { state: 'missing', needed: 'ffmpeg', fix: 'get ffmpeg' }),
      line('cpu', { state: 'failed', needed: 'device', fix: 'npm ci' }),
    ];
    expect(failureOf(broken)).toMatchObject({
      exitCode: 6,
      details: { what: expect.stringContaining('encoders missing, cpu failed'), hint: 'get ffmpeg' },
    });
  });

  it('a table: areas, states, and below what is wrong what to type', () => {
    const findings = [
      line('ffmpeg', {}),
      line('encoders', { state: 'missing', found: 'without\x1b[2J aac', fix: 'get it' }),
      line('cpu', { area: 'devices' }),
    ];
    expect(doctorTable(findings, { color: false })).toBe(
      [
        'video',
        '  ok          ffmpeg    ffmpeg is so',
        '  missing     encoders  without?[2J aac',
        '              get it',
        'devices',
        '  ok          cpu       cpu is so',
        '',
      ].join('\n'),
    );
    expect(doctorTable(findings, { color: true })).toContain('\x1b[33m');
  });
});
