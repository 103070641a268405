import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeFrames, planDecode } from '#dist/stages/decode.js';
import { encodeVideo } from '#dist/stages/encode.js';
import { probe } from '#dist/stages/probe.js';
import type { RgbImage } from '#dist/stages/types.js';
import { readIndex } from './coded-frame.js';
import { collect, makeClip } from './media-factory.js';
import { carried, makeFolder, makeScript, removeFolder } from './toolsets.js';

let folder = '';
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => removeFolder(folder));
const at = (name: string) => join(folder, name);

const breath = () => new Promise((resolve) => setImmediate(resolve));

describe('frames stream', () => {
  it('through decode and encode, 2000 of them, a few at a time', async () => {
    const path = await makeClip(carried.ffmpeg, at('in.mp4'), { frames: 2000, rate: '50' });
    const info = await probe(path, carried);
    const stream = decodeFrames(info, planDecode(info), carried);
    let [inside, most, wrong, count] = [0, 0, 0, 0];
    const slow = (async function* (): AsyncGenerator<RgbImage> {
      for await (const frame of stream.frames) {
        inside += 1;
        most = Math.max(most, inside);
        if (readIndex(frame) !== count % 256) wrong += 1;
        count += 1;
        if (count % 50 === 0) for (let i = 0; i < 5; i += 1) await breath();
        yield frame;
      }
    })();
    const out = at('out.mp4');
    await encodeVideo({
      ...stream,
      frames: slow,
      out,
      tools: carried,
      preset: 'ultrafast',
      onFrame: () => (inside -= 1),
    });
    expect({ count, wrong }).toEqual({ count: 2000, wrong: 0 });
    expect(most).toBeLessThanOrEqual(2);
    expect((await probe(out, carried)).video).toMatchObject({
      frameRate: { num: 50, den: 1 },
      variableFrameRate: false,
    });
  });

  it.runIf(process.platform !== 'win32')('with ffmpeg waiting for a slow reader', async () => {
    // Takes ffmpeg's place: writes one frame after the other and notes how many it got rid of.
    const [size, log] = [1_200_000, at('written')];
    const body = `const fs = require('node:fs'); const frame = Buffer.alloc(${size}); for (let n = 1; n <= 200; n += 1) { for (let at = 0; at < ${size}; ) at += fs.writeSync(1, frame, at); fs.writeFileSync('${log}', String(n)); }`;
    const program = await makeScript(at('writer'), `exec '${process.execPath}' -e "${body}"`);
    const path = await makeClip(carried.ffmpeg, at('small.mp4'), { frames: 1 });
    const info = await probe(path, carried);
    const stream = decodeFrames(
      info,
      planDecode(info),
      { ...carried, ffmpeg: program },
      { width: 1000, height: size / 3000 },
    );
    const frames = stream.frames[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i += 1) expect((await frames.next()).done).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Frames taken, one begun, and what the pipe and its two buffers of 64 KiB hold.
    expect(Number(await readFile(log, 'utf8'))).toBeLessThanOrEqual(5);
    await frames.return?.();
  });

  it('from many clips at once without mixing them', async () => {
    const counts = await Promise.all(
      Array.from({ length: 6 }, async (_, k) => {
        const path = await makeClip(carried.ffmpeg, at(`many-${k}.mp4`), { frames: 30 + k });
        const info = await probe(path, carried);
        const frames = await collect(decodeFrames(info, planDecode(info), carried).frames);
        return frames.filter((frame, i) => readIndex(frame) === i).length;
      }),
    );
    expect(counts).toEqual([30, 31, 32, 33, 34, 35]);
  });
});
