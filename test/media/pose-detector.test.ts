import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeFrames, planDecode } from '#dist/stages/decode.js';
import { detectPoses } from '#dist/stages/pose/detect-poses.js';
import { createPoseDetector, type MediapipeDetector } from '#dist/stages/pose/detector.js';
import { probe } from '#dist/stages/probe.js';
import type { FrameStream, RgbImage } from '#dist/stages/types.js';
import { collect } from './media-factory.js';
import { carried } from './toolsets.js';

/** A picture of one value, or of noise when none is given. */
function picture(width: number, height: number, value?: number): RgbImage {
  let state = width * 31 + height;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => value ?? noise()) };
}

function streamOf(images: readonly RgbImage[], onClose = () => {}): FrameStream {
  const { width, height } = images[0] as RgbImage;
  async function* frames() {
    try {
      yield* images;
    } finally {
      onClose();
    }
  }
  return { width, height, frameRate: { num: 25, den: 1 }, frameCount: images.length, frames: frames() };
}

describe('pose detector', () => {
  let detector: MediapipeDetector;
  beforeAll(async () => {
    detector = await createPoseDetector({ model: 'lite', hands: true, maxPeople: 2, workers: 2 });
  });
  afterAll(() => detector[Symbol.asyncDispose]());

  test('nobody in empty pictures of any size, not even of one pixel', async () => {
    const images = [picture(1, 1), picture(2, 3), picture(32, 57, 255), picture(575, 333), picture(640, 480, 0)];
    expect(await Promise.all(images.map((image) => detector.detect(image)))).toEqual(images.map(() => []));
  });

  test('a picture that is none is refused, and the next one still works', async () => {
    const wrong = [
      { width: 0, height: 0, data: new Uint8Array(0) },
      { width: 4, height: 4, data: new Uint8Array(47) },
      { width: 4, height: 4, data: new Uint8Array(64) },
      { width: 2.5, height: 4, data: new Uint8Array(30) },
      { width: 1e9, height: 1e9, data: new Uint8Array(3) },
    ];
    for (const image of wrong) await expect(detector.detect(image)).rejects.toMatchObject({ code: 'pose.bad-picture' });
    expect(await detector.detect(picture(64, 114))).toEqual([]);
  });

  test('the picture stays with its owner, also when it is part of a larger buffer', async () => {
    const pool = Buffer.alloc(64 * 64 * 3 + 100, 9);
    const data = pool.subarray(50, 50 + 64 * 64 * 3);
    await detector.detect({ width: 64, height: 64, data });
    expect(data.length).toBe(64 * 64 * 3);
    expect(pool.every((value) => value === 9)).toBe(true);
  });

  test('body, hands and face fit together, and another detector finds the very same numbers', async () => {
    const info = await probe('samples/driving/dancer.mp4', carried);
    const frames = await collect(decodeFrames(info, planDecode(info, { stride: 30, maxFrames: 2 }), carried).frames);
    await using other = await createPoseDetector({ model: 'lite', hands: true, maxPeople: 2, workers: 1 });
    for (const frame of frames) {
      const found = await detector.detectRaw(frame);
      expect(found).toHaveLength(1);
      expect(await other.detectRaw(frame)).toEqual(found);

      const [person] = await detector.detect(frame);
      const { body, leftHand, rightHand, face } = person!;
      expect(leftHand?.[0]).toMatchObject({ x: body[7]?.x, y: body[7]?.y });
      expect(rightHand?.[0]).toMatchObject({ x: body[4]?.x, y: body[4]?.y });
      expect(face).toHaveLength(68);
      const headWidth = Math.abs(body[16]!.x - body[17]!.x);
      const middleOfEye = (first: number) => face!.slice(first, first + 6).reduce((sum, { x }) => sum + x / 6, 0);
      expect(Math.abs(face![30]!.x - body[0]!.x)).toBeLessThan(0.3 * headWidth); // tip of the nose
      expect(Math.abs(middleOfEye(36) - body[14]!.x)).toBeLessThan(0.3 * headWidth); // right eye
      expect(Math.abs(middleOfEye(42) - body[15]!.x)).toBeLessThan(0.3 * headWidth);
      expect(face![8]!.y).toBeGreaterThan(face![30]!.y); // the chin is below the nose
    }
  });

  test('a whole stream: one entry a frame, progress in order, few frames on the way at a time', async () => {
    const stream = streamOf(Array.from({ length: 9 }, () => picture(96, 64)));
    const progress: number[] = [];
    let waiting = 0;
    let most = 0;
    const watched = {
      ...detector,
      async detect(image: RgbImage) {
        most = Math.max(most, ++waiting);
        return detector.detect(image).finally(() => waiting--);
      },
    };
    const poses = await detectPoses(stream, watched, {
      onProgress: (done, total) => progress.push(done / (total ?? 0)),
    });
    expect(poses).toMatchObject({ version: 1, width: 96, height: 64, frameRate: { num: 25, den: 1 } });
    expect(poses.detector).toBe('mediapipe-lite');
    expect(poses.frames).toEqual(Array.from({ length: 9 }, () => ({ people: [] })));
    expect(progress).toEqual(progress.map((_, i) => (i + 1) / 9));
    expect(most).toBeLessThanOrEqual(2 * detector.workers);
  });

  test('the same poses whatever the number of workers; frames are handed over, not copied', async () => {
    const info = await probe('samples/driving/dancer.mp4', carried);
    const plan = planDecode(info, { stride: 8, maxFrames: 7 });
    const found: unknown[] = [];
    for (const workers of [1, 3]) {
      await using some = await createPoseDetector({ model: 'lite', hands: false, face: false, maxPeople: 2, workers });
      const images = await collect(decodeFrames(info, plan, carried, { height: 192 }).frames);
      const used = new Set<number>();
      const poses = await detectPoses(streamOf(images), some, { onWork: ({ worker }) => used.add(worker) });
      expect(images.map(({ data }) => data.length)).toEqual(images.map(() => 0));
      expect(used.size).toBe(workers);
      found.push(poses);
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[0]).toMatchObject({ frames: Array.from({ length: 7 }, () => ({ people: [{}] })) });
  });

  test('cancelling a stream closes it', async () => {
    let closed = false;
    const images = Array.from({ length: 50 }, () => picture(96, 64));
    const stream = streamOf(images, () => {
      closed = true;
    });
    const cancel = new AbortController();
    const poses = detectPoses(stream, detector, { onProgress: () => cancel.abort(), signal: cancel.signal });
    await expect(poses).rejects.toMatchObject({ code: 'pose.interrupted', kind: 'interrupted' });
    expect(closed).toBe(true);
  });

  test('options out of range', async () => {
    const options = { model: 'lite', hands: false, maxPeople: 1 } as const;
    for (const wrong of [{ maxPeople: 0 }, { maxPeople: 1.5 }, { workers: 0 }])
      await expect(createPoseDetector({ ...options, ...wrong })).rejects.toMatchObject({ code: 'pose.bad-option' });
  });
});
