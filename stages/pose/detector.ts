import { availableParallelism } from 'node:os';
import { PantomimeError } from '../../models/errors.js';
import type { Person, RgbImage } from '../types.js';
import { checkPicture } from './check-picture.js';
import { faceModel, handTask, type PoseModel, poseTask } from './mediapipe-assets.js';
import type { WorkerQuestion, WorkerSetup } from './mediapipe-worker.js';
import { toPerson } from './openpose.js';
import type { RawPerson } from './raw-detection.js';
import { createWorkerPool, type PoolWork } from './worker-pool.js';

export type PoseDetectorOptions = {
  /** Body network. `full` is a good default: nearly as fast as `lite` and closer on wrists. */
  readonly model: PoseModel;
  /** Look for hands around the wrists. */
  readonly hands: boolean;
  /** Look for 68 face points. Default true. */
  readonly face?: boolean;
  /** At most so many people a frame. Ask for more than one and choose afterwards: with 1 it is anybody's guess who it is. */
  readonly maxPeople: number;
  /** Worker threads, about 0.4 GB of memory each. Default: one per CPU core, at most 4. */
  readonly workers?: number;
  readonly signal?: AbortSignal | undefined;
};

export type DetectOptions = {
  /** The picture's memory goes to the detector, which saves a copy: nobody may use it afterwards. */
  readonly give?: boolean | undefined;
  /** Told which worker looked at it, and when; not by a detector that computes elsewhere. */
  readonly onWork?: ((work: PoolWork) => void) | undefined;
};

/** Finds people in pictures. Dispose of it (`await using`) to end it. */
export type PoseDetector = AsyncDisposable & {
  /** For {@link PoseSequence.detector}, e.g. `mediapipe-full`. */
  readonly name: string;
  /** How many pictures are looked at at the same time. */
  readonly workers: number;
  /** The people of a picture, in no particular order; none is not an error. May be called again before it is done. */
  detect(image: RgbImage, options?: DetectOptions): Promise<readonly Person[]>;
};

/** MediaPipe in worker threads. */
export type MediapipeDetector = PoseDetector & {
  /** The same people as the networks see them: 33 landmarks exactly as MediaPipe gives them. */
  detectRaw(image: RgbImage, options?: DetectOptions): Promise<readonly RawPerson[]>;
};

const mostPeople = 16;

/**
 * Starts MediaPipe (tasks-vision 1.1.0: BlazePose, palm and hand networks, 468-point face mesh) on the CPU, without a
 * browser and without any network access. The same picture always gives the same result.
 *
 * Throws a `model` error when a network is not the pinned one, an `interrupted` error when `signal` aborts (also later,
 * out of `detect`), an `internal` error when a worker dies.
 */
export async function createPoseDetector(options: PoseDetectorOptions): Promise<MediapipeDetector> {
  const { model, hands, face = true, maxPeople, workers = Math.min(availableParallelism(), 4), signal } = options;
  checkCount('maxPeople', maxPeople, mostPeople);
  checkCount('workers', workers, 64);

  const workerData: WorkerSetup = {
    maxPeople,
    poseTask: await poseTask(model),
    handTask: hands ? await handTask() : undefined,
    faceModel: face ? await faceModel() : undefined,
  };
  const pool = await createWorkerPool<WorkerQuestion, readonly RawPerson[]>({
    entry: new URL('./mediapipe-worker.js', import.meta.url),
    workerData,
    size: workers,
    task: 'pose detection',
    signal,
  });

  const detectRaw = async ({ width, height, data }: RgbImage, { give, onWork }: DetectOptions = {}) => {
    checkPicture({ width, height, data });
    const whole = data.byteLength === data.buffer.byteLength;
    // Not data.slice(): that of a Buffer is a view.
    const sent = give && whole ? data : new Uint8Array(data);
    return pool.ask({ width, height, data: sent }, [sent.buffer as ArrayBuffer], onWork);
  };
  return {
    name: `mediapipe-${model}`,
    workers,
    detectRaw,
    detect: async (image, detectOptions) => (await detectRaw(image, detectOptions)).map(toPerson),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

function checkCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new PantomimeError({
    code: 'pose.bad-option',
    kind: 'usage',
    what: `${name} is out of range`,
    got: String(value),
    expected: `a whole number from 1 to ${most}`,
  });
}
