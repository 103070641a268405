import { PantomimeError } from '../../models/errors.js';

/** An error of kind `input` about a media file. */
export function inputError(
  path: string,
  code: string,
  what: string,
  rest: { got?: string | undefined; expected?: string; hint?: string | undefined; cause?: unknown } = {},
): PantomimeError {
  return new PantomimeError({ code, kind: 'input', what, where: path, ...rest });
}
