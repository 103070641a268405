import { PantomimeError } from './errors.js';

/**
 * Throws PantomimeError `numbers.lost` when a network's result holds NaN or an infinity: from there on everything would be.
 * @param what the network, e.g. `the denoiser`. @param where step and window, or what else says when
 */
export function requireNumbers(values: Float32Array, what: string, where: string): void {
  let lost = 0;
  for (const value of values) if (!Number.isFinite(value)) lost++;
  if (lost === 0) return;
  throw new PantomimeError({
    code: 'numbers.lost',
    kind: 'device',
    what: `${what} gave values that are no numbers`,
    where,
    got: `${lost} of ${values.length} values`,
    hint: 'Check the weights with pantomime models verify, leave out overlay and control one by one, and try --precision fp32 or --provider cpu.',
  });
}
