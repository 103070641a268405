import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../../models/runtime/monotonic.js';
import type { RgbImage } from '../types.js';
import { type FaceNetwork, findFace } from './face-points.js';
import { findHands, type HandNetwork, type HandPair } from './hand-points.js';
import { loadMediaPipe, type MediaPipe, type RgbaImage } from './mediapipe-runtime.js';
import type { RawLandmark, RawPerson } from './raw-detection.js';
import type { PoolReply } from './worker-pool.js';

/** What a worker is started with: models ready for `modelAssetBuffer`. */
export type WorkerSetup = {
  readonly maxPeople: number;
  readonly poseTask: Uint8Array;
  readonly handTask: Uint8Array | undefined;
  readonly faceModel: Uint8Array | undefined;
};

/** A frame to look at. Its size is checked before it is sent, as a wrong one would spoil the tasks. */
export type WorkerQuestion = RgbImage;

type Networks = {
  poses(image: RgbImage): readonly (readonly RawLandmark[])[];
  readonly hands: HandNetwork | undefined;
  readonly face: FaceNetwork | undefined;
  close(): void;
};

const setup = workerData as WorkerSetup;
const port = parentPort;
if (!port) throw new Error('mediapipe-worker.js only runs as a worker thread');
const reply = (message: PoolReply<readonly RawPerson[]>) => port.postMessage(message);

const mediaPipe = await loadMediaPipe();
let networks = await createNetworks(mediaPipe, setup);

port.on('message', async (image: WorkerQuestion) => {
  const startMs = monotonicMs();
  try {
    const answer = findPeople(image, networks);
    reply({ type: 'answer', answer, span: { startMs, endMs: monotonicMs() } });
  } catch (error) {
    const reason = [firstLine(error), ...mediaPipe.recentLog().slice(-3)].join(' | ');
    // A task that threw once throws for ever, so the next frame gets new ones; if that fails too, the worker dies of it.
    networks.close();
    networks = await createNetworks(mediaPipe, setup);
    reply({ type: 'failed', reason });
  }
});
reply({ type: 'ready' });

function findPeople(image: RgbImage, { poses, hands, face }: Networks): readonly RawPerson[] {
  const found = poses(image);
  const pairs: readonly HandPair[] = hands ? findHands(image, found, hands) : [];
  return found.map((pose, person) => ({
    pose,
    leftHand: pairs[person]?.left ?? null,
    rightHand: pairs[person]?.right ?? null,
    face: face ? findFace(image, pose, face) : null,
  }));
}

/**
 * IMAGE mode: every frame is looked at for itself. The VIDEO mode follows and smooths, and so loses fast wrists; smoothing
 * with both past and future frames comes later. CPU delegate: the only one that runs without a GPU context.
 */
async function createNetworks(
  { createPoseLandmarker, createHandLandmarker, createImageEmbedder }: MediaPipe,
  wanted: WorkerSetup,
): Promise<Networks> {
  const base = (modelAssetBuffer: Uint8Array) => ({
    baseOptions: { modelAssetBuffer, delegate: 'CPU' as const },
    runningMode: 'IMAGE' as const,
  });
  const pose = await createPoseLandmarker({ ...base(wanted.poseTask), numPoses: wanted.maxPeople });
  const hand = wanted.handTask && (await createHandLandmarker({ ...base(wanted.handTask), numHands: 2 }));
  // The embedder hands out a network's outputs as they are, which makes it a way to run any network on a picture. The
  // package's own FaceLandmarker takes these points for points of a 256 px picture and so misplaces them.
  const face = wanted.faceModel && (await createImageEmbedder({ ...base(wanted.faceModel), l2Normalize: false }));

  return {
    poses: (image) => pose.detect(toRgba(image) as never).landmarks.map((landmarks) => landmarks.map(toRawLandmark)),
    hands:
      hand &&
      ((crop) => {
        const { landmarks, handedness } = hand.detect(crop as never);
        return landmarks.map((points, i) => ({
          points: points.map(({ x, y }) => ({ x, y })),
          side: handedness[i]?.[0]?.categoryName === 'Left' ? 'left' : 'right',
          sideScore: handedness[i]?.[0]?.score ?? 0.5,
        }));
      }),
    face:
      face &&
      ((crop) => {
        const [points, score] = face.embed(crop as never).embeddings;
        return { coordinates: points?.floatEmbedding ?? [], scoreLogit: score?.floatEmbedding?.[0] ?? -Infinity };
      }),
    close: () => {
      for (const task of [pose, hand, face]) task?.close();
    },
  };
}

function toRawLandmark(landmark: object): RawLandmark {
  const { x, y, z, visibility, presence } = landmark as RawLandmark; // the package's type leaves presence out
  return { x, y, z, visibility, presence };
}

function toRgba({ width, height, data }: RgbImage): RgbaImage {
  const rgba = new Uint8Array(width * height * 4);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from] as number;
    rgba[to + 1] = data[from + 1] as number;
    rgba[to + 2] = data[from + 2] as number;
    rgba[to + 3] = 255;
  }
  return { width, height, data: rgba };
}

/** MediaPipe's messages go on with a trace of native source lines, of no use here. */
function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] as string;
}
