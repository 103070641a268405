import { PantomimeError } from '../models/errors.js';
import type { Run } from './run.js';

/** Work of a run, which listens to the signal of the run that it is given. */
export type Work<T> = (run: Run) => Promise<T>;

/**
 * Does several things of a run beside each other. The first that fails ends the others, and its error is thrown when all have
 * ended.
 */
export async function together<A, B>(run: Run, a: Work<A>, b: Work<B>): Promise<[A, B]> {
  const end = new AbortController();
  const own: Run = { ...run, signal: AbortSignal.any([run.signal, end.signal]) };
  const failures: unknown[] = [];
  const guarded = <T>(work: Work<T>) =>
    work(own).catch((error: unknown) => {
      failures.push(error);
      end.abort(ended(error));
      return undefined as T;
    });
  const results = await Promise.all([guarded(a), guarded(b)]);
  if (failures.length > 0) throw failures[0];
  return results;
}

function ended(cause: unknown): PantomimeError {
  return new PantomimeError({ code: 'run.ended', kind: 'interrupted', what: 'something else failed', cause });
}
