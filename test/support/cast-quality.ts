import sharp from 'sharp';
import type { PoseDetector } from '#dist/stages/pose/detector.js';
import { colorError } from '#dist/stages/quality/color-error.js';
import { flicker, flickerRatio, staticBackground } from '#dist/stages/quality/flicker.js';
import { type PointCount, pck, share } from '#dist/stages/quality/pck.js';
import { psnr } from '#dist/stages/quality/psnr.js';
import { ssim } from '#dist/stages/quality/ssim.js';
import type { Keypoint, RgbImage } from '#dist/stages/types.js';
import type { CastClip } from './cast-clip.js';

/** Poses of pictures, found by the detector that users have; undefined where nobody was. */
export type FoundPoses = readonly (readonly Keypoint[] | undefined)[];

/** Small pictures are enlarged so often before poses are looked for, the truth's just as the output's. */
const enlargement = 2;

/** The largest person of each picture. */
export async function findPoses(detector: Pick<PoseDetector, 'detect'>, pictures: readonly RgbImage[]) {
  return Promise.all(
    pictures.map(async (picture) => {
      const people = await detector.detect(await enlarged(picture));
      const height = (body: readonly Keypoint[]) => {
        const ys = body.filter(({ score }) => score > 0.3).map(({ y }) => y);
        return ys.length > 0 ? Math.max(...ys) - Math.min(...ys) : 0;
      };
      return people.map(({ body }) => body).toSorted((a, b) => height(b) - height(a))[0];
    }),
  );
}

async function enlarged({ width, height, data }: RgbImage): Promise<RgbImage> {
  const size = { width: width * enlargement, height: height * enlargement };
  const raw = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ ...size, kernel: 'cubic' })
    .raw()
    .toBuffer();
  return { ...size, data: raw };
}

/** Elbows, wrists, knees and ankles: what a video that ignores the poses gets wrong. */
const limbs = [3, 4, 6, 7, 9, 10, 12, 13];

export type PoseQuality = {
  readonly pck10: number;
  readonly pck05: number;
  /** PCK@0.1 of elbows, wrists, knees and ankles alone. */
  readonly limbs10: number;
  /** Share of the frames in which somebody was found. */
  readonly found: number;
};

/** PCK of found poses against the drawn joints, over all frames together. */
export function poseQuality(found: FoundPoses, { joints, frames }: CastClip): PoseQuality {
  const [size] = frames as [RgbImage];
  const over = (threshold: number, only?: readonly number[]): number =>
    share(joints.map((truth, i): PointCount => pck(found[i], truth, threshold, size, only)));
  return {
    pck10: over(0.1),
    pck05: over(0.05),
    limbs10: over(0.1, limbs),
    found: found.filter((body) => body !== undefined).length / joints.length,
  };
}

export type PictureQuality = {
  /** Means over the frames, in dB. */
  readonly psnr: number;
  readonly foregroundPsnr: number;
  readonly ssim: number;
  /** Of the clothes' mean colours, levels of 0..255. */
  readonly colorError: number;
};

/** Pictures against the truth's, frame by frame. */
export function pictureQuality(pictures: readonly RgbImage[], clip: CastClip): PictureQuality {
  const over = (measure: (picture: RgbImage, truth: RgbImage, frame: number) => number | undefined): number =>
    mean(clip.frames.map((truth, frame) => measure(pictures[frame] as RgbImage, truth, frame)));
  return {
    psnr: over((picture, truth) => psnr(picture, truth)),
    foregroundPsnr: over((picture, truth, frame) => psnr(picture, truth, clip.figures[frame])),
    ssim: over(ssim),
    colorError: over((picture, truth, frame) => colorError(picture, truth, clip.clothes[frame]!)),
  };
}

export type FlickerQuality = {
  /** Levels of 0..255 on the background that no figure comes near. */
  readonly output: number | undefined;
  /** Of the drawn pictures: next to nothing, since only the soft shadow on the floor moves. */
  readonly truth: number | undefined;
  /** Of the drawn pictures after the model's VAE and the same video file: what is left when the denoiser makes no mistake. */
  readonly yardstick: number | undefined;
  /** Output over yardstick, both raised to 0.1 levels at least. */
  readonly ratio: number | undefined;
};

/** Flicker of the background that stands still, against the truth that went through the same VAE and codec. */
export function flickerQuality(
  output: readonly RgbImage[],
  yardstick: readonly RgbImage[],
  { figures, frames }: CastClip,
): FlickerQuality {
  const region = staticBackground(figures);
  const [of, truth, best] = [flicker(output, region), flicker(frames, region), flicker(yardstick, region)];
  return {
    output: of,
    truth,
    yardstick: best,
    ratio: of === undefined || best === undefined ? undefined : flickerRatio(of, best),
  };
}

/** Mean of what there is; NaN of nothing. */
export function mean(values: readonly (number | undefined)[]): number {
  const known = values.filter((value) => value !== undefined && !Number.isNaN(value)) as number[];
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
