import { rename, rm } from 'node:fs/promises';
import { exists, readText, writeAtomic } from './files.js';
import { hashFile } from './hashes.js';

/** What a sealed file was found to be. A damaged one has been removed. */
export type SealState = 'whole' | 'damaged' | 'missing';

/**
 * Gives `part` its final name. Its hash is noted beside it first, together with that of the file it replaces, so that one of
 * the two is right whenever the process is killed.
 */
export async function seal(part: string, file: string): Promise<void> {
  const before = (await readText(sealOf(file)))?.split('\n')[0];
  await writeAtomic(sealOf(file), [await hashFile(part), before].filter(Boolean).join('\n'));
  await rename(part, file);
}

/** Whether a file is as it was when it was sealed: not cut short, not empty, no bit of it changed. */
export async function checkSeal(file: string, signal?: AbortSignal): Promise<SealState> {
  if (!(await exists(file))) return 'missing';
  const known = (await readText(sealOf(file)))?.split('\n') ?? [];
  const hash = await hashFile(file, signal);
  if (known.includes(hash)) {
    // Only what is there: the other one of the two would push this one out when the next file is sealed.
    if (known.length > 1) await writeAtomic(sealOf(file), hash);
    return 'whole';
  }
  await rm(file, { force: true });
  await rm(sealOf(file), { force: true });
  return 'damaged';
}

function sealOf(file: string): string {
  return `${file}.sha256`;
}
