import { PantomimeError } from '../../models/errors.js';
import type { FrameStream, Person, PoseFrame, PoseSequence } from '../types.js';
import type { DetectOptions, PoseDetector } from './detector.js';

export type DetectPosesOptions = {
  /** Called after every frame, in order. `total` as far as the stream knows it. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  readonly onWork?: DetectOptions['onWork'];
  readonly signal?: AbortSignal | undefined;
  /** Poses of the first frames, found before: those pictures are not looked at again. */
  readonly known?: readonly PoseFrame[] | undefined;
  /** Called with the people of every frame that was looked at, in order; waited for. */
  readonly onFrame?: ((frame: PoseFrame) => Promise<void>) | undefined;
};

/** Frames taken ahead for each worker, so that one that takes long lets no other wait. */
const framesPerWorker = 2;

/**
 * Finds the people of every frame. Frames are pulled as workers become free, so that memory does not grow with the length
 * of the clip; they are given away. Frames without people are kept, empty. Throws `pose.interrupted` when `signal` aborts, and what the
 * stream or the detector throws; the stream is closed in each case.
 */
export async function detectPoses(
  stream: FrameStream,
  detector: Pick<PoseDetector, 'name' | 'workers' | 'detect'>,
  { onProgress, onWork, signal, known = [], onFrame }: DetectPosesOptions = {},
): Promise<PoseSequence> {
  const frames: PoseFrame[] = [];
  const inFlight: Promise<readonly Person[]>[] = [];
  const settleOldest = async () => {
    const people = await inFlight.shift();
    checkCancelled(signal);
    const frame = { people: people ?? [] };
    await onFrame?.(frame);
    frames.push(frame);
    onProgress?.(frames.length, stream.frameCount);
  };

  checkCancelled(signal);
  for await (const image of stream.frames) {
    checkCancelled(signal);
    const before = known[frames.length];
    if (before && inFlight.length === 0) {
      frames.push(before);
      onProgress?.(frames.length, stream.frameCount);
      continue;
    }
    const found = detector.detect(image, { give: true, onWork });
    found.catch(() => {}); // reported when its turn comes; not an unhandled rejection before
    inFlight.push(found);
    if (inFlight.length >= framesPerWorker * detector.workers) await settleOldest();
  }
  while (inFlight.length > 0) await settleOldest();

  const { width, height, frameRate } = stream;
  return { version: 1, width, height, frameRate, detector: detector.name, frames };
}

function checkCancelled(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  const what = 'pose detection was cancelled';
  throw new PantomimeError({ code: 'pose.interrupted', kind: 'interrupted', what, cause: signal.reason });
}
