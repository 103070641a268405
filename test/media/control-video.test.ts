import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openControlFrames } from '#dist/stages/control-video.js';
import { decodeFrames, planDecode } from '#dist/stages/decode.js';
import { probe } from '#dist/stages/probe.js';
import { colorAt, cornerError, readIndex } from './coded-frame.js';
import { collect, makeClip, makePictures } from './media-factory.js';
import { carried, makeFolder, removeFolder } from './toolsets.js';

let folder = '';
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => removeFolder(folder));
const at = (name: string) => join(folder, name);

const size = { width: 96, height: 64 };
const openVideo = async (path: string) => {
  const info = await probe(path, carried);
  return decodeFrames(info, planDecode(info), carried, size);
};

describe('openControlFrames', () => {
  it('reads a folder of pictures in natural order', async () => {
    await mkdir(at('pictures'));
    await makePictures(carried.ffmpeg, at('pictures'), 12);
    await writeFile(at('pictures/notes.txt'), 'not a picture');
    await writeFile(at('pictures/.hidden.png'), 'not a picture');
    expect((await readdir(at('pictures'))).length).toBe(14);
    const stream = await openControlFrames(at('pictures'), { ...size, openVideo });
    expect(stream).toMatchObject({ ...size, frameCount: 12, frameRate: { num: 30, den: 1 } });
    const frames = await collect(stream.frames);
    expect(frames.map(readIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for (const frame of frames) {
      expect(frame.data.length).toBe(96 * 64 * 3);
      expect(cornerError(frame)).toBeLessThan(10);
    }
    const some = await openControlFrames(at('pictures'), { ...size, openVideo, stride: 3, maxFrames: 3 });
    expect((await collect(some.frames)).map(readIndex)).toEqual([0, 3, 6]);
  });

  it('turns by EXIF, lays transparency on black and reads grey', async () => {
    await mkdir(at('mixed'));
    const red = {
      create: { width: 40, height: 20, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } },
    } as const;
    await sharp(red).png().toFile(at('mixed/1.png'));
    await sharp({ create: { width: 9, height: 9, channels: 3, background: '#808080' } })
      .grayscale()
      .png()
      .toFile(at('mixed/2.png'));
    // Left half white; stored turned, with the note that says so.
    const half = Buffer.from(Array.from({ length: 60 * 40 * 3 }, (_, i) => (Math.floor(i / 3) % 60 < 30 ? 255 : 0)));
    await sharp(half, { raw: { width: 60, height: 40, channels: 3 } })
      .withMetadata({ orientation: 3 })
      .jpeg()
      .toFile(at('mixed/3.jpg'));
    const [alpha, grey, turned] = await collect((await openControlFrames(at('mixed'), { ...size, openVideo })).frames);
    expect(colorAt(alpha!, 0.5, 0.5).map(Math.round)).toEqual([128, 0, 0]);
    expect(colorAt(grey!, 0.5, 0.5).map(Math.round)).toEqual([128, 128, 128]);
    expect(colorAt(turned!, 0.2, 0.5)[0]).toBeLessThan(20);
    expect(colorAt(turned!, 0.8, 0.5)[0]).toBeGreaterThan(235);
  });

  it('opens a video through the pipeline', async () => {
    const path = await makeClip(carried.ffmpeg, at('skeleton.mp4'), { frames: 9 });
    const stream = await openControlFrames(path, { ...size, openVideo });
    expect((await collect(stream.frames)).map(readIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('says what is wrong', async () => {
    const code = (path: string) =>
      openControlFrames(path, { ...size, openVideo })
        .then((stream) => collect(stream.frames))
        .then(
          () => 'done',
          (error: { code?: string }) => error.code,
        );
    expect(await code(at('nowhere'))).toBe('control.missing');
    await mkdir(at('none'));
    expect(await code(at('none'))).toBe('control.no-pictures');
    await mkdir(at('bad'));
    await writeFile(at('bad/1.png'), 'this is a letter');
    expect(await code(at('bad'))).toBe('control.bad-picture');
  });
});
