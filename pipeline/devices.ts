import { PantomimeError } from '../models/errors.js';
import type { Provider } from '../models/runtime/engine.js';
import type { AnimateOptions } from './options/schema.js';

/** Numbers of the devices that a run, or a batch, computes on. Throws `device.gpus` where GPUs are named and the CPU computes. */
export function devicesOf(
  { gpus, deviceId }: Pick<AnimateOptions, 'gpus' | 'deviceId'>,
  provider: Provider,
): readonly number[] {
  if (!gpus) return [deviceId];
  if (provider !== 'cpu') return gpus;
  throw new PantomimeError({
    code: 'device.gpus',
    kind: 'usage',
    what: 'GPUs are named, and the CPU computes',
    where: '--gpus',
    got: gpus.join(','),
    hint: '--provider cuda',
  });
}
