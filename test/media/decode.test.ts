import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { type DecodeFramesOptions, type DecodeOptions, decodeFrames, planDecode } from '#dist/stages/decode.js';
import type { FfmpegTools } from '#dist/stages/ffmpeg/locate.js';
import { probe } from '#dist/stages/probe.js';
import type { RgbImage } from '#dist/stages/types.js';
import { codedFrame, colorAt, cornerError, readIndex } from './coded-frame.js';
import { collect, h264, makeClip, makeTruncatedClip, makeTurnedClip, runFfmpeg, sine } from './media-factory.js';
import { carried, describeWithEach, isAlive, makeFolder, makeScript, removeFolder } from './toolsets.js';

let folder = '';
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => removeFolder(folder));

const ffmpeg = carried.ffmpeg;
const at = (name: string) => join(folder, name);

async function decode(tools: FfmpegTools, path: string, options: DecodeOptions & DecodeFramesOptions = {}) {
  const info = await probe(path, tools);
  const plan = planDecode(info, options);
  const stream = decodeFrames(info, plan, tools, options);
  const frames = await collect(stream.frames);
  for (const frame of frames) {
    expect(frame).toMatchObject({ width: stream.width, height: stream.height });
    expect(frame.data.length).toBe(stream.width * stream.height * 3);
  }
  return { info, plan, stream, frames, indices: frames.map(readIndex) };
}

const counting = (count: number, step = 1, from = 0) => Array.from({ length: count }, (_, i) => from + i * step);

describeWithEach('decode', (tools) => {
  const formats = {
    '4:2:0': ['-pix_fmt', 'yuv420p'],
    '4:2:2': ['-pix_fmt', 'yuv422p'],
    '4:4:4': ['-pix_fmt', 'yuv444p'],
    'full range': ['-pix_fmt', 'yuvj420p'],
    'BT.709 tagged': ['-vf', 'scale=out_color_matrix=bt709', '-colorspace', 'bt709', '-color_range', 'tv'],
  };
  it.each(Object.entries(formats))('gives the bytes of plain ffmpeg for %s', async (name, format) => {
    const path = at(`plain-${name.replaceAll(/\W/g, '')}.mp4`);
    await makeClip(ffmpeg, path, { frames: 12, rate: '30000/1001', video: [...h264, '-crf', '20', ...format] });
    const { frames } = await decode(tools, path);
    const plain = await runFfmpeg(tools.ffmpeg, ['-i', `file:${path}`, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-']);
    expect(Buffer.concat(frames.map((frame) => frame.data)).equals(plain)).toBe(true);
  });

  it('converts colours by their tags', async () => {
    // The same film stored with three matrices and ranges must come back as the same picture.
    const stored = {
      bt601: ['-vf', 'scale=out_color_matrix=bt601:out_range=tv', '-colorspace', 'smpte170m', '-color_range', 'tv'],
      bt709: ['-vf', 'scale=out_color_matrix=bt709:out_range=tv', '-colorspace', 'bt709', '-color_range', 'tv'],
      full: ['-vf', 'scale=out_color_matrix=bt709:out_range=pc', '-colorspace', 'bt709', '-color_range', 'pc'],
    };
    for (const [name, tags] of Object.entries(stored)) {
      const path = await makeClip(ffmpeg, at(`colour-${name}.mp4`), { frames: 2, video: [...h264, ...tags] });
      const { frames } = await decode(tools, path);
      expect(cornerError(frames[0]!)).toBeLessThan(10);
    }
  });

  it('takes frames 0, s, 2s of the part that was asked for and keeps its duration', async () => {
    const path = await makeClip(ffmpeg, at('long.mp4'), {
      frames: 150,
      rate: '30000/1001',
      video: [...h264, '-g', '50'],
    });
    const cases: [DecodeOptions, number[]][] = [
      [{}, counting(150)],
      [{ stride: 2 }, counting(75, 2)],
      [{ stride: 7 }, counting(22, 7)],
      [{ maxFrames: 5, stride: 3 }, counting(5, 3)],
      [{ startSec: 1.001 }, counting(120, 1, 30)],
      [{ startSec: 3.5, stride: 4 }, counting(12, 4, 105)],
      [{ startSec: 4, durationSec: 0.5 }, counting(15, 1, 120)],
      [{ durationSec: 1.001, stride: 4 }, counting(8, 4)],
      [{ startSec: 4.9, durationSec: 10 }, counting(3, 1, 147)],
    ];
    for (const [options, indices] of cases) {
      const decoded = await decode(tools, path, options);
      expect(decoded.indices, JSON.stringify(options)).toEqual(indices);
      expect(decoded.plan.frameCount).toBe(indices.length);
      const stride = options.stride ?? 1;
      expect(decoded.stream.frameRate.num * 1001 * stride).toBe(decoded.stream.frameRate.den * 30000);
      expect(decoded.plan.durationSec).toBeCloseTo((indices.length * 1001 * stride) / 30000, 9);
    }
  });

  it('resamples to another rate by time', async () => {
    const path = await makeClip(ffmpeg, at('25.mp4'), { frames: 50, rate: '25' });
    const { indices, plan } = await decode(tools, path, { fps: { num: 10, den: 1 } });
    expect(plan).toMatchObject({ frameCount: 20, frameRate: { num: 10, den: 1 } });
    expect(indices).toHaveLength(20);
    for (const [i, index] of indices.entries()) expect(Math.abs(index - i * 2.5)).toBeLessThanOrEqual(1.5);
  });

  it('holds the last picture where a variable rate has gaps', async () => {
    const drop = 'select=not(between(n\\,20\\,29)+eq(n\\,40)+eq(n\\,43))';
    const path = at('vfr.mp4');
    await makeClip(ffmpeg, path, { frames: 60, rate: '30', video: ['-vf', drop, '-vsync', '2', ...h264] });
    const shown = counting(60).map((n) => (n >= 20 && n <= 29 ? 19 : n === 40 ? 39 : n === 43 ? 42 : n));
    const fps = { num: 30, den: 1 };
    expect((await decode(tools, path, { fps })).indices).toEqual(shown);
    expect((await decode(tools, path, { fps, startSec: 0.8, stride: 2 })).indices).toEqual(
      counting(18, 2, 24).map((n) => shown[n]),
    );
    const own = await decode(tools, path);
    expect(own.frames.length / (own.plan.frameRate.num / own.plan.frameRate.den)).toBeCloseTo(2, 1);
    expect(own.frames.length).toBe(own.plan.frameCount);
  });

  it.each([90, 180, 270] as const)('turns a clip stored turned by %i once', async (degrees) => {
    const { stream, frames, indices } = await decode(
      tools,
      await makeTurnedClip(ffmpeg, at(`t${degrees}.mp4`), degrees),
    );
    expect([stream.width, stream.height]).toEqual([64, 96]);
    for (const frame of frames) expect(cornerError(frame)).toBeLessThan(12);
    expect(indices).toEqual(counting(24));
  });

  it('squares pixels, also of a turned clip', async () => {
    const path = await makeClip(ffmpeg, at('sar.mp4'), { video: ['-vf', 'setsar=4/3', ...h264] });
    const { stream, frames, indices } = await decode(tools, path);
    expect([stream.width, stream.height]).toEqual([85, 48]);
    expect(indices).toEqual(counting(24));
    expect(cornerError(frames[0]!)).toBeLessThan(12);
  });

  it('scales to the size that was asked for', async () => {
    const path = await makeClip(ffmpeg, at('scale.mp4'), {});
    for (const size of [{ width: 130, height: 70 }, { width: 32 }, { height: 97 }]) {
      const { stream, indices } = await decode(tools, path, { ...size, maxFrames: 9 });
      expect(stream).toMatchObject(size);
      if (!('width' in size && 'height' in size)) expect(stream.width / stream.height).toBeCloseTo(4 / 3, 1);
      expect(indices).toEqual(counting(9));
    }
  });

  it('reads odd sizes, 10 bit and a single frame', async () => {
    const odd = { width: 65, height: 49, video: [...h264, '-pix_fmt', 'yuv444p'] };
    const decoded = await decode(tools, await makeClip(ffmpeg, at('odd.mp4'), odd));
    expect([decoded.stream.width, decoded.stream.height]).toEqual([65, 49]);
    expect(decoded.indices).toEqual(counting(24));
    const deep = await makeClip(ffmpeg, at('deep.mp4'), { video: [...h264, '-pix_fmt', 'yuv420p10le'] });
    const { frames, indices } = await decode(tools, deep);
    expect(indices).toEqual(counting(24));
    expect(cornerError(frames[0]!)).toBeLessThan(12);
    const one = await makeClip(ffmpeg, at('one.mp4'), { frames: 1, draw: () => codedFrame(77, 64, 48).data });
    expect((await decode(tools, one)).indices).toEqual([77]);
  });

  it('is not confused by sound, whichever begins first, or by a strange name', async () => {
    const video = [...h264, '-c:a', 'aac'];
    const path = at(`-vf %d: ${'x'.repeat(120)} 'é日' [1] #?&.mp4`);
    await makeClip(ffmpeg, path, { frames: 30, rate: '30', inputs: sine(3), video });
    expect((await decode(tools, path)).indices).toEqual(counting(30));
    // Sound begins 0.2 s before the picture: frame times count from the sound's beginning.
    await makeClip(ffmpeg, at('late.mkv'), {
      frames: 30,
      rate: '30',
      inputs: sine(2),
      video: ['-vf', 'setpts=PTS+0.2/TB', ...h264, '-c:a', 'pcm_s16le'],
    });
    const late = await decode(tools, at('late.mkv'));
    expect(late.indices.slice(6)).toEqual(counting(30));
    expect(new Set(late.indices.slice(0, 6))).toEqual(new Set([0]));
  });

  it('lays transparency on black', async () => {
    // Left half opaque, right half with alpha 128, all of one colour.
    const draw = (index: number) => {
      const data = new Uint8Array(64 * 48 * 4);
      for (let i = 0; i < 64 * 48; i += 1) data.set([200, 100, 40, i % 64 < 32 ? 255 : 128], i * 4);
      // A changing pixel: QuickTime animation stores nothing at all for a picture that stays.
      data[index * 4] = 10;
      return data;
    };
    const formats: [string, string[], number][] = [
      ['png.mov', ['-c:v', 'png', '-pix_fmt', 'rgba'], 1],
      ['qtrle.mov', ['-c:v', 'qtrle', '-pix_fmt', 'argb'], 1],
      ['prores.mov', ['-c:v', 'prores_ks', '-profile:v', '4444', '-pix_fmt', 'yuva444p10le'], 6],
      [
        'vp9.webm',
        ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M'],
        8,
      ],
      ['vp8.webm', ['-c:v', 'libvpx', '-pix_fmt', 'yuva420p', '-auto-alt-ref', '0', '-b:v', '1M'], 8],
    ];
    for (const [name, video, tolerance] of formats) {
      await makeClip(ffmpeg, at(name), { frames: 3, draw, pixelFormat: 'rgba', video });
      const { frames } = await decode(tools, at(name));
      expect(frames, name).toHaveLength(3);
      for (const [x, factor] of [
        [0.2, 1],
        [0.8, 128 / 255],
      ] as const) {
        const got = colorAt(frames[1]!, x, 0.5);
        [200, 100, 40].forEach((value, c) => {
          expect(Math.abs(got[c]! - value * factor), `${name} at ${x}: ${got}`).toBeLessThanOrEqual(tolerance);
        });
      }
    }
  });

  it('maps HDR to ordinary colours', async () => {
    // Grey steps in PQ code values; 0.58 is 203 nits, the white of HDR.
    const draw = () => {
      const data = new Uint16Array(64 * 48 * 3);
      for (let i = 0; i < 64 * 48; i += 1)
        data.fill(Math.round(65535 * [0, 0.3, 0.45, 0.58][Math.floor((i % 64) / 16)]!), i * 3, i * 3 + 3);
      return new Uint8Array(data.buffer);
    };
    const tags = [
      '-color_primaries',
      'bt2020',
      '-color_trc',
      'smpte2084',
      '-colorspace',
      'bt2020nc',
      '-color_range',
      'tv',
    ];
    const video = ['-vf', 'scale=out_color_matrix=bt2020:out_range=tv', ...h264, '-pix_fmt', 'yuv420p10le', ...tags];
    const path = await makeClip(ffmpeg, at('hdr.mp4'), { frames: 2, draw, pixelFormat: 'rgb48le', video });
    const { info, frames } = await decode(tools, path);
    expect(info.video.color.hdr).toBe(true);
    const steps = [0.125, 0.375, 0.625, 0.875].map((x) => colorAt(frames[0]!, x, 0.5));
    for (const [r, g, b] of steps) expect(Math.max(Math.abs(r - g), Math.abs(g - b))).toBeLessThan(4);
    const levels = steps.map((step) => step[1]);
    expect(levels[0]).toBeLessThan(3);
    // Without tone mapping the brightest step would be 0.58 * 255 = 148.
    expect(levels[3]).toBeGreaterThan(165);
    expect(levels[3]).toBeLessThan(250);
    expect(levels[1]).toBeLessThan(levels[2]! - 20);
    const warnings: string[] = [];
    const poor = { ...tools, filters: new Set<string>() };
    await decode(poor, path, { onWarning: (message) => warnings.push(message) });
    expect(warnings.join()).toMatch(/HDR/);
  });

  it('keeps its size when the stream changes it midway', async () => {
    await makeClip(ffmpeg, at('a.ts'), { frames: 10, rate: '25' });
    await makeClip(ffmpeg, at('b.ts'), {
      frames: 10,
      rate: '25',
      width: 96,
      height: 32,
      video: [...h264, '-output_ts_offset', '0.4'],
    });
    await appendFile(at('a.ts'), await readFile(at('b.ts')));
    const { frames } = await decode(tools, at('a.ts'));
    expect(frames.length).toBeGreaterThanOrEqual(19);
    for (const frame of [frames[0]!, frames.at(-1)!]) expect(cornerError(frame)).toBeLessThan(40);
  });

  it('gives what a cut-off file still holds, and says so', async () => {
    const warnings: string[] = [];
    const path = await makeTruncatedClip(ffmpeg, at('cut.mp4'), 0.6);
    const { frames, indices, plan } = await decode(tools, path, { onWarning: (message) => warnings.push(message) });
    expect(frames.length).toBeGreaterThan(15);
    expect(frames.length).toBeLessThan(plan.frameCount!);
    // The very last frames may be damaged; the ones before are in their places.
    expect(indices.slice(0, -12)).toEqual(counting(frames.length - 12));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('cut.mp4');
  });

  it('says when no frame can be decoded', async () => {
    // The index is whole, but every picture is gone.
    const path = await makeTruncatedClip(ffmpeg, at('none.mp4'), 0.6);
    const bytes = await readFile(path);
    bytes.fill(0xff, bytes.indexOf('mdat') + 4);
    await writeFile(path, bytes);
    await expect(decode(tools, path)).rejects.toMatchObject({ code: 'video.no-frames', kind: 'input' });
  });
});

describe('decode, whatever ffmpeg does', () => {
  const shell = process.platform !== 'win32';

  it.runIf(shell)('ends ffmpeg when the reader stops early', async () => {
    const path = await makeClip(ffmpeg, at('stop.mp4'), { frames: 200 });
    const wrapper = await makeScript(at('wrapper'), `echo $$ > '${at('pid')}'; exec '${ffmpeg}' "$@"`);
    const tools = { ...carried, ffmpeg: wrapper };
    const info = await probe(path, tools);
    let seen: RgbImage | undefined;
    for await (const frame of decodeFrames(info, planDecode(info), tools, { width: 640, height: 480 }).frames) {
      seen = frame;
      break;
    }
    expect(readIndex(seen!)).toBe(0);
    expect(isAlive(Number(await readFile(at('pid'), 'utf8')))).toBe(false);
  });

  it.runIf(shell)('ends ffmpeg and throws the reason when it is aborted, even if nobody reads', async () => {
    const path = await makeClip(ffmpeg, at('abort.mp4'), { frames: 200 });
    // This one ignores SIGTERM.
    const wrapper = await makeScript(at('deaf'), `trap '' TERM; echo $$ > '${at('pid2')}'; exec '${ffmpeg}' "$@"`);
    const tools = { ...carried, ffmpeg: wrapper };
    const info = await probe(path, tools);
    const controller = new AbortController();
    const reason = new Error('enough');
    const { frames } = decodeFrames(info, planDecode(info), tools, {
      width: 640,
      height: 480,
      signal: controller.signal,
    });
    const reading = (async () => {
      for await (const frame of frames) if (readIndex(frame) === 2) controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    expect(isAlive(Number(await readFile(at('pid2'), 'utf8')))).toBe(false);
    await expect(collect(frames)).rejects.toBe(reason);
  });

  it.runIf(shell)('does not pass on half a frame, a crash or a missing program as a short film', async () => {
    const path = await makeClip(ffmpeg, at('ok.mp4'), { frames: 3 });
    const info = await probe(path, carried);
    const codeWith = async (program: string) => {
      const stream = decodeFrames(info, planDecode(info), { ...carried, ffmpeg: program });
      const error: unknown = await collect(stream.frames).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PantomimeError);
      return (error as PantomimeError).code;
    };
    expect(await codeWith(await makeScript(at('half'), 'head -c 1000 /dev/zero'))).toBe('video.partial-frame');
    expect(await codeWith(await makeScript(at('crash'), 'head -c 9216 /dev/zero; kill -9 $$'))).toBe('ffmpeg.failed');
    expect(await codeWith(await makeScript(at('fail'), 'head -c 9216 /dev/zero; echo no >&2; exit 1'))).toBe(
      'ffmpeg.failed',
    );
    expect(await codeWith(at('not-there'))).toBe('ffmpeg.failed');
  });

  it('refuses options that make no sense', async () => {
    const info = await probe(await makeClip(ffmpeg, at('opt.mp4')), carried);
    const bad: DecodeOptions[] = [
      ...[{ stride: 0 }, { stride: 1.5 }, { maxFrames: 0 }, { startSec: -1 }, { startSec: Number.NaN }],
      ...[{ durationSec: 0 }, { fps: { num: 1000, den: 1 } }],
    ];
    for (const options of bad) expect(() => planDecode(info, options)).toThrow(PantomimeError);
    expect(() => planDecode(info, { startSec: 60 })).toThrow(/ends before the start/);
    expect(() => decodeFrames(info, planDecode(info), carried, { width: 0 })).toThrow(PantomimeError);
  });
});
