import { opendir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import type { Source } from './clip.js';
import { fileStates, whyNoFile } from './file-state.js';
import type { Skipped } from './types.js';

export const videoEndings: ReadonlySet<string> = new Set(
  'mp4 mov mkv webm avi m4v gif mpg mpeg ts mts m2ts 3gp wmv flv ogv'.split(' '),
);

/** Of the formats that stages/reference/picture-file.ts reads. */
export const pictureEndings: ReadonlySet<string> = new Set(
  'png jpg jpeg webp avif heif heic gif tif tiff jp2 jxl'.split(' '),
);

/** Bounds the time and memory of a scan. */
export const maxFiles = 100_000;

/** A file of the right kind; `why` when it is of no use all the same. */
export type FoundFile = Source & { readonly why?: string | undefined };

export type FolderScan = { readonly files: readonly FoundFile[]; readonly skipped: readonly Skipped[] };

export type ScanRequest = {
  readonly dir: string;
  /** Endings of the files that are looked for, lower case, without the dot. */
  readonly endings: ReadonlySet<string>;
  /** One clause for files with other endings. */
  readonly otherwise: string;
  /** Files that are passed over without a word. */
  readonly ignore?: ((file: string) => boolean) | undefined;
};

/**
 * Files directly in a folder, in natural order (`clip2` before `clip10`). Nothing is opened: names decide, and sizes. Links to
 * files are followed; hidden files are passed over without a word, folders and everything else with a reason.
 * @throws PantomimeError `batch.folder` when the folder cannot be read, `batch.too-many` when it holds too much.
 */
export async function scanFolder({ dir, endings, otherwise, ignore }: ScanRequest): Promise<FolderScan> {
  const found: string[] = [];
  const skipped: Skipped[] = [];
  let entries = 0;
  try {
    for await (const entry of await opendir(dir, { bufferSize: 1024 })) {
      if (++entries > maxFiles) throw tooMany(dir);
      const { name } = entry;
      if (name.startsWith('.') || ignore?.(name)) continue;
      if (entry.isDirectory()) skipped.push({ name, why: 'a folder; only files directly in the folder are taken' });
      else if (!endings.has(endingOf(name))) skipped.push({ name, why: otherwise });
      else if (entry.isFile() || entry.isSymbolicLink()) found.push(name);
      else skipped.push({ name, why: 'not a file' });
    }
  } catch (cause) {
    if (cause instanceof PantomimeError) throw cause;
    throw unreadable(dir, cause);
  }
  const states = await fileStates(found.map((file) => resolve(dir, file)));
  const files = found.sort(naturally).map((file): FoundFile => {
    const path = resolve(dir, file);
    const state = states.get(path) ?? 'missing';
    const why = state === 'missing' && file.includes('\uFFFD') ? 'its name is not UTF-8' : whyNoFile(state);
    return { file, path, id: file, where: join(dir, file), why };
  });
  return { files, skipped: skipped.sort((a, b) => naturally(a.name, b.name)) };
}

/** Ending of a file name, lower case, without the dot. */
export function endingOf(file: string): string {
  return extname(file).slice(1).toLowerCase();
}

// One language for all machines, so that they agree.
const collator = new Intl.Collator('en', { numeric: true });

function naturally(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

function tooMany(dir: string): PantomimeError {
  return new PantomimeError({
    code: 'batch.too-many',
    kind: 'input',
    what: 'there is too much in this folder',
    where: dir,
    expected: `at most ${maxFiles} files`,
    hint: 'Spread the clips over several folders, one batch each.',
  });
}

function unreadable(dir: string, cause: unknown): PantomimeError {
  const { code } = cause as NodeJS.ErrnoException;
  return new PantomimeError({
    code: 'batch.folder',
    kind: 'input',
    what: code === 'ENOENT' ? 'there is no such folder' : 'this folder cannot be read',
    where: dir,
    got: code,
    cause,
  });
}
