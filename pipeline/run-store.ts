import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PantomimeError } from '../models/errors.js';
import { exists, readJson, writeAtomic } from './files.js';
import { type FolderLock, lockFolder } from './folder-lock.js';
import type { MemoryChoice } from './memory-choice.js';
import { seal } from './sealed-file.js';

/**
 * The folder of a run. Finished results lie at its top under their final names; `work/` holds what a later attempt can
 * take over, each file named by the hash of everything it was made from, so a stale one is never mistaken for a fresh one, and
 * sealed, so that a damaged one is noticed. When it is closed before anything was done, the folder goes away again.
 */
export type RunStore = AsyncDisposable & {
  readonly dir: string;
  /** Path of a result, e.g. `output.mp4`. */
  readonly result: (name: string) => string;
  /** Path of a work file: `<name>-<key>.<ext>`. */
  readonly work: (name: string, key: string, ext: string) => string;
  /** Path of a work file that other runs of the same batch can use as well; without a batch, as `work`. */
  readonly shared: (name: string, key: string, ext: string) => string;
  /** Makes a work file: `write` is given another name, and the file appears sealed and whole. Gives what `write` gives. */
  readonly put: <T>(file: string, write: (part: string) => Promise<T>) => Promise<T>;
  /** Whether the folder is still as it was opened: not removed or unmounted meanwhile. */
  readonly isThere: () => Promise<boolean>;
  /** Aborts when another process has taken the folder over. */
  readonly lost: AbortSignal;
  /** Says that all results are there; removes the work folder unless it is to be kept. */
  readonly finish: (keepWork: boolean) => Promise<void>;
};

export type RunStoreOptions = Begun & {
  /** Where the result goes; half-written videos of killed attempts are removed beside it and in the folder. */
  readonly video?: string | undefined;
  /** Folder of work files that runs of a batch have in common. */
  readonly shared?: string | undefined;
};

/**
 * Opens (makes) a run folder, locks it, and marks it as begun, with what the same command must go on with after an
 * interruption. Throws an input error when it cannot be written, `output.locked` when another process is at work in it.
 */
export async function openRunStore(dir: string, begin: RunStoreOptions = {}): Promise<RunStore> {
  const work = join(dir, 'work');
  let made: string | undefined;
  let lock: FolderLock | undefined;
  try {
    made = await makeFolders(work);
    if (begin.shared) await makeFolders(begin.shared);
    lock = await lockFolder(join(work, lockName), dir);
    await writeAtomic(join(work, begunName), JSON.stringify({ seed: begin.seed, memory: begin.memory }));
    await removeFiles(dir, (name) => ownPart.test(name));
    const stem = begin.video && `.${basename(begin.video).slice(0, 60)}.`;
    if (stem) await removeFiles(dirname(begin.video), (name) => name.startsWith(stem) && videoPart.test(name));
  } catch (cause) {
    await lock?.[Symbol.asyncDispose]();
    if (cause instanceof PantomimeError) throw cause;
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
  const { lost } = lock;
  const release = () => lock[Symbol.asyncDispose]();
  return {
    dir,
    lost,
    result: (name) => join(dir, name),
    work: (name, key, ext) => join(work, `${name}-${key}.${ext}`),
    shared: (name, key, ext) => join(begin.shared ?? work, `${name}-${key}.${ext}`),
    isThere: async () => (await isUnfinished(dir)) && (await exists(begin.shared ?? work)),
    async put(file, write) {
      const part = `${file}.part`;
      try {
        const written = await write(part);
        await seal(part, file);
        return written;
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    async finish(keepWork) {
      await rm(join(work, begunName), { force: true });
      if (!keepWork) await rm(work, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      await release();
      await removeUnused(work, made);
    },
  };
}

/**
 * Makes a folder and those above it; gives the topmost that was not there. Not `mkdir` with `recursive`, which never
 * returns where the system says of a folder it just listed that it does not exist, as below /proc.
 */
export async function makeFolders(folder: string): Promise<string | undefined> {
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

/** Files of a run that has hardly begun: the picture is encoded while it shows whether there is anybody in the clip. */
const isLittle = (name: string) => name === begunName || name.startsWith('reference-');

/** Removes a work folder in which little was done, and the folders above it that were made for it, `made` the topmost. */
async function removeUnused(work: string, made: string | undefined): Promise<void> {
  const names = await readdir(work).catch(() => undefined);
  if (!names?.every(isLittle)) return;
  await removeFiles(work, isLittle);
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
export type Begun = { readonly seed?: number | undefined; readonly memory?: MemoryChoice | undefined };

/** What an unfinished run in this folder began with; nothing where there is none. */
export async function unfinishedRun(dir: string): Promise<Begun> {
  const begun = (await readJson(join(dir, 'work', begunName))) as Record<string, unknown> | undefined;
  const { seed, memory } = begun ?? {};
  return {
    seed: Number.isSafeInteger(seed) ? (seed as number) : undefined,
    memory: isMemoryChoice(memory) ? memory : undefined,
  };
}

function isMemoryChoice(value: unknown): value is MemoryChoice {
  const { residency, splitGuidance, decodeTile, overlap, ...counts } = (value ?? {}) as Partial<MemoryChoice>;
  const { attentionParts, feedForwardParts, windowsTogether, decodeChunk, chunk = 0 } = counts;
  const count = (n: unknown) => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= mostCounted;
  return (
    (residency === 'fast' || residency === 'low-memory') &&
    typeof splitGuidance === 'boolean' &&
    [attentionParts, feedForwardParts, windowsTogether, decodeChunk, chunk].every(count) &&
    (decodeTile === null || count(decodeTile)) &&
    (overlap === 0 || (count(overlap) && (overlap as number) < chunk))
  );
}

const mostCounted = 8192;
const begunName = 'begun.json';
const lockName = 'lock';
