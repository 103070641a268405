import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { type OptionProblem, optionsError } from '../options/problem.js';
import type { Clip } from './clip.js';
import { endingOf } from './clip-folder.js';
import { fileStates, whyNoFile } from './file-state.js';
import { rowsFromCsv } from './manifest-csv.js';
import { columnProblems, readDefaults, readEntry } from './manifest-entry.js';
import { rowsFromJson } from './manifest-json.js';
import { type ManifestRows, syntaxProblem } from './manifest-rows.js';
import { maxYamlBytes, rowsFromYaml } from './manifest-yaml.js';
import type { Skipped } from './types.js';

export const maxManifestBytes = 16 * 1024 * 1024;

/** Problems that are listed one by one. */
const maxListed = 20;

export type Manifest = { readonly clips: readonly Clip[]; readonly skipped: readonly Skipped[] };

/** Whether a file is a manifest, by its ending. */
export function isManifest(path: string): boolean {
  return ['csv', 'json', 'yaml', 'yml'].includes(endingOf(path));
}

/**
 * Clips of a manifest, in its order: a CSV file with a header, or a JSON or YAML list. Paths in it are meant from its folder.
 * Clips and pictures that are not there have `why`; none is opened.
 * @throws PantomimeError of kind `usage` that lists everything that is wrong, with lines; `batch.manifest` when the file cannot
 * be read.
 */
export async function readManifest(path: string): Promise<Manifest> {
  const text = await readText(path);
  const style = { textual: endingOf(path) === 'csv', baseDir: dirname(resolve(path)) };
  const { rows, defaults, problems: found } = readRows(text, path);
  const base = defaults && readDefaults(defaults, style);
  const problems = [...found, ...(base?.problems ?? [])];
  const clips: Clip[] = [];
  const skipped: Skipped[] = [];
  for (const row of rows) {
    const entry = readEntry(row, style, base);
    if ('clip' in entry) clips.push(entry.clip);
    else if ('skipped' in entry) skipped.push(entry.skipped);
    else for (const problem of entry.problems) problems.push(problem);
  }
  if (problems.length > 0) throw manifestError(problems);
  return { clips: await withReasons(clips), skipped };
}

/** One error for all that is wrong with a manifest; of many problems the first are listed. */
export function manifestError(problems: readonly OptionProblem[]): PantomimeError {
  const error = optionsError(problems.slice(0, maxListed));
  if (problems.length <= maxListed) return error;
  const [, ...listed] = error.details.what.split('\n');
  const what = [`${problems.length} things are wrong with the options`, ...listed];
  return new PantomimeError({
    ...error.details,
    what: [...what, `  - and ${problems.length - maxListed} more`].join('\n'),
    cause: { problems },
  });
}

function readRows(text: string, path: string): ManifestRows {
  try {
    const ending = endingOf(path);
    if (ending === 'csv') return rowsFromCsv(text, path, columnProblems);
    return ending === 'json' ? rowsFromJson(text, path) : rowsFromYaml(text, path);
  } catch (error) {
    // Out of stack.
    if (!(error instanceof RangeError)) throw error;
    return { rows: [], problems: [syntaxProblem(path, 'something in it is too long or too deep')] };
  }
}

async function withReasons(clips: readonly Clip[]): Promise<readonly Clip[]> {
  const states = await fileStates(clips.flatMap(({ path, picture }) => (picture ? [path, picture.path] : [path])));
  const whyNot = (path: string) => whyNoFile(states.get(path) ?? 'missing');
  return clips.map((clip) => {
    const { path, picture, entries } = clip;
    const pictures = entries.has('controlVideo') && states.get(path) === 'folder';
    const whyPicture = picture && whyNot(picture.path);
    const why = (pictures ? undefined : whyNot(path)) ?? (whyPicture && `its picture ${picture.id}: ${whyPicture}`);
    return why === undefined ? clip : { ...clip, why };
  });
}

async function readText(path: string): Promise<string> {
  const ending = endingOf(path);
  const limit = ending === 'csv' || ending === 'json' ? maxManifestBytes : maxYamlBytes;
  let bytes: Buffer;
  try {
    // Before opening: a pipe would be waited for, and a device has no end.
    const info = await stat(path);
    if (!info.isFile()) throw unreadable(path, 'the manifest is not a file');
    if (info.size > limit) {
      throw unreadable(path, 'the manifest is too large', {
        got: `${info.size} bytes`,
        expected: `at most ${limit} bytes`,
        hint: limit < maxManifestBytes ? 'A longer list can be a CSV or JSON file.' : 'Spread it over several batches.',
      });
    }
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof PantomimeError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such manifest' : 'the manifest cannot be read';
    throw unreadable(path, what, { got: code, cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const expected = 'UTF-8';
    throw unreadable(path, 'the manifest is not UTF-8 text', { expected, hint: 'Save it as CSV UTF-8.', cause });
  }
}

type Facts = { readonly got?: string | undefined; expected?: string; hint?: string; cause?: unknown };

function unreadable(path: string, what: string, facts: Facts = {}): PantomimeError {
  return new PantomimeError({ code: 'batch.manifest', kind: 'input', what, where: path, ...facts });
}
