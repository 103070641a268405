import { PantomimeError } from '../errors.js';
import type { VaeConfig } from './vae-config.js';

/** Checks that pictures of this size have whole latents. Throws PantomimeError `model.size`. */
export function checkVaeSize({ pixelsPerLatent }: VaeConfig, height: number, width: number): void {
  const fits = (size: number) => Number.isInteger(size) && size > 0 && size % pixelsPerLatent === 0;
  if (fits(height) && fits(width)) return;
  throw new PantomimeError({
    code: 'model.size',
    kind: 'usage',
    what: 'the VAE cannot work at this size',
    got: `${width}x${height}`,
    expected: `width and height in multiples of ${pixelsPerLatent}`,
    hint: `Choose the next multiple of ${pixelsPerLatent} for both.`,
  });
}
