import { setTimeout as wait } from 'node:timers/promises';
import { PantomimeError } from '../models/errors.js';
import type { RunStore } from './run-store.js';

/** Removing a folder takes a while, and a run may trip over its first missing file before the rest is gone. */
const removalMs = 1_000;

/**
 * The error to report for one that came out of a run: where the run folder was removed or unmounted meanwhile, that is what
 * happened, whatever failed because of it.
 */
export async function explainVanished(store: Pick<RunStore, 'dir' | 'isThere'>, error: unknown): Promise<unknown> {
  if (error instanceof PantomimeError && error.kind === 'interrupted') return error;
  if (isMissingFile(error) && (await store.isThere())) await wait(removalMs);
  if (await store.isThere()) return error;
  return new PantomimeError({
    code: 'output.vanished',
    kind: 'input',
    what: 'the run folder was removed while it was being worked in',
    where: store.dir,
    hint: 'the same command again',
    cause: error,
  });
}

function isMissingFile(error: unknown): boolean {
  const { code, cause, message } = error as NodeJS.ErrnoException & { readonly cause?: unknown };
  return (
    code === 'ENOENT' || /ENOENT|no such file/i.test(message ?? '') || (cause !== undefined && isMissingFile(cause))
  );
}
