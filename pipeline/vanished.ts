import { PantomimeError } from '../models/errors.js';
import { isUnfinished, type RunStore } from './run-store.js';

/**
 * The error to report for one that came out of a run: where the run folder was removed or unmounted meanwhile, that is what
 * happened, whatever failed because of it.
 */
export async function explainVanished({ dir }: Pick<RunStore, 'dir'>, error: unknown): Promise<unknown> {
  if (error instanceof PantomimeError && error.kind === 'interrupted') return error;
  if (await isUnfinished(dir)) return error;
  return new PantomimeError({
    code: 'output.vanished',
    kind: 'input',
    what: 'the run folder was removed while it was being worked in',
    where: dir,
    hint: 'the same command again',
    cause: error,
  });
}
