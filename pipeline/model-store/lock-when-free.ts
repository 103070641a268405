import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PantomimeError } from '../../models/errors.js';
import { type FolderLock, lockFolder } from '../folder-lock.js';

/** How often whoever waits looks again. */
const lockMs = 500;

/** Another process that holds the lock is waited for. */
export async function lockWhenFree(
  file: string,
  signal?: AbortSignal,
  onWait: () => void = () => {},
): Promise<FolderLock> {
  await mkdir(dirname(file), { recursive: true });
  for (let first = true; ; first = false) {
    signal?.throwIfAborted();
    try {
      return await lockFolder(file);
    } catch (error) {
      if (!(error instanceof PantomimeError && error.code === 'output.locked')) throw error;
    }
    if (first) onWait();
    await wait(lockMs, undefined, { ...(signal && { signal }) });
  }
}
