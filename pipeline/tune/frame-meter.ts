import type { PoseDetector } from '../../stages/pose/detector.js';
import { type ClipMetrics, type ClipMetricsOptions, clipMetrics } from '../../stages/quality/clip-metrics.js';
import { closestPerson } from '../../stages/quality/pose-fidelity.js';
import type { Person, PoseSequence, RgbImage } from '../../stages/types.js';
import type { ClipMeter } from '../render-clip.js';

export type FrameMeterOptions = ClipMetricsOptions & {
  /** Poses that were asked for, on the character; undefined where nobody knows them. */
  readonly aligned: PoseSequence | undefined;
  /** Finds them again; needed with `aligned`. */
  readonly detector: Pick<PoseDetector, 'detect' | 'workers'> | undefined;
  /** What a frame should be, where there is a truth. */
  readonly truth?: ((frame: number) => Promise<RgbImage | undefined>) | undefined;
};

export type FrameMeter = {
  readonly onFrame: NonNullable<ClipMeter['onFrame']>;
  /** Waits for the poses of the last frames. */
  readonly result: () => Promise<ClipMetrics>;
};

/**
 * All metrics of a video from its frames as they are made, poses found again in them on the way. Holds one frame more than the
 * detector has workers.
 */
export function frameMeter({ aligned, detector, truth, ...options }: FrameMeterOptions): FrameMeter {
  const collector = clipMetrics(options);
  const inFlight: (() => Promise<void>)[] = [];
  const settleOldest = async () => inFlight.shift()?.();
  return {
    async onFrame(frame, image) {
      const size = { width: image.width, height: image.height };
      const asked: Person | undefined = aligned?.frames[frame]?.people[0];
      const people = aligned && detector ? detector.detect(image) : undefined;
      people?.catch(() => {}); // reported when its turn comes
      const should = truth?.(frame);
      should?.catch(() => {});
      inFlight.push(async () => {
        const seen = await people;
        const found = seen && (closestPerson({ people: seen }, asked, size) ?? null);
        collector.add({ image, pose: asked, found, truth: await should });
      });
      if (inFlight.length > (detector?.workers ?? 0)) await settleOldest();
    },
    async result() {
      while (inFlight.length > 0) await settleOldest();
      return collector.result();
    },
  };
}
