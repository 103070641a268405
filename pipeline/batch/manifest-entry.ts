import { basename, relative, sep } from 'node:path';
import { movementOptions } from '../options/checks.js';
import { fieldOf } from '../options/field.js';
import { makeLayer, type OptionEntry, type WrittenOption } from '../options/layer.js';
import { findOption, metaOf, normaliseName } from '../options/names.js';
import { type OptionProblem, showValue } from '../options/problem.js';
import { type OptionName, optionsSchema } from '../options/schema.js';
import type { Clip, Source } from './clip.js';
import type { ManifestRow } from './manifest-rows.js';
import { safeName } from './run-names.js';
import type { Skipped } from './types.js';

/** Options that the whole batch has in common, beside those of the machine. */
const ofTheBatch: ReadonlySet<OptionName> = new Set(['output', 'resume', 'overwrite', 'preset', 'keepIntermediate']);

export type EntryStyle = {
  /** Values are text, as in CSV. */
  readonly textual: boolean;
  /** Folder of the manifest. */
  readonly baseDir: string;
};

/** A row with its names understood and its values checked. */
type Entry = {
  readonly options: Map<OptionName, OptionEntry>;
  readonly name?: string | undefined;
  readonly skip: boolean;
  readonly problems: readonly OptionProblem[];
};

export type EntryResult =
  | { readonly clip: Clip }
  | { readonly skipped: Skipped }
  | { readonly problems: readonly OptionProblem[] };

/** What is wrong with the names of columns, each; a name that has been given already is wrong too. */
export function columnProblems(names: readonly string[], where: string): readonly (readonly OptionProblem[])[] {
  const seen = new Set<string>();
  return names.map((name) => {
    if (name === '') return [];
    const problems = nameProblems(name, where);
    const key = ownName(name) ?? findOption(optionName(name)) ?? name;
    const repeated = seen.has(key);
    seen.add(key);
    if (problems.length > 0 || !repeated) return problems;
    return [{ code: 'options.repeated', where, what: `${key} is given twice` }];
  });
}

/** What is wrong with a name in a manifest, whatever its value. */
function nameProblems(name: string, where: string): readonly OptionProblem[] {
  if (ownName(name)) return [];
  const option = findOption(optionName(name));
  if (option === undefined) return makeLayer([{ name, value: null, where }], { nameStyle: 'key' }).problems;
  if (metaOf(option).group !== 'Machine' && !ofTheBatch.has(option)) return [];
  return [{ code: 'batch.not-per-clip', where, what: `${option} is one for the whole batch`, hint: flagHint(option) }];
}

/** Options below every entry. */
export function readDefaults(row: ManifestRow, style: EntryStyle): Entry {
  const own = row.written.filter(({ name }) => ownName(name));
  const entry = readRow(row, style);
  const wrong = own.map(({ name, where, nameWhere = where }) => {
    return { code: 'batch.defaults', where: nameWhere, what: `${showValue(name)} belongs to one clip` };
  });
  return { ...entry, problems: [...entry.problems, ...wrong] };
}

/** The clip that a row stands for. */
export function readEntry(row: ManifestRow, style: EntryStyle, defaults?: Entry): EntryResult {
  const entry = readRow(row, style);
  const options = below(entry.options, defaults?.options);
  const movements = movementOptions.filter((name) => options.has(name));
  const [movement] = movements;
  const moving = movement && options.get(movement);
  // A row that is switched off may be half written.
  if (entry.skip) {
    const name = entry.name ?? (typeof moving?.value === 'string' ? basename(moving.value) : row.where);
    return { skipped: { name, why: `switched off in ${row.where}` } };
  }
  const problems = [...entry.problems];
  if (movements.length > 1) {
    problems.push({
      code: 'batch.movement',
      where: row.where,
      what: 'more than one thing says how to move',
      got: movements.join(' and '),
    });
  } else if (!moving && problems.length === 0) {
    problems.push({ code: 'batch.movement', where: row.where, what: 'nothing says how to move', expected: 'a video' });
  }
  if (!moving || problems.length > 0) return { problems };
  const image = options.get('image');
  options.delete('image');
  const picture = image && sourceOf(image, style.baseDir);
  return {
    clip: { ...sourceOf(moving, style.baseDir), where: row.where, entries: options, name: entry.name, picture },
  };
}

function readRow({ written, problems: unread }: ManifestRow, { textual, baseDir }: EntryStyle): Entry {
  const problems: OptionProblem[] = [...unread];
  const plain: WrittenOption[] = [];
  const own = new Map<'name' | 'skip', WrittenOption>();
  for (const option of written) {
    const { name, where, nameWhere = where } = option;
    const key = ownName(name);
    if (key && own.has(key)) {
      problems.push({ code: 'options.repeated', where: nameWhere, what: `${key} is given twice` });
    } else if (key) {
      own.set(key, option);
    } else {
      const wrong = nameProblems(name, nameWhere);
      if (wrong.length > 0) problems.push(...wrong);
      else plain.push({ ...option, name: optionName(name) });
    }
  }
  const layer = makeLayer(plain, { textual, baseDir, nameStyle: 'key' });
  for (const problem of layer.problems) problems.push(problem);
  const options = new Map<OptionName, OptionEntry>();
  for (const [name, entry] of layer.entries) {
    // An input that is null is none.
    if (entry.value === null && metaOf(name).group === 'Inputs') continue;
    if (!optionsSchema.shape[name].safeParse(entry.value).success) problems.push(wrongValue(name, entry));
    else options.set(name, entry);
  }
  const skip = switchedOff(own.get('skip'));
  const name = chosenName(own.get('name'));
  if (typeof skip !== 'boolean') problems.push(skip);
  if (typeof name === 'object') problems.push(name);
  return { options, name: typeof name === 'string' ? name : undefined, skip: skip === true, problems };
}

/** Options of an entry over those below it; a movement replaces the one below, in whatever form. */
function below(
  options: ReadonlyMap<OptionName, OptionEntry>,
  defaults: ReadonlyMap<OptionName, OptionEntry> = new Map(),
): Map<OptionName, OptionEntry> {
  const merged = new Map([...defaults, ...options]);
  const moves = movementOptions.filter((name) => options.has(name));
  if (moves.length > 0) for (const name of movementOptions) if (!options.has(name)) merged.delete(name);
  return merged;
}

function sourceOf({ value, where }: OptionEntry, baseDir: string): Source {
  const path = String(value);
  return { file: basename(path), path, id: relative(baseDir, path).split(sep).join('/'), where };
}

/** Names that mean something in a manifest only. */
function ownName(name: string): 'name' | 'skip' | undefined {
  const plain = normaliseName(name);
  return plain === 'name' || plain === 'skip' ? plain : undefined;
}

function optionName(name: string): string {
  return normaliseName(name) === 'clip' ? 'video' : name;
}

function switchedOff(written: WrittenOption | undefined): boolean | OptionProblem {
  const text = String(written?.value ?? '').trim();
  if (/^(|false|no|off|0)$/i.test(text)) return false;
  if (/^(true|yes|on|1|x)$/i.test(text)) return true;
  const expected = 'true or false';
  return { code: 'batch.skip', where: written?.where, what: 'skip does not fit', got: showValue(text), expected };
}

function chosenName(written: WrittenOption | undefined): string | OptionProblem | undefined {
  const { value, where } = written ?? {};
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  const problem = { code: 'batch.name', where, what: 'this cannot be the name of a run folder', got: showValue(value) };
  if (typeof text !== 'string' || text.length > 1000) return { ...problem, expected: 'at most 100 characters of text' };
  const safe = safeName(text);
  return safe === text.normalize('NFC') ? safe : { ...problem, hint: `name: ${safe}` };
}

function wrongValue(name: OptionName, entry: OptionEntry): OptionProblem {
  const expected = fieldOf(name).expected.replaceAll('`', '');
  const what = `${name} does not fit`;
  return { code: 'options.value', where: entry.where, what, got: showValue(entry.value), expected };
}

function flagHint(option: OptionName): string {
  return option === 'output' ? 'name: of its run folder in the batch folder' : 'give it on the command line';
}
