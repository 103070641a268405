import type { Person, RgbImage } from '../types.js';
import { type ColorDrift, colorDrift } from './color-drift.js';
import { againstSpeed, frameDifference } from './frame-difference.js';
import { cellOf, inCells, luma, type Plane } from './luma.js';
import type { Mask } from './mask.js';
import { periodicity } from './periodicity.js';
import { type PoseFidelity, poseFidelity } from './pose-fidelity.js';
import { poseRegion } from './pose-region.js';
import { poseSpeed } from './pose-speed.js';
import { psnr, requireSameSize } from './psnr.js';
import { type SeamRatio, seamRatio } from './seam-ratio.js';
import { type SharpnessContinuity, sharpness, sharpnessContinuity } from './sharpness.js';
import { ssim } from './ssim.js';
import { staticFlicker } from './static-flicker.js';

export type ClipMetricsOptions = {
  readonly framesPerSec: number;
  /** Frames of the video at which the contributing windows change; see `windowJoints`. */
  readonly joints: readonly number[];
  /** Frames of the video to which more than one window contributes. */
  readonly shared: readonly number[];
  /** Frames from one window to the next, chunk - overlap; undefined when windows move from step to step. */
  readonly windowPeriod?: number | undefined;
  /** Frames from one decoded chunk to the next. */
  readonly decodePeriod?: number | undefined;
};

export type ClipFrame = {
  readonly image: RgbImage;
  /** Aligned driving pose. Without it the frame counts in no metric that needs to know where the figure is. */
  readonly pose?: Person | undefined;
  /** The pose found again in the image; null when nobody was found; undefined when nobody looked. */
  readonly found?: Person | null | undefined;
  /** What the image should be, in self-reenactment: the driving frame at the same size. */
  readonly truth?: RgbImage | undefined;
};

type Curve = readonly (number | undefined)[];

/** One value a frame each; undefined (null in JSON) where there is none. */
export type ClipCurves = {
  /** Mean change of the luma since the frame before, levels of 0..255. */
  readonly difference: Curve;
  /** That over what the pose's speed lets one expect; 1 is usual. */
  readonly relativeDifference: Curve;
  /** Picture heights a frame. */
  readonly poseSpeed: Curve;
  /** Levels of 0..255. */
  readonly flicker: Curve;
  /** CIELAB distance from frame 0. */
  readonly colorDistance: Curve;
  /** Variance of the Laplacian. */
  readonly sharpness: Curve;
  /** That over the frames' about it; 1 is even. */
  readonly relativeSharpness: Curve;
  readonly pck10: Curve;
  readonly oks: Curve;
  /** dB. */
  readonly psnr: Curve;
  /** dB, of the pixels where the figure may be. */
  readonly figurePsnr: Curve;
  readonly ssim: Curve;
};

export type ClipMetrics = {
  readonly frameCount: number;
  readonly curves: ClipCurves;
  readonly seam: SeamRatio;
  /** Undefined for too short a clip, or no such period. */
  readonly windowPeriodicity: number | undefined;
  readonly decodePeriodicity: number | undefined;
  /** Levels of 0..255. */
  readonly flicker: number | undefined;
  /** Everything that changes where nothing should, whatever the reason; levels of 0..255. */
  readonly backgroundDeviation: number | undefined;
  readonly colorDrift: Omit<ColorDrift, 'distances'>;
  readonly sharpness: Omit<SharpnessContinuity, 'relative'>;
  /** Undefined when nobody looked for poses; only frames in which somebody did count. */
  readonly pose: Omit<PoseFidelity, 'frames'> | undefined;
  /** Means over the frames that have a truth, in dB; undefined without. */
  readonly psnr: number | undefined;
  readonly figurePsnr: number | undefined;
  readonly ssim: number | undefined;
};

export type ClipCollector = {
  /** The next frame of the video. Throws RangeError when sizes differ. The image is not changed. */
  add(frame: ClipFrame): void;
  /** Everything about the frames so far. */
  result(): ClipMetrics;
};

/**
 * All metrics of a clip, from frames that come one at a time: what each means is said where it is computed. Keeps a few
 * frames, the poses, and about ten numbers a frame.
 */
export function clipMetrics(options: ClipMetricsOptions): ClipCollector {
  const { joints, shared } = options;
  const flicker = staticFlicker();
  const drift = colorDrift(options.framesPerSec);
  const pictures: { psnr?: number; figurePsnr?: number; ssim?: number }[] = [];
  const differences: (number | undefined)[] = [];
  const speeds: (number | undefined)[] = [];
  const sharp: number[] = [];
  const poses: (Person | undefined)[] = [];
  const found: (Person | null | undefined)[] = [];
  let size = { width: 0, height: 0 };
  let before: Plane | undefined;

  return {
    add({ image, pose, found: again, truth }) {
      if (poses.length > 0) requireSameSize(image, size);
      size = { width: image.width, height: image.height };
      const asked = poseRegion(pose, size);
      const figure = again ? union(asked, poseRegion(again, size)) : asked;
      const plane = luma(image);
      const cells = inCells(plane, cellOf(image));
      differences.push(before && frameDifference(before, cells));
      before = cells;
      speeds.push(poseSpeed(poses.at(-1), pose, size));
      sharp.push(sharpness(plane));
      flicker.add(image, figure);
      drift.add(image, figure);
      pictures.push(
        truth
          ? {
              psnr: psnr(image, truth),
              figurePsnr: psnr(image, truth, asked),
              ssim: ssim(image, truth),
            }
          : {},
      );
      poses.push(pose);
      found.push(again);
    },
    result() {
      const { relative, excess } = againstSpeed(differences, speeds, joints);
      const series = excess.filter((value) => value !== undefined);
      const { relative: relativeSharpness, ...evenness } = sharpnessContinuity(sharp, joints, shared);
      const { level, deviation, frames: flickers } = flicker.result();
      const { distances, ...colors } = drift.result();
      // Frames in which nobody looked are left out by leaving out their truth.
      const asked = poses.map((pose, frame) => (found[frame] === undefined ? undefined : pose));
      const { frames: fidelities, ...fidelity } = poseFidelity(
        found.map((person) => person ?? undefined),
        asked,
        size,
      );
      const repeats = (period: number | undefined) => (period === undefined ? undefined : periodicity(series, period));
      return {
        frameCount: poses.length,
        curves: {
          difference: [...differences],
          relativeDifference: relative,
          poseSpeed: [...speeds],
          flicker: flickers,
          colorDistance: distances,
          sharpness: [...sharp],
          relativeSharpness,
          pck10: fidelities.map(({ pck10 }) => pck10),
          oks: fidelities.map(({ oks }) => oks),
          psnr: pictures.map(({ psnr: value }) => value),
          figurePsnr: pictures.map(({ figurePsnr }) => figurePsnr),
          ssim: pictures.map(({ ssim: value }) => value),
        },
        seam: seamRatio(relative, joints),
        windowPeriodicity: repeats(options.windowPeriod),
        decodePeriodicity: repeats(options.decodePeriod),
        flicker: level,
        backgroundDeviation: deviation,
        colorDrift: colors,
        sharpness: evenness,
        pose: asked.some((pose) => pose) ? fidelity : undefined,
        psnr: mean(pictures.map(({ psnr: value }) => value)),
        figurePsnr: mean(pictures.map(({ figurePsnr }) => figurePsnr)),
        ssim: mean(pictures.map(({ ssim: value }) => value)),
      };
    },
  };
}

/** Where the figure should be or, having been drawn in the wrong pose, is. */
function union(one: Mask, other: Mask): Mask {
  return { ...one, data: one.data.map((inside, i) => inside | (other.data[i] as number)) };
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
