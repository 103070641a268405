import type { PoseDetector } from '../../stages/pose/detector.js';
import { openDetector } from '../driving-poses.js';
import type { AnimateOptions } from '../options/schema.js';
import type { Beside } from '../pose-workers.js';

/** A pose detector that stays ready from clip to clip. */
export type WarmDetector = AsyncDisposable & {
  /** The detector for these options; another one that nobody uses goes away for it. Release it afterwards. */
  readonly lease: (options: AnimateOptions) => DetectorLease;
};

export type DetectorLease = AsyncDisposable & {
  /** Starts the detector if it does not run yet. */
  readonly get: () => Promise<PoseDetector>;
  /** Milliseconds that this lease waited for a start. */
  readonly startMs: () => number;
};

type Kept = { readonly key: string; readonly detector: Promise<PoseDetector>; users: number; broken: boolean };

/** @param beside what else computes while poses are found */
export function warmDetector(signal: AbortSignal | undefined, beside: Beside = 'nothing'): WarmDetector {
  let kept: Kept[] = [];

  const close = async (gone: readonly Kept[]) => {
    kept = kept.filter((one) => !gone.includes(one));
    for (const { detector } of gone) await (await detector.catch(() => undefined))?.[Symbol.asyncDispose]();
  };
  const take = async (options: AnimateOptions): Promise<Kept> => {
    const key = detectorKey(options);
    const there = kept.find((one) => one.key === key && !one.broken);
    if (there) {
      there.users += 1;
      return there;
    }
    await close(kept.filter(({ users }) => users === 0));
    const one: Kept = { key, detector: openDetector(options, signal, { beside }), users: 1, broken: false };
    kept.push(one);
    one.detector.catch(() => {
      one.broken = true;
    });
    return one;
  };

  return {
    lease(options) {
      let [taken, startMs]: [Promise<Kept> | undefined, number] = [undefined, 0];
      return {
        startMs: () => startMs,
        async get() {
          const begun = performance.now();
          taken ??= take(options);
          const one = await taken;
          const detector = await one.detector;
          startMs += performance.now() - begun;
          // A pool that has lost a worker answers nothing more; the next lease starts another.
          const detect: PoseDetector['detect'] = (image, detectOptions) =>
            detector.detect(image, detectOptions).catch((error: unknown) => {
              one.broken = true;
              throw error;
            });
          return { ...detector, detect };
        },
        async [Symbol.asyncDispose]() {
          const one = await taken?.catch(() => undefined);
          if (!one) return;
          one.users -= 1;
          if (one.broken && one.users === 0) await close([one]);
        },
      };
    },
    [Symbol.asyncDispose]: () => close(kept),
  };
}

/** Detectors of one key are the same. */
function detectorKey(options: AnimateOptions): string {
  const { poseBackend, poseModel, hands, face, dwposeDetector, dwposePose, provider, deviceId, threads } = options;
  const own =
    poseBackend === 'dwpose'
      ? [dwposeDetector, dwposePose, provider, deviceId, threads]
      : [poseModel, options.poseWorkers];
  return JSON.stringify([poseBackend, hands, face, ...own]);
}
