import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { probe } from '#dist/stages/probe.js';
import { h264, makeClip, makeTruncatedClip, makeTurnedClip, runFfmpeg, sine } from './media-factory.js';
import { carried, describeWithEach, makeFolder, removeFolder } from './toolsets.js';

let folder = '';
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => removeFolder(folder));

const ffmpeg = carried.ffmpeg;
const at = (name: string) => join(folder, name);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PantomimeError);
  const { code, kind } = error as PantomimeError;
  return `${kind} ${code}`;
}

describeWithEach('probe', (tools) => {
  it('reads size, exact NTSC rate, frame count and sound', async () => {
    const path = await makeClip(ffmpeg, at('ntsc.mp4'), {
      frames: 60,
      rate: '30000/1001',
      inputs: sine(2, 1, 48_000),
      video: [...h264, '-c:a', 'aac'],
    });
    const info = await probe(path, tools);
    expect(info.format).toContain('mp4');
    expect(info.durationSec).toBeCloseTo(2.002, 1);
    expect(info.video).toMatchObject({
      ...{ codec: 'h264', width: 64, height: 48, rotationDeg: 0, variableFrameRate: false, frameCount: 60 },
      ...{ frameRate: { num: 30000, den: 1001 }, pixelFormat: 'yuv420p', bitDepth: 8, hasAlpha: false },
    });
    expect(info.audio).toMatchObject({ codec: 'aac', channels: 1, sampleRate: 48_000 });
  });

  it('finds the exact rate in containers that round timestamps to milliseconds, and counts frames there', async () => {
    const path = await makeClip(ffmpeg, at('ntsc.mkv'), { frames: 90, rate: '24000/1001' });
    const { video, audio } = await probe(path, tools);
    expect(video).toMatchObject({ frameRate: { num: 24000, den: 1001 }, variableFrameRate: false, frameCount: 90 });
    expect(audio).toBeUndefined();
  });

  it('notices a variable frame rate', async () => {
    const drop = 'select=not(between(n\\,20\\,29)+eq(n\\,40)+eq(n\\,43))';
    const video = ['-vf', drop, '-vsync', '2', ...h264];
    const path = await makeClip(ffmpeg, at('vfr.mp4'), { frames: 60, rate: '30', video });
    const info = await probe(path, tools);
    expect(info.video).toMatchObject({ variableFrameRate: true, frameCount: 48 });
    expect(info.video.frameRate.num / info.video.frameRate.den).toBeCloseTo(24, 0);
  });

  it.each([90, 180, 270] as const)('shows a clip stored turned by %i upright', async (degrees) => {
    const { video } = await probe(await makeTurnedClip(ffmpeg, at(`turn-${degrees}.mp4`), degrees), tools);
    expect(video).toMatchObject({ width: 64, height: 96, rotationDeg: degrees });
    expect([video.codedWidth, video.codedHeight]).toEqual(degrees === 180 ? [64, 96] : [96, 64]);
  });

  it('makes pixels square', async () => {
    const wide = await makeClip(ffmpeg, at('wide.mp4'), { video: ['-vf', 'setsar=4/3', ...h264] });
    expect((await probe(wide, tools)).video).toMatchObject({ codedWidth: 64, width: 85, height: 48 });
    const tall = await makeClip(ffmpeg, at('tall.mp4'), { video: ['-vf', 'setsar=1/2', ...h264] });
    expect((await probe(tall, tools)).video).toMatchObject({ codedHeight: 48, width: 64, height: 96 });
  });

  it('reads bit depth, HDR tags and alpha', async () => {
    const tags = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'];
    const hdr = await makeClip(ffmpeg, at('hdr.mp4'), { video: [...h264, '-pix_fmt', 'yuv420p10le', ...tags] });
    expect((await probe(hdr, tools)).video).toMatchObject({
      bitDepth: 10,
      color: { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc', hdr: true },
    });
    const alpha = { pixelFormat: 'rgba', draw: () => new Uint8Array(64 * 48 * 4).fill(128) };
    const qtrle = await makeClip(ffmpeg, at('a.mov'), { ...alpha, video: ['-c:v', 'qtrle', '-pix_fmt', 'argb'] });
    expect((await probe(qtrle, tools)).video).toMatchObject({ hasAlpha: true, bitDepth: 8 });
    const vp9 = ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p', '-deadline', 'realtime', '-cpu-used', '8'];
    const webm = await makeClip(ffmpeg, at('a.webm'), { ...alpha, frames: 3, video: vp9 });
    expect((await probe(webm, tools)).video.hasAlpha).toBe(true);
  });

  it('reads one frame, and any file name', async () => {
    const name = `-i %03d: ${'très long '.repeat(10)}[日本語]'"\n.mp4`;
    const { video } = await probe(await makeClip(ffmpeg, at(name), { frames: 1 }), tools);
    expect(video).toMatchObject({ frameCount: 1, frameRate: { num: 24, den: 1 } });
  });

  it('says what is wrong with files that are no video', async () => {
    expect(await codeOf(probe(at('nowhere.mp4'), tools))).toBe('input video.missing');
    await mkdir(at('folder.mp4'), { recursive: true });
    expect(await codeOf(probe(at('folder.mp4'), tools))).toBe('input video.not-a-file');
    await writeFile(at('empty.mp4'), '');
    expect(await codeOf(probe(at('empty.mp4'), tools))).toBe('input video.empty');
    await writeFile(at('text.mp4'), 'this is a letter, not a film\n'.repeat(50));
    expect(await codeOf(probe(at('text.mp4'), tools))).toBe('input video.not-media');
    await runFfmpeg(ffmpeg, [...sine(1), '-c:a', 'aac', `file:${at('sound.mp4')}`]);
    expect(await codeOf(probe(at('sound.mp4'), tools))).toBe('input video.no-video');
    await makeTruncatedClip(ffmpeg, at('no-index.mp4'), 0.005);
    expect(await codeOf(probe(at('no-index.mp4'), tools))).toBe('input video.not-media');
  });

  it('reads transport streams', async () => {
    const path = await makeClip(ffmpeg, at('stream.ts'), { frames: 50, rate: '25' });
    const { video } = await probe(path, tools);
    expect(video).toMatchObject({ frameRate: { num: 25, den: 1 }, variableFrameRate: false, frameCount: 50 });
  });

  it('takes cover art for what it is', async () => {
    await makeClip(ffmpeg, at('cover.png'), { frames: 1, video: ['-c:v', 'png'] });
    const cover = ['-i', `file:${at('cover.png')}`, ...sine(1), '-map', '0', '-map', '1', '-c:v', 'copy'];
    await runFfmpeg(ffmpeg, [...cover, '-disposition:v:0', 'attached_pic', `file:${at('song.mp3')}`]);
    expect(await codeOf(probe(at('song.mp3'), tools))).toBe('input video.no-video');
  });

  it('reports a video stream without frames', async () => {
    await makeClip(ffmpeg, at('zero.mp4'), { frames: 5, video: [...h264, '-frames:v', '0'] }).catch(() => {});
    expect(await codeOf(probe(at('zero.mp4'), tools))).toMatch(/^input video\./);
    await makeClip(ffmpeg, at('zero.avi'), { frames: 5, video: ['-c:v', 'mpeg4', '-frames:v', '0'] });
    expect(await codeOf(probe(at('zero.avi'), tools))).toBe('input video.no-frames');
  });

  it('opens no play list, whatever it is called', async () => {
    await makeClip(ffmpeg, at('part.ts'), {});
    const list = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${at('part.ts')}\n#EXT-X-ENDLIST\n`;
    await writeFile(at('list.m3u8'), list);
    expect(await codeOf(probe(at('list.m3u8'), tools))).toBe('input video.container-refused');
    await writeFile(at('concat.mp4'), `ffconcat version 1.0\nfile '${at('part.ts')}'\n`);
    expect(await codeOf(probe(at('concat.mp4'), tools))).toBe('input video.container-refused');
  });

  it('refuses sizes, rates and lengths beyond its limits', async () => {
    const strip = { width: 16_500, height: 2, frames: 1, draw: () => new Uint8Array(16_500 * 2 * 3) };
    await makeClip(ffmpeg, at('strip.avi'), { ...strip, video: ['-c:v', 'ffv1'] });
    expect(await codeOf(probe(at('strip.avi'), tools))).toBe('input video.too-large');
    await makeClip(ffmpeg, at('sar.mkv'), { width: 320, video: ['-vf', 'setsar=200/1', ...h264] });
    expect(await codeOf(probe(at('sar.mkv'), tools))).toBe('input video.too-large');
    await makeClip(ffmpeg, at('slow.mkv'), { frames: 3, rate: '1/40000' });
    expect(await codeOf(probe(at('slow.mkv'), tools))).toBe('input video.too-long');
    const frame = Buffer.concat([Buffer.from('FRAME\n'), Buffer.alloc(16 * 16 * 1.5)]);
    await writeFile(at('fast.y4m'), Buffer.concat([Buffer.from('YUV4MPEG2 W16 H16 F5000:1 C420\n'), frame, frame]));
    expect(await codeOf(probe(at('fast.y4m'), tools))).toBe('input video.too-fast');
  });

  it('stops when asked to', async () => {
    const reason = new Error('enough');
    const path = await makeClip(ffmpeg, at('stop.mp4'), { frames: 1 });
    await expect(probe(path, tools, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
