import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasEmbeddedModel, modelDirOf } from '#dist/pipeline/embedded-model.js';
import { locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { createPoseDetector } from '#dist/stages/pose/detector.js';
import type { RgbImage } from '#dist/stages/types.js';
import { type CastClip, drawClip, firstUnseenSeed } from '../support/cast-clip.js';
import { findPoses, flickerQuality, pictureQuality, poseQuality } from '../support/cast-quality.js';
import { animateSelf, throughCodec, throughVae } from '../support/cast-run.js';

/**
 * What the embedded model must reach on one character that no training has seen, 8 frames of its own motion. The floors lie a
 * little below what was measured when the bundle was made (test/bench/embedded-quality.ts measures all 24 characters).
 */
const floors = { pck10: 0.97, foregroundPsnr: 19, colorError: 8, flickerRatio: 2 };
const seed = firstUnseenSeed;
const frames = 8;

const there = await hasEmbeddedModel();
if (!there) console.warn('the embedded model is not tested: models/embedded/model_index.json is missing');

describe.skipIf(!there)('the embedded model', () => {
  const size = { width: 128, height: 192 };
  let folder: string;
  let clip: CastClip;
  let pictures: readonly RgbImage[];
  let yardstick: readonly RgbImage[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pantomime-embedded-'));
    const tools = await locateFfmpeg();
    clip = drawClip(seed, frames, size);
    pictures = (await animateSelf(seed, frames, { folder, size, tools, changes: {} })).pictures;
    const restored = await throughVae(modelDirOf('embedded'), clip.frames);
    yardstick = await throughCodec(restored, join(folder, 'yardstick.mp4'), tools);
  }, 600_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('follows the poses: MediaPipe finds them again in the video', async () => {
    await using detector = await createPoseDetector({ model: 'full', hands: false, face: false, maxPeople: 2 });
    const { pck10, found } = poseQuality(await findPoses(detector, pictures), clip);
    expect(found).toBe(1);
    expect(pck10).toBeGreaterThanOrEqual(floors.pck10);
  });

  it('keeps the character: its picture and the colours of its clothes', () => {
    const { foregroundPsnr, colorError } = pictureQuality(pictures, clip);
    expect(foregroundPsnr).toBeGreaterThanOrEqual(floors.foregroundPsnr);
    expect(colorError).toBeLessThanOrEqual(floors.colorError);
  });

  it('stands still where nothing moves', () => {
    expect(flickerQuality(pictures, yardstick, clip).ratio).toBeLessThanOrEqual(floors.flickerRatio);
  });
});
