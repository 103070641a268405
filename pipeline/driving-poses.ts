import { rm } from 'node:fs/promises';
import { PantomimeError } from '../models/errors.js';
import { createEngine, type Engine } from '../models/runtime/engine.js';
import { decodeFrames } from '../stages/decode.js';
import type { FfmpegTools } from '../stages/ffmpeg/locate.js';
import { detectPoses } from '../stages/pose/detect-poses.js';
import { createPoseDetector, type PoseDetector } from '../stages/pose/detector.js';
import { createDwposeDetector } from '../stages/pose/dwpose-detector.js';
import { followSubject } from '../stages/pose/follow.js';
import { type FrameRange, framesWithoutPeople } from '../stages/pose/frames-without-people.js';
import { readPoseJson, writePoseJson } from '../stages/pose/pose-json.js';
import { smoothPoses } from '../stages/pose/smooth.js';
import type { PoseSequence } from '../stages/types.js';
import { keyOf } from './hashes.js';
import type { Movement } from './movement.js';
import { oneAtATime } from './one-at-a-time.js';
import type { AnimateOptions } from './options/schema.js';
import { chooseProvider } from './plan.js';
import { choosePoseBackend, poseBackendKey, poseBackendText } from './pose-backend.js';
import { openPoseJournal } from './pose-journal.js';
import { type Beside, poseWorkers } from './pose-workers.js';
import type { Run } from './run.js';

/** People looked for in each frame by MediaPipe, so that there is a choice whom to follow. */
const maxPeople = 4;

/**
 * A detector as the options ask for it. DWPose computes in `engine`, or in one of its own that ends with it: where poses are
 * found while a device denoises, since a run blocks an engine.
 */
export async function openDetector(
  options: AnimateOptions,
  signal: AbortSignal | undefined,
  { engine, beside = 'nothing' }: { readonly engine?: Engine; readonly beside?: Beside } = {},
): Promise<PoseDetector> {
  const { hands, face } = options;
  const backend = await choosePoseBackend(options, signal);
  if (backend.name === 'mediapipe') {
    const workers = poseWorkers(options.poseWorkers, beside);
    return createPoseDetector({ model: backend.model, hands, face, maxPeople, workers, signal });
  }
  const { detector, pose } = backend;
  if (engine) return createDwposeDetector({ engine, detector, pose, hands, face, signal });
  const { deviceId, threads } = options;
  const provider = chooseProvider(options.provider);
  const own = await createEngine({ provider, deviceId, threads: threads ?? undefined, signal });
  try {
    const opened = await createDwposeDetector({ engine: own, detector, pose, hands, face, signal });
    return {
      ...opened,
      async [Symbol.asyncDispose]() {
        await opened[Symbol.asyncDispose]();
        await own[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * The poses of a driving video: found frame by frame (kept in the work folder, by clip content), one person followed,
 * smoothed. Coordinates are those of the driving picture; alignment comes later.
 * @param contentHash of the clip. Throws an input error when nobody is found in any frame.
 */
export async function findDrivingPoses(
  run: Run,
  movement: Extract<Movement, { kind: 'video' }>,
  contentHash: string,
  options: AnimateOptions,
  tools: FfmpegTools,
  detector: () => Promise<PoseDetector>,
): Promise<PoseSequence> {
  const { signal, store } = run;
  const { hands, face } = options;
  const backend = await choosePoseBackend(options, signal);
  const key = keyOf([contentHash, movement.decode, poseBackendKey(backend), hands, face, maxPeople]);
  const file = store.shared('poses', key, 'json');
  const found = await oneAtATime(file, async () => {
    const reused = await run.reuses(file);
    return run.stage(
      'pose',
      reused ? 'poses, from the earlier attempt' : `finding poses (${poseBackendText(backend, options)})`,
      async (progress) => {
        if (reused) return readPoseJson(file);
        const stream = decodeFrames(movement.info, movement.decode, tools, {
          signal,
          onWarning: (message) => run.warn('video.damaged', message),
        });
        const journalFile = store.shared('poses', key, 'jsonl');
        await using journal = await openPoseJournal(journalFile, options.resume);
        const frames = run.timeline.waiting('read', 'driving video', stream.frames);
        const sequence = await detectPoses({ ...stream, frames }, await detector(), {
          onWork: (work) => run.timeline.add('pose', 'poses', work, work.worker),
          onProgress: (done) => progress(done, stream.frameCount, 'frames'),
          known: journal.known,
          onFrame: journal.add,
          signal,
        });
        if (sequence.frames.some(({ people }) => people.length > 0)) {
          await store.put(file, (part) => writePoseJson(part, sequence));
        }
        await rm(journalFile, { force: true });
        return sequence;
      },
      reused,
    );
  });
  const exhausted = backend.name === 'dwpose' || backend.model === 'heavy';
  requireSomebody(found, movement.path, exhausted ? 'another clip' : '--pose-model heavy');
  const gaps = framesWithoutPeople(found);
  if (gaps.length > 0)
    run.warn('pose.gaps', `nobody was found in frames ${rangesText(gaps)} of ${found.frames.length}`);
  // The published pipeline draws everybody as found, so it is given everybody unless a person is named.
  if (options.align === 'reference' && options.subject === 'auto') return found;
  return smoothPoses(followSubject(found, options.subject), { strength: options.smooth });
}

/** Throws an input error when there is nobody in any frame. */
export function requireSomebody(sequence: PoseSequence, where: string, hint: string): void {
  if (sequence.frames.some(({ people }) => people.length > 0)) return;
  throw new PantomimeError({
    code: 'pose.nobody',
    kind: 'input',
    what: 'nobody was found in any frame',
    where,
    got: `no person in frames ${rangesText(framesWithoutPeople(sequence))}`,
    expected: 'a clip in which a person is seen, best from head to foot',
    hint,
  });
}

/** Most ranges spelled out in a message. */
const maxRanges = 8;

function rangesText(ranges: readonly FrameRange[]): string {
  const shown = ranges.slice(0, maxRanges).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  return shown.join(', ') + (ranges.length > maxRanges ? ` and ${ranges.length - maxRanges} more ranges` : '');
}
