import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PantomimeError } from '../models/errors.js';

/**
 * The folder of a run. Finished results lie at its top under their final names; `work/` holds what a later attempt can
 * take over, each file named by the hash of everything it was made from, so a stale one is never mistaken for a fresh one.
 */
export type RunStore = {
  readonly dir: string;
  /** Path of a result, e.g. `output.mp4`. */
  readonly result: (name: string) => string;
  /** Path of a work file: `<name>-<key>.<ext>`. */
  readonly work: (name: string, key: string, ext: string) => string;
  /** Remembers a drawn seed, so that the same command goes on with it after an interruption. */
  readonly keepSeed: (seed: number) => Promise<void>;
  /** Removes the work folder once nothing in it is needed any more. */
  readonly clean: () => Promise<void>;
};

/** Opens (makes) a run folder. Throws an input error when it cannot be written. */
export async function openRunStore(dir: string): Promise<RunStore> {
  const work = join(dir, 'work');
  try {
    await mkdir(work, { recursive: true });
    // The folder may exist and still refuse files.
    const probe = join(work, `.write-test-${process.pid}`);
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (cause) {
    throw new PantomimeError({
      code: 'output.not-writable',
      kind: 'input',
      what: 'the output folder cannot be written',
      where: dir,
      got: cause instanceof Error ? cause.message : String(cause),
      hint: 'choose another place with -o FOLDER',
      cause,
    });
  }
  return {
    dir,
    result: (name) => join(dir, name),
    work: (name, key, ext) => join(work, `${name}-${key}.${ext}`),
    keepSeed: (seed) => writeAtomic(join(work, seedName), JSON.stringify({ seed })),
    clean: () => rm(work, { recursive: true, force: true }),
  };
}

/** The seed that an unfinished run in this folder began with. */
export async function unfinishedSeed(dir: string): Promise<number | undefined> {
  const begun = (await readJson(join(dir, 'work', seedName))) as { seed?: unknown } | undefined;
  return Number.isSafeInteger(begun?.seed) ? (begun?.seed as number) : undefined;
}

const seedName = 'seed.json';

/** Short content key of plain data: the first 16 hex digits of the SHA-256 of its JSON. */
export function keyOf(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);
}

/** SHA-256 of a file, hex, read as a stream. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, { ...(signal && { signal }) })) hash.update(block);
  return hash.digest('hex');
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Writes a file so that it is there whole or not at all: temporary name, fsync, rename. */
export async function writeAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const part = `${path}.part`;
  const file = await open(part, 'w');
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}

/** Parses a JSON file of our own making; undefined when it is missing or damaged (then it is made again). */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
