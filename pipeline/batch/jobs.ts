import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PantomimeError } from '../../models/errors.js';
import { exists, readJson } from '../files.js';
import { hashFile, keyOf } from '../hashes.js';
import { parseControl } from '../options/control-value.js';
import { resolveForModel } from '../options/load.js';
import { metaOf } from '../options/names.js';
import { type PicturesChoice, parsePictures } from '../options/pictures-value.js';
import { type OptionProblem, optionsError } from '../options/problem.js';
import type { OptionSources } from '../options/resolve.js';
import { type AnimateOptions, type OptionName, optionNames } from '../options/schema.js';
import { repeatableOption } from '../repeat.js';
import { isUnfinished } from '../run-store.js';
import type { Pair } from './types.js';

/** A clip of a batch, ready to be planned. */
export type Job = {
  readonly name: string;
  /** All options, with the clip's run folder as output. */
  readonly options: AnimateOptions;
  readonly runDir: string;
  /** What moves the character: video, pose file or control pictures. */
  readonly movement: string;
};

/** Most problems that are spelled out. */
const maxProblems = 20;

/** The options of every pair, checked before any work. Throws one PantomimeError of kind `usage` for all that is wrong. */
export async function resolveJobs(pairs: readonly Pair[], sources: OptionSources, dir: string): Promise<Job[]> {
  const jobs: Job[] = [];
  const problems = new Map<string, OptionProblem>();
  for (const { name, layer } of pairs) {
    const runDir = join(dir, name);
    const output = { value: runDir, where: 'the batch folder' };
    const clip = { ...layer, entries: new Map([...layer.entries, ['output', output] as const]) };
    try {
      const options = await resolveForModel({ ...sources, clip }, 'animate');
      const movement = (options.video ?? options.pose ?? options.controlVideo) as string;
      jobs.push({ name, options, runDir, movement });
    } catch (error) {
      // What is wrong with all of them alike is said once.
      for (const problem of problemsOf(error)) problems.set(JSON.stringify(problem), problem);
      if (problems.size >= maxProblems) break;
    }
  }
  if (problems.size > 0) throw optionsError([...problems.values()].slice(0, maxProblems));
  return jobs;
}

function problemsOf(error: unknown): readonly OptionProblem[] {
  const cause = error instanceof PantomimeError ? error.details.cause : undefined;
  if (typeof cause === 'object' && cause !== null && 'problems' in cause) return cause.problems as OptionProblem[];
  throw error;
}

/** What an earlier call has left of a job: nothing finished, this very video, or another one. */
export type Earlier = 'none' | 'same' | 'other';

/**
 * Whether a job was finished earlier: its run.json names the same options, and the files are those it was made from. Files that
 * were not changed since (`knownFiles`, see {@link filesKey}) are not read; others are compared by content.
 */
export async function earlierResult(job: Job, knownFiles: string | undefined): Promise<Earlier> {
  const { runDir, options, movement } = job;
  if ((await isUnfinished(runDir)) || !(await exists(join(runDir, 'output.mp4')))) return 'none';
  const record = (await readJson(join(runDir, 'run.json'))) as RunRecord | undefined;
  if (!record?.options || !record.inputs) return 'other';
  if (!optionNames.every((name) => isAsked(options, name, record))) return 'other';
  if (knownFiles !== undefined && knownFiles === (await filesKey(job))) return 'same';
  const { image, movement: moved } = record.inputs;
  const same =
    image?.sha256 === (await hashFile(options.image as string)) &&
    (await isFile(moved, movement)) &&
    (await samePictures(options, record));
  return same ? 'same' : 'other';
}

type FileRecord = { readonly path?: string; readonly sha256?: string };

type RunRecord = {
  readonly options: Readonly<Record<string, unknown>>;
  /** What was asked for where something else was decided, so that it fits into the memory. */
  readonly fitted?: Readonly<Record<string, unknown>>;
  readonly inputs: { readonly [input in 'image' | 'movement']?: FileRecord };
  readonly pictures?: readonly (FileRecord & { readonly name?: string })[];
};

/** Whether a file is that of a record; folders have no hash. */
async function isFile(recorded: FileRecord | undefined, path: string): Promise<boolean> {
  return recorded?.sha256 === undefined ? recorded?.path === path : recorded.sha256 === (await hashFile(path));
}

/** Whether a run's controls looked at the pictures that are asked for. */
async function samePictures(options: AnimateOptions, { pictures = [] }: RunRecord): Promise<boolean> {
  const asked = picturesOf(options);
  if (asked.length !== pictures.length) return false;
  const same = asked.map(({ name, path }) =>
    isFile(
      pictures.find((one) => one.name === name),
      path,
    ),
  );
  return (await Promise.all(same)).every(Boolean);
}

/** Those that are looked at. */
function picturesOf({ control, controlPictures }: AnimateOptions): readonly PicturesChoice[] {
  const controls = control.flatMap((value) => parseControl(value) ?? []).filter(({ scale }) => scale !== 0);
  return controlPictures
    .flatMap((value) => parsePictures(value) ?? [])
    .filter((pictures) => controls.some(({ name }) => name === pictures.name));
}

/** Whether a finished run did what is asked for in one option; where nothing is asked for, whatever it decided is right. */
function isAsked(options: AnimateOptions, name: OptionName, { options: did, fitted }: RunRecord): boolean {
  const { group } = metaOf(name);
  // Files are compared by content, and it does not matter where a video was made.
  if (group === 'Inputs' || group === 'Machine' || group === 'Run' || name === 'output') return true;
  const asked = repeatableOption(options, name);
  if (Array.isArray(asked)) return JSON.stringify(asked) === JSON.stringify(did[name] ?? []);
  return asked === undefined || asked === did[name] || asked === fitted?.[name];
}

/** Which files a job reads, by size and time of change: cheap, and enough to see that nothing has happened to them. */
export async function filesKey({ options, movement }: Job): Promise<string> {
  const pictures = picturesOf(options).map(({ path }) => path);
  const facts = [movement, options.image as string, ...pictures].map(async (path) => {
    const { size, mtimeMs } = await stat(path);
    return [path, size, mtimeMs];
  });
  return keyOf(await Promise.all(facts));
}
