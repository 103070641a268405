import { isAbsolute, resolve } from 'node:path';
import { isModelName } from '../model-store/locate.js';
import { fieldOf } from './field.js';
import { findOption, kebabCase, metaOf, suggestOption } from './names.js';
import type { OptionMeta } from './option-meta.js';
import { type OptionProblem, showValue } from './problem.js';
import { type OptionName, optionNames } from './schema.js';

/** A value and the place it was written at, so that every complaint can say where to look. */
export type OptionEntry = { readonly value: unknown; readonly where: string };

/** Options from one source: the command line, `--set`, a config file, a preset or a library call. */
export type OptionLayer = {
  readonly entries: ReadonlyMap<OptionName, OptionEntry>;
  readonly problems: readonly OptionProblem[];
};

/** A name as somebody wrote it, with its value. */
export type WrittenOption = {
  readonly name: string;
  readonly value: unknown;
  readonly where: string;
  /** Where the name is, if that is not where the value is. */
  readonly nameWhere?: string;
};

export type LayerStyle = {
  /** Values are text, as on a command line: `24` and `true` have to be understood first. */
  readonly textual?: boolean;
  /** Relative paths are meant from this folder. */
  readonly baseDir?: string;
  /** How names read in hints: `--overlap` or `overlap`. */
  readonly nameStyle: 'flag' | 'key';
};

/** Find out which option each name means. Unknown names, and two spellings of one option, are problems. */
export function makeLayer(written: Iterable<WrittenOption>, style: LayerStyle): OptionLayer {
  const entries = new Map<OptionName, OptionEntry>();
  const problems: OptionProblem[] = [];
  for (const { name, value, where, nameWhere = where } of written) {
    const found = findOption(name);
    if (!found) {
      problems.push(unknownOption(name, nameWhere, style.nameStyle));
    } else if (entries.has(found)) {
      problems.push({ code: 'options.repeated', where: nameWhere, what: `${found} is given twice` });
    } else {
      entries.set(found, { value: understand(found, value, style), where });
    }
  }
  return { entries, problems };
}

function unknownOption(name: string, where: string, nameStyle: 'flag' | 'key'): OptionProblem {
  const near = suggestOption(name);
  const shown = nameStyle === 'flag' ? near && `--${near}` : near && findOption(near);
  return {
    code: 'options.unknown',
    where,
    what: `there is no option ${showValue(name)}`,
    hint: shown ? `${shown}?` : 'pantomime animate --help lists all options',
  };
}

/** Options of a library call, spelled as in the schema. `undefined` means not given. */
export function layerFromObject(values: object, where = 'options'): OptionLayer {
  const written = Object.entries(values).filter(([, value]) => value !== undefined);
  return makeLayer(
    written.map(([name, value]) => ({ name, value, where: `${where}.${name}` })),
    { nameStyle: 'key' },
  );
}

/** Flags of the command line, by canonical option name, as text (on-off flags as booleans). */
export function layerFromFlags(values: Readonly<Record<string, unknown>>): OptionLayer {
  const written = optionNames
    .filter((name) => Object.hasOwn(values, name) && values[name] !== undefined)
    .map((name) => ({ name, value: values[name], where: `--${kebabCase(name)}` }));
  return makeLayer(written, { textual: true, nameStyle: 'flag' });
}

/** `--set name=value`, any number of times; of several for one option the last counts. */
export function layerFromSettings(settings: readonly string[]): OptionLayer {
  const last = new Map<string, WrittenOption>();
  const problems: OptionProblem[] = [];
  for (const setting of settings) {
    const at = setting.indexOf('=');
    const where = `--set ${showValue(setting)}`;
    const name = setting.slice(0, Math.max(at, 0)).trim();
    if (name === '')
      problems.push({ code: 'options.setting', where, what: 'a setting has no name', expected: 'NAME=VALUE' });
    else last.set(findOption(name) ?? name, { name, value: setting.slice(at + 1), where });
  }
  const layer = makeLayer(last.values(), { textual: true, nameStyle: 'key' });
  return { entries: layer.entries, problems: [...problems, ...layer.problems] };
}

/** Other words for a value, text that is a number, relative paths: everything that comes before checking. */
function understand(name: OptionName, value: unknown, style: LayerStyle): unknown {
  const meta = metaOf(name);
  if (meta.list) return understandList(meta.list, value, style);
  const field = fieldOf(name);
  if (typeof value !== 'string') {
    // YAML reads `anchor: true` as a boolean; the choice is the word.
    return typeof value === 'boolean' && field.choices.includes(String(value)) ? String(value) : value;
  }
  const word = meta.valueAliases && Object.hasOwn(meta.valueAliases, value) ? meta.valueAliases[value] : value;
  if (word === undefined || field.choices.includes(word)) return word;
  if (meta.path) {
    const named = meta.keywords?.includes(word) || (meta.modelUse !== undefined && isModelName(word));
    const isPath = !named && word !== '' && !isAbsolute(word);
    return isPath && style.baseDir !== undefined ? resolve(style.baseDir, word) : word;
  }
  return style.textual ? fromText(word, field) : word;
}

/** Parts several values of one text, as in a cell of a CSV file. */
const listMark = '|';

/** One value is a list of one. */
function understandList({ mapPath }: NonNullable<OptionMeta['list']>, value: unknown, style: LayerStyle): unknown {
  const { textual, baseDir } = style;
  const parted = typeof value === 'string' && textual ? value.split(listMark).map((part) => part.trim()) : [value];
  const values: readonly unknown[] = Array.isArray(value) ? value : parted;
  return values.map((one) =>
    typeof one === 'string' && baseDir !== undefined ? mapPath(one, (path) => resolve(baseDir, path)) : one,
  );
}

function fromText(value: string, field: ReturnType<typeof fieldOf>): unknown {
  const lower = value.trim().toLowerCase();
  if (field.boolean && /^(true|yes|on|1)$/.test(lower)) return true;
  if (field.boolean && /^(false|no|off|0)$/.test(lower)) return false;
  if (field.numeric && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/.test(lower)) return Number(lower);
  // Takes back what a config file or preset says.
  if (field.nullable && lower === 'auto') return null;
  return value;
}
