import { PantomimeError } from '../models/errors.js';
import type { Precision } from '../models/onnx/graph.js';
import type { Provider } from '../models/runtime/engine.js';
import type { AnimateOptions } from './options/schema.js';
import type { Run } from './run.js';

/** `auto` takes half floats where a device has them in hardware and its libraries are built for them. */
export function choosePrecision(precision: AnimateOptions['precision'], provider: Provider): Precision {
  if (precision === 'auto') return provider === 'cuda' ? 'float16' : 'float32';
  return precision === 'fp16' ? 'float16' : 'float32';
}

/**
 * Does `work` at the planned precision; where half floats lose the numbers (`numbers.lost`), says so and does it again in
 * float32. Both times from the same start, so the result does not depend on how often a run was interrupted.
 */
export async function rescued<T>(
  { warn }: Pick<Run, 'warn'>,
  planned: Precision,
  work: (precision: Precision) => Promise<T>,
): Promise<T> {
  if (planned === 'float32') return work(planned);
  try {
    return await work(planned);
  } catch (error) {
    if (!(error instanceof PantomimeError) || error.code !== 'numbers.lost') throw error;
    const { what, where } = error.details;
    warn('numbers.rescued', `${what} in half precision (${where}): done again in float32`, '--precision fp32');
    return work('float32');
  }
}
