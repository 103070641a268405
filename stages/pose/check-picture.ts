import { PantomimeError } from '../../models/errors.js';
import type { RgbImage } from '../types.js';

/** A larger picture is refused rather than run out of memory (MediaPipe needs 1 GB of WebAssembly memory for this one). */
const maxDetectPixels = 8192 * 8192;

/** Throws an `input` error for a picture in which a detector cannot look for people. */
export function checkPicture({ width, height, data }: RgbImage): void {
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (whole && width * height <= maxDetectPixels && data.length === width * height * 3) return;
  throw new PantomimeError({
    code: 'pose.bad-picture',
    kind: 'input',
    what: 'not a picture in which people can be looked for',
    got: `${width}x${height} with ${data.length} bytes`,
    expected: `at least 1x1, at most ${maxDetectPixels} pixels, 3 bytes each`,
  });
}
