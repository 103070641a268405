import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRunnable } from '#dist/stages/ffmpeg/carried.js';
import { locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { carried, makeFolder, makeScript, removeFolder } from './toolsets.js';

let folder = '';
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => removeFolder(folder));

/** A folder holding links to the carried programs under their usual names. */
async function bin(name: string, tools: readonly ('ffmpeg' | 'ffprobe')[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const tool of tools) await symlink(carried[tool], join(path, tool));
  return path;
}

describe('locateFfmpeg', () => {
  it('falls back to the carried pair, says so, and knows what it can do', () => {
    expect(carried).toMatchObject({ origin: 'carried', ffprobeOrigin: 'carried' });
    expect(carried.version).toMatch(/\d/);
    expect(carried.warnings).toHaveLength(1);
    expect(carried.warnings[0]).toMatch(/2018.*untrusted/);
    for (const name of ['libx264', 'aac', 'png']) expect(carried.encoders).toContain(name);
    for (const name of ['h264', 'libvpx-vp9']) expect(carried.decoders).toContain(name);
    for (const name of ['fps', 'scale', 'framestep', 'premultiply', 'zscale', 'tonemap'])
      expect(carried.filters).toContain(name);
  });

  it('prefers the option to the environment to PATH', async () => {
    const [a, b, c] = [
      await bin('a', ['ffmpeg', 'ffprobe']),
      await bin('b', ['ffmpeg', 'ffprobe']),
      await bin('c', ['ffmpeg', 'ffprobe']),
    ];
    const env = { PATH: c };
    const onPath = await locateFfmpeg({ env });
    expect(onPath).toMatchObject({
      origin: 'path',
      ffmpeg: join(c, 'ffmpeg'),
      ffprobe: join(c, 'ffprobe'),
      warnings: [],
    });
    const fromEnv = await locateFfmpeg({ env: { ...env, FFMPEG_PATH: join(b, 'ffmpeg') } });
    expect(fromEnv).toMatchObject({ origin: 'environment', ffmpeg: join(b, 'ffmpeg'), ffprobe: join(b, 'ffprobe') });
    const option = await locateFfmpeg({ ffmpeg: join(a, 'ffmpeg'), env: { ...env, FFMPEG_PATH: join(b, 'ffmpeg') } });
    expect(option).toMatchObject({
      origin: 'option',
      ffmpeg: join(a, 'ffmpeg'),
      ffprobe: join(a, 'ffprobe'),
      warnings: [],
    });
    const probeToo = await locateFfmpeg({ env: { ...env, FFPROBE_PATH: join(b, 'ffprobe') } });
    expect(probeToo).toMatchObject({
      ffmpeg: join(c, 'ffmpeg'),
      ffprobe: join(b, 'ffprobe'),
      ffprobeOrigin: 'environment',
    });
    expect(probeToo.warnings.join()).toMatch(/ffprobe from/);
  });

  it('completes a pair of which PATH has only one', async () => {
    const onlyFfmpeg = await locateFfmpeg({ env: { PATH: await bin('only-ffmpeg', ['ffmpeg']) } });
    expect(onlyFfmpeg).toMatchObject({ origin: 'path', ffprobeOrigin: 'carried', ffprobe: carried.ffprobe });
    expect(onlyFfmpeg.warnings.join()).toMatch(/ffprobe from/);
    const onlyProbe = await locateFfmpeg({ env: { PATH: await bin('only-ffprobe', ['ffprobe']) } });
    expect(onlyProbe).toMatchObject({ origin: 'carried', ffmpeg: carried.ffmpeg, ffprobeOrigin: 'path' });
  });

  it('never takes a program that merely lies in the working folder', async () => {
    const here = await bin('here', ['ffmpeg', 'ffprobe']);
    const before = process.env.PWD;
    const tools = await locateFfmpeg({ env: { PATH: ['', '.', 'here'].join(delimiter), PWD: here } });
    expect(tools.origin).toBe('carried');
    expect(process.env.PWD).toBe(before);
  });

  it('says what is wrong with a program that was named', async () => {
    const env = { PATH: '' };
    const text = join(folder, 'text');
    await writeFile(text, 'hello');
    for (const ffmpeg of [join(folder, 'nowhere'), folder, text]) {
      await expect(locateFfmpeg({ ffmpeg, env })).rejects.toMatchObject({
        kind: 'ffmpeg',
        code: 'ffmpeg.ffmpeg-not-runnable',
      });
    }
    const hello = await makeScript(join(folder, 'hello'), 'echo hello');
    await expect(locateFfmpeg({ ffmpeg: hello, env })).rejects.toMatchObject({
      kind: 'ffmpeg',
      code: 'ffmpeg.not-ffmpeg',
      message: expect.stringContaining('hello'),
    });
    await expect(locateFfmpeg({ env: { ...env, FFMPEG_PATH: hello } })).rejects.toMatchObject({
      code: 'ffmpeg.not-ffmpeg',
    });
    await expect(locateFfmpeg({ ffprobe: carried.ffmpeg, env })).rejects.toMatchObject({ code: 'ffmpeg.not-ffprobe' });
    await chmod(text, 0o755);
    await expect(locateFfmpeg({ ffmpeg: text, env })).rejects.toMatchObject({ code: 'ffmpeg.not-ffmpeg' });
  });

  it('refuses a build that cannot write H.264 and points at one that can', async () => {
    const poor = join(folder, 'poor');
    await mkdir(poor);
    const body = `case "$*" in *-encoders*) '${carried.ffmpeg}' "$@" | grep -v libx264;; *) exec '${carried.ffmpeg}' "$@";; esac`;
    await makeScript(join(poor, 'ffmpeg'), body);
    // The script itself needs grep.
    const env = { PATH: poor };
    const error = await locateFfmpeg({ env }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'ffmpeg', code: 'ffmpeg.no-libx264' });
    expect((error as { details: { hint: string } }).details.hint).toContain(carried.ffmpeg);
  });
});

describe('makeRunnable', () => {
  it('sets a missing run bit', async () => {
    const path = join(folder, 'no-bit');
    await writeFile(path, '#!/bin/sh\n', { mode: 0o644 });
    expect(await makeRunnable(path, {})).toBe(path);
    expect((await stat(path)).mode & 0o111).toBe(0o111);
  });

  it('runs a copy where the file cannot be changed', async () => {
    const path = join(folder, 'read-only');
    await writeFile(path, '#!/bin/sh\n', { mode: 0o444 });
    const refuse = () => Promise.reject(new Error('EROFS: read-only file system'));
    const env = { XDG_CACHE_HOME: join(folder, 'cache') };
    const copy = await makeRunnable(path, env, refuse);
    expect(copy.startsWith(join(folder, 'cache', 'pantomime'))).toBe(true);
    expect((await stat(copy)).mode & 0o111).toBe(0o111);
    expect(await readFile(copy, 'utf8')).toBe('#!/bin/sh\n');
    expect(await makeRunnable(path, env, refuse)).toBe(copy);
    expect((await stat(path)).mode & 0o111).toBe(0);
  });
});
