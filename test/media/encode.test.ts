import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeFrames, planDecode } from '#dist/stages/decode.js';
import { type EncodeOptions, encodeVideo } from '#dist/stages/encode.js';
import type { FfmpegTools } from '#dist/stages/ffmpeg/locate.js';
import { runTool } from '#dist/stages/ffmpeg/run-tool.js';
import { probe } from '#dist/stages/probe.js';
import type { RgbImage } from '#dist/stages/types.js';
import { codedFrame, cornerError, readIndex } from './coded-frame.js';
import { collect, h264, makeClip, runFfmpeg, sine } from './media-factory.js';
import { carried, describeWithEach, isAlive, makeFolder, makeScript, removeFolder } from './toolsets.js';

let folder = '';
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => removeFolder(folder));
const at = (name: string) => join(folder, name);

async function* coded(count: number, width = 64, height = 48): AsyncGenerator<RgbImage> {
  for (let index = 0; index < count; index += 1) yield codedFrame(index, width, height);
}

const base = { width: 64, height: 48, frameRate: { num: 30000, den: 1001 }, preset: 'ultrafast' } as const;

async function readBack(tools: FfmpegTools, path: string) {
  const info = await probe(path, tools);
  return { info, frames: await collect(decodeFrames(info, planDecode(info), tools).frames) };
}

/** When the sound begins to be loud, in seconds: from its own first sample, plus where that lies in the file. */
async function onsetSec(tools: FfmpegTools, path: string): Promise<number> {
  const filter = ['-af', 'aresample=8000:first_pts=0', '-ac', '1', '-f', 'f32le', '-'];
  const bytes = await runFfmpeg(tools.ffmpeg, ['-i', `file:${path}`, '-map', '0:a:0', ...filter]);
  for (let i = 0; i < bytes.length / 4; i += 1) if (Math.abs(bytes.readFloatLE(i * 4)) > 0.02) return i / 8000;
  return Number.NaN;
}

describeWithEach('encode', (tools) => {
  it('writes what decode reads back: frames, exact rate, BT.709, nothing else', async () => {
    const out = at('round.mp4');
    const counts: number[] = [];
    const taken = await encodeVideo({
      ...base,
      frames: coded(40),
      out,
      tools,
      comment: "run = 1; 'x y' é",
      onFrame: (n) => counts.push(n),
    });
    expect(taken).toBe(40);
    expect(counts).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    const { info, frames } = await readBack(tools, out);
    expect(frames.map(readIndex)).toEqual(counts.map((n) => n - 1));
    for (const frame of frames) expect(cornerError(frame)).toBeLessThan(12);
    expect(info.video).toMatchObject({
      ...{ codec: 'h264', pixelFormat: 'yuv420p', frameCount: 40, variableFrameRate: false, frameRate: base.frameRate },
      color: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'tv', hdr: false },
    });
    expect(info.audio).toBeUndefined();
    const bytes = await readFile(out);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
    const { stdout } = await runTool(tools.ffprobe, [
      '-v',
      'error',
      '-show_entries',
      'format_tags',
      '-of',
      'json',
      out,
    ]);
    const { tags } = JSON.parse(stdout).format;
    expect(tags.comment).toBe("run = 1; 'x y' é");
    expect(Object.keys(tags).sort()).toEqual(['comment', 'compatible_brands', 'major_brand', 'minor_version']);
  });

  it('keeps the pixels', async () => {
    const out = at('lossless.mp4');
    const flat = { width: 16, height: 16, data: new Uint8Array(768).map((_, i) => [180, 90, 30][i % 3]!) };
    const frames = (async function* () {
      yield flat;
    })();
    await encodeVideo({ ...base, width: 16, height: 16, frames, out, tools, crf: 1 });
    const [frame] = (await readBack(tools, out)).frames;
    expect(Math.max(...frame!.data.map((value, i) => Math.abs(value - flat.data[i]!)))).toBeLessThanOrEqual(3);
  });

  it('gives the same bytes for the same frames', async () => {
    const hashes = new Set<string>();
    for (const name of ['one.mp4', 'two.mp4']) {
      await encodeVideo({ ...base, preset: 'medium', frames: coded(60), out: at(name), tools, comment: 'same' });
      hashes.add(
        createHash('sha256')
          .update(await readFile(at(name)))
          .digest('hex'),
      );
    }
    expect(hashes.size).toBe(1);
  });

  it('repeats the edge of odd sizes', async () => {
    const out = at('odd.mp4');
    const white = { width: 65, height: 49, data: new Uint8Array(65 * 49 * 3).fill(255) };
    const frames = (async function* () {
      yield white;
    })();
    await encodeVideo({ ...base, width: 65, height: 49, frames, out, tools });
    const { info, frames: back } = await readBack(tools, out);
    expect([info.video.width, info.video.height]).toEqual([66, 50]);
    expect(Math.min(...back[0]!.data)).toBeGreaterThan(250);
  });

  it.each([
    ['aac', ['-c:a', 'aac'], 2, 'aac'],
    ['mp3', ['-c:a', 'libmp3lame'], 1, 'mp3'],
    ['pcm', ['-c:a', 'pcm_s16le'], 1, 'aac'],
    ['opus', ['-c:a', 'libopus'], 2, 'aac'],
  ])('cuts %s sound like the picture', async (name, codec, channels, written) => {
    // Silence, and a tone from 1.5 s on.
    const sound = sine(4, channels, 48_000);
    const filter = ['-af', 'volume=enable=lt(t\\,1.5):volume=0'];
    const path = at(`sound-${name}.mkv`);
    await makeClip(carried.ffmpeg, path, {
      frames: 100,
      rate: '25',
      inputs: sound,
      video: [...h264, ...filter, ...codec],
    });
    const info = await probe(path, tools);
    for (const [startSec, stride] of [
      [0, 1],
      [0.8, 2],
    ] as const) {
      const plan = planDecode(info, { startSec, durationSec: 2, stride });
      const stream = decodeFrames(info, plan, tools);
      const audio = { path, info: info.audio, startSec: plan.startSec, durationSec: plan.durationSec! };
      const out = at(`cut-${name}-${stride}.mp4`);
      await encodeVideo({ ...base, frames: stream.frames, frameRate: stream.frameRate, out, tools, audio });
      const made = await probe(out, tools);
      expect(made.audio).toMatchObject({ codec: written, channels });
      expect(made.video.frameCount).toBe(50 / stride);
      expect(Math.abs(made.audio!.durationSec! - 2)).toBeLessThan(0.04);
      expect(Math.abs((await onsetSec(tools, out)) - (1.5 - startSec))).toBeLessThan(0.04);
    }
  });

  it('is silent when the driving clip is, and carries none of its tags', async () => {
    const path = at('silent.mp4');
    await makeClip(carried.ffmpeg, path, { frames: 10, video: [...h264, '-metadata', 'title=secret place'] });
    const out = at('from-silent.mp4');
    await encodeVideo({ ...base, frames: coded(10), out, tools, audio: { path, startSec: 0, durationSec: 1 } });
    expect((await probe(out, tools)).audio).toBeUndefined();
    expect((await readFile(out)).includes('secret')).toBe(false);
  });

  it('leaves nothing behind when the frames fail, are wrong, or none', async () => {
    const place = at(`failures-${tools.origin}`);
    await mkdir(place);
    const out = join(place, 'x.mp4');
    await writeFile(out, 'an older result');
    const failure = new Error('the model failed');
    let closed = false;
    const failing = (async function* () {
      try {
        yield* coded(5);
        throw failure;
      } finally {
        closed = true;
      }
    })();
    await expect(encodeVideo({ ...base, frames: failing, out, tools })).rejects.toBe(failure);
    expect(closed).toBe(true);
    const wrong = encodeVideo({ ...base, frames: coded(3, 32, 32), out, tools });
    await expect(wrong).rejects.toMatchObject({ code: 'encode.frame-size' });
    await expect(encodeVideo({ ...base, frames: coded(0), out, tools })).rejects.toMatchObject({
      code: 'encode.no-frames',
    });
    await expect(encodeVideo({ ...base, frames: coded(3), out, tools, preset: 'no such' })).rejects.toMatchObject({
      code: 'ffmpeg.failed',
      message: expect.stringContaining('preset'),
    });
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = encodeVideo({
      ...base,
      frames: coded(200),
      out,
      tools,
      signal: controller.signal,
      onFrame: (n) => n === 20 && controller.abort(reason),
    });
    await expect(aborted).rejects.toBe(reason);
    expect(await readdir(place)).toEqual(['x.mp4']);
    expect(await readFile(out, 'utf8')).toBe('an older result');
  });
});

describe('encode, whatever the machine does', () => {
  const tools = carried;
  const shell = process.platform !== 'win32';
  const code = (options: Partial<EncodeOptions>) =>
    encodeVideo({ ...base, frames: coded(50), out: at('never.mp4'), tools, ...options }).then(
      () => 'done',
      (error: { code?: string }) => error.code ?? String(error),
    );

  it('says where it cannot write', async () => {
    await writeFile(at('file'), '');
    await mkdir(at('folder.mp4'));
    expect(await code({ out: join(at('file'), 'x.mp4') })).toBe('encode.not-writable');
    expect(await code({ out: at('folder.mp4') })).toBe('encode.not-writable');
    expect(await code({ out: at('film.wmv') })).toBe('encode.bad-extension');
    expect(await code({ out: at(`${'n'.repeat(300)}.mp4`) })).toBe('encode.not-writable');
    const strange = at(`-y %d: ${'ü'.repeat(80)} [x].mp4`);
    expect(await code({ out: strange })).toBe('done');
    expect((await probe(strange, tools)).video.frameCount).toBe(50);
  });

  it.runIf(shell)('says when there is no room', async () => {
    // The limit on file size takes the disk's place: 4 blocks, and an error instead of a signal.
    const small = await makeScript(at('small'), `trap '' XFSZ; ulimit -f 4; exec '${tools.ffmpeg}' "$@"`);
    const noise = (async function* () {
      for (let i = 0; i < 50; i += 1) {
        const data = new Uint8Array(64 * 48 * 3).map((_, k) => (Math.imul(k + i * 7919, 2654435761) >>> 13) & 255);
        yield { width: 64, height: 48, data };
      }
    })();
    expect(await code({ frames: noise, tools: { ffmpeg: small } })).toBe('encode.no-space');
    expect(await readdir(folder)).not.toContain('never.mp4');
  });

  it.runIf(shell)('closes its source when ffmpeg dies', async () => {
    const dying = await makeScript(at('dying'), 'head -c 20000 > /dev/null; kill -9 $$');
    let closed = false;
    const endless = (async function* () {
      try {
        for (let i = 0; ; i += 1) yield codedFrame(i % 256, 64, 48);
      } finally {
        closed = true;
      }
    })();
    expect(await code({ frames: endless, tools: { ffmpeg: dying } })).toBe('ffmpeg.failed');
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(true);
    expect(await code({ tools: { ffmpeg: at('not-there') } })).toBe('ffmpeg.failed');
  });

  it.runIf(shell)('pulls no more than a few frames while ffmpeg does not read, and ends it when aborted', async () => {
    const stuck = await makeScript(at('stuck'), `trap '' TERM; echo $$ > '${at('pid')}'; while :; do sleep 1; done`);
    const controller = new AbortController();
    const reason = new Error('enough');
    let pulled = 0;
    const endless = (async function* () {
      for (let i = 0; ; i += 1) {
        pulled += 1;
        yield codedFrame(i % 256, 256, 256);
      }
    })();
    const running = encodeVideo({
      ...base,
      width: 256,
      height: 256,
      frames: endless,
      out: at('s.mp4'),
      tools: { ffmpeg: stuck },
      signal: controller.signal,
    });
    const ended = expect(running).rejects.toBe(reason);
    while (!(await readdir(folder)).includes('pid')) await new Promise((resolve) => setTimeout(resolve, 10));
    // Time for a greedy producer to show itself; a slow machine can only make it pull less.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(pulled).toBeLessThanOrEqual(4);
    controller.abort(reason);
    await ended;
    expect(isAlive(Number(await readFile(at('pid'), 'utf8')))).toBe(false);
  });
});
