import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PantomimeError } from '../models/errors.js';
import type { Residency } from '../models/onnx/built-graph.js';

/**
 * The folder of a run. Finished results lie at its top under their final names; `work/` holds what a later attempt can
 * take over, each file named by the hash of everything it was made from, so a stale one is never mistaken for a fresh one.
 * When it is closed before anything was done, the folder goes away again.
 */
export type RunStore = AsyncDisposable & {
  readonly dir: string;
  /** Path of a result, e.g. `output.mp4`. */
  readonly result: (name: string) => string;
  /** Path of a work file: `<name>-<key>.<ext>`. */
  readonly work: (name: string, key: string, ext: string) => string;
  /** Says that all results are there; removes the work folder unless it is to be kept. */
  readonly finish: (keepWork: boolean) => Promise<void>;
};

/**
 * Opens (makes) a run folder and marks it as begun, with what the same command must go on with after an interruption. Throws an input error when it cannot be written.
 * @param video where the result goes; half-written videos of killed attempts are removed beside it and in the folder.
 */
export async function openRunStore(dir: string, begin: Begun & { readonly video?: string } = {}): Promise<RunStore> {
  const work = join(dir, 'work');
  let made: string | undefined;
  try {
    made = await makeFolders(work);
    await writeAtomic(join(work, begunName), JSON.stringify({ seed: begin.seed, residency: begin.residency }));
    await removeFiles(dir, (name) => ownPart.test(name));
    const stem = begin.video && `.${basename(begin.video).slice(0, 60)}.`;
    if (stem) await removeFiles(dirname(begin.video), (name) => name.startsWith(stem) && videoPart.test(name));
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
    async finish(keepWork) {
      await rm(join(work, begunName), { force: true });
      if (!keepWork) await rm(work, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: () => removeUnused(work, made),
  };
}

/**
 * Makes a folder and those above it; gives the topmost that was not there. Not `mkdir` with `recursive`, which never
 * returns where the system says of a folder it just listed that it does not exist, as below /proc.
 */
async function makeFolders(folder: string): Promise<string | undefined> {
  if (await exists(folder)) return undefined;
  const above = dirname(folder) === folder ? undefined : await makeFolders(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return above ?? folder;
}

/** Ending of a video that is being written, as `encodeVideo` chooses it. */
const videoPart = /\.[0-9a-f]{8}\.part\.(mp4|mov)$/;
/** Any result of ours that is being written. */
const ownPart = /^\.?(output|comparison|pose|latents|contact-sheet|run|timings)\..*\.part(ial|\.mp4)?$/;

async function removeFiles(folder: string, ours: (name: string) => boolean): Promise<void> {
  const names = (await readdir(folder)).filter(ours);
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
}

/** Removes a work folder in which nothing was done, and the folders above it that were made for it, `made` the topmost. */
async function removeUnused(work: string, made: string | undefined): Promise<void> {
  const names = await readdir(work).catch(() => [begunName, '']);
  if (names.some((name) => name !== begunName)) return;
  await rm(join(work, begunName), { force: true });
  try {
    for (let folder = work; ; folder = dirname(folder)) {
      await rmdir(folder);
      if (folder === (made ?? work)) return;
    }
  } catch {
    // Somebody else has put something there.
  }
}

/** Whether an attempt in this folder was begun and not finished. */
export function isUnfinished(dir: string): Promise<boolean> {
  return exists(join(dir, 'work', begunName));
}

/** What an attempt decides by chance or by the state of the machine, and the next one must decide the same. */
export type Begun = { readonly seed?: number | undefined; readonly residency?: Residency | undefined };

/** What an unfinished run in this folder began with; nothing where there is none. */
export async function unfinishedRun(dir: string): Promise<Begun> {
  const begun = (await readJson(join(dir, 'work', begunName))) as Record<string, unknown> | undefined;
  const { seed, residency } = begun ?? {};
  return {
    seed: Number.isSafeInteger(seed) ? (seed as number) : undefined,
    residency: residency === 'fast' || residency === 'low-memory' ? residency : undefined,
  };
}

const begunName = 'begun.json';

/** Short content key of plain data: the first 16 hex digits of the SHA-256 of its JSON. */
export function keyOf(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);
}

/** SHA-256 of data in memory, hex. */
export function hashBytes(data: NodeJS.ArrayBufferView): string {
  return createHash('sha256').update(data).digest('hex');
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
