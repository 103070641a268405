import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { faceModel, handTask, poseTask } from '../../stages/pose/mediapipe-assets.js';
import { type Finding, reason } from './finding.js';

const program = '@mediapipe/tasks-vision/vision_wasm_module_internal.wasm';

/** MediaPipe as a run uses it: its networks by their hashes, and the program that runs them. */
export async function poseFindings(): Promise<readonly Finding[]> {
  const line = { area: 'poses', name: 'MediaPipe', needed: 'model' } as const;
  try {
    await Promise.all([poseTask('lite'), poseTask('full'), poseTask('heavy'), handTask(), faceModel()]);
    const path = createRequire(import.meta.url).resolve(program);
    if (!existsSync(path)) throw new Error(`${path} is missing`);
    return [{ ...line, state: 'ok', found: 'networks of body, hands and face, as pinned' }];
  } catch (error) {
    return [{ ...line, state: 'missing', found: reason(error), fix: 'npm ci' }];
  }
}
