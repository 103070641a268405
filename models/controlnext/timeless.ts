import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { readTensor } from '../checkpoint/read-tensor.js';

const projections = ['down_res.0.time_emb_proj.weight', 'down_res.1.time_emb_proj.weight'];

/**
 * True when a ControlNeXt checkpoint does not look at the noise level: the only two layers through which it enters have
 * weights of exactly zero. The features of a frame are then the same at every step.
 */
export async function isTimeless({ tensors }: Checkpoint): Promise<boolean> {
  for (const name of projections) {
    const location = tensors.get(name);
    if (!location) return false;
    const { data } = await readTensor(location);
    if (data.some((weight) => weight !== 0)) return false;
  }
  return true;
}
