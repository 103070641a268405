import type { PoseModel } from '../stages/pose/mediapipe-assets.js';
import { type DwposeFiles, findDwposeFiles } from './dwpose-files.js';
import type { AnimateOptions } from './options/schema.js';

/** What finds poses, with everything it needs. */
export type PoseBackend =
  | { readonly name: 'mediapipe'; readonly model: PoseModel }
  | ({ readonly name: 'dwpose' } & DwposeFiles);

type BackendOptions = Pick<AnimateOptions, 'poseBackend' | 'poseModel' | 'dwposeDetector' | 'dwposePose'>;

/** The backend that the options ask for; its files are found and known by their hashes. Throws as `findDwposeFiles` does. */
export async function choosePoseBackend(options: BackendOptions, signal?: AbortSignal): Promise<PoseBackend> {
  const { poseBackend: name, poseModel: model, dwposeDetector: detector, dwposePose: pose } = options;
  return name === 'mediapipe' ? { name, model } : { name, ...(await findDwposeFiles({ detector, pose }, signal)) };
}

/** For people, e.g. `mediapipe full, hands`. */
export function poseBackendText(backend: PoseBackend, { hands }: Pick<AnimateOptions, 'hands'>): string {
  const name = backend.name === 'mediapipe' ? `mediapipe ${backend.model}` : backend.name;
  return `${name}${hands ? ', hands' : ''}`;
}

/** Poses of two backends with one key are the same. */
export function poseBackendKey(backend: PoseBackend): unknown {
  return backend.name === 'mediapipe' ? backend.model : ['dwpose', backend.detector.sha256, backend.pose.sha256];
}
