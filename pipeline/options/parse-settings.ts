import { z } from 'zod';
import { PantomimeError } from '../../models/errors.js';

/**
 * What a command is told beside the options of its runs, checked. Throws PantomimeError `<command>.settings` for everything that
 * does not fit.
 */
export function parseSettingsOf<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  command: 'batch' | 'tune',
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${z.core.toDotPath(path) || 'settings'}: ${message}`,
  );
  throw new PantomimeError({
    code: `${command}.settings`,
    kind: 'usage',
    what: problems.join('; '),
    hint: `pantomime ${command} --help`,
  });
}
