import type { WrittenOption } from '../options/layer.js';
import { takesList } from '../options/names.js';
import { type OptionProblem, showValue } from '../options/problem.js';
import {
  lineFinder,
  type ManifestRow,
  type ManifestRows,
  maxRows,
  noClips,
  notAClip,
  notSingle,
  strangePart,
  syntaxProblem,
  tooManyRows,
} from './manifest-rows.js';

// Only applied to text that JSON.parse has accepted.
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Rows of a JSON text: a list of objects, or an object with such a list as `clips` and what lies below each as `defaults`.
 * Read here and not as YAML, which takes a hundred times longer and gigabytes for a long list.
 * @param label what the file is called in messages.
 */
export function rowsFromJson(text: string, label: string): ManifestRows {
  const find = lineFinder(text);
  const at = (offset: number): string => {
    const { line, column } = find(offset);
    return `${label}:${line}:${column}`;
  };
  try {
    JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, offset] = / (?:at|in JSON at) position (\d+)/.exec(message) ?? [];
    const what = `not JSON: ${showValue(message.replace(/( in JSON)? at position.*$/s, '')).slice(1, -1)}`;
    const end = /end of JSON input/.test(message) ? text.length : undefined;
    const place = offset === undefined ? end : Number(offset);
    // For some slips Node only quotes the text around them.
    return { rows: [], problems: [syntaxProblem(place === undefined ? label : at(place), what)] };
  }
  const reader = new Reader(text, at);
  const first = reader.next();
  if (first.text === '[') return { rows: reader.list(label), problems: reader.problems };
  if (first.text !== '{') return { rows: [], problems: [noClips(label)] };

  let rows: readonly ManifestRow[] | undefined;
  let defaults: ManifestRow | undefined;
  for (const { name, where, value } of reader.members()) {
    if (name === 'clips' && !rows && value.text === '[') rows = reader.list(label);
    else if (name === 'defaults' && !defaults && value.text === '{') defaults = reader.object(value.offset);
    else {
      reader.skip(value);
      reader.problems.push(strangePart(name, where));
    }
  }
  if (rows === undefined && reader.problems.length === 0) reader.problems.push(noClips(label));
  return { rows: rows ?? [], defaults, problems: reader.problems };
}

type Token = { readonly text: string; readonly offset: number };

type Member = { readonly name: string; readonly where: string; readonly value: Token };

/** Walks over valid JSON, token by token. */
class Reader {
  readonly problems: OptionProblem[] = [];
  readonly #tokens: RegExpStringIterator<RegExpExecArray>;
  readonly #at: (offset: number) => string;

  constructor(text: string, at: (offset: number) => string) {
    this.#tokens = text.matchAll(token);
    this.#at = at;
  }

  next(): Token {
    const { value, done } = this.#tokens.next();
    return done ? { text: '', offset: 0 } : { text: value[0], offset: value.index };
  }

  /** The rest of an object whose brace has been read; each value's first token is read, and the caller reads the others. */
  *members(): Generator<Member> {
    for (let key = this.next(); key.text !== '}' && key.text !== ''; key = this.next()) {
      if (key.text === ',') continue;
      this.next();
      yield { name: String(JSON.parse(key.text)), where: this.#at(key.offset), value: this.next() };
    }
  }

  /** The rest of a list of objects. */
  list(label: string): ManifestRow[] {
    const rows: ManifestRow[] = [];
    for (let item = this.next(); item.text !== ']' && item.text !== ''; item = this.next()) {
      if (item.text === ',') continue;
      if (rows.length >= maxRows) {
        this.problems.push(tooManyRows(label));
        this.skip({ text: '[', offset: item.offset });
        break;
      }
      if (item.text === '{') {
        rows.push(this.object(item.offset));
      } else {
        this.skip(item);
        this.problems.push(notAClip(this.#at(item.offset)));
      }
    }
    return rows;
  }

  /** The rest of an object of single values. */
  object(offset: number): ManifestRow {
    const written: WrittenOption[] = [];
    const problems: OptionProblem[] = [];
    for (const { name, where: nameWhere, value } of this.members()) {
      const where = this.#at(value.offset);
      const values = value.text === '[' && takesList(name) ? this.singles() : undefined;
      if (values) written.push({ name, value: values, where, nameWhere });
      else if (value.text === '{' || value.text === '[') problems.push(notSingle(name, nameWhere));
      else written.push({ name, value: JSON.parse(value.text), where, nameWhere });
      if (!values) this.skip(value);
    }
    return { where: this.#at(offset), written, problems };
  }

  /** The rest of a list of single values; null stands for one that is not. */
  singles(): unknown[] {
    const values: unknown[] = [];
    for (let item = this.next(); item.text !== ']' && item.text !== ''; item = this.next()) {
      if (item.text === ',') continue;
      const nested = item.text === '{' || item.text === '[';
      values.push(nested ? null : JSON.parse(item.text));
      this.skip(item);
    }
    return values;
  }

  /** To the end of a value whose first token has been read. */
  skip(first: Token): void {
    let depth = 0;
    for (let { text } = first; ; text = this.next().text) {
      if (text === '{' || text === '[') depth++;
      else if (text === '}' || text === ']') depth--;
      if (depth <= 0 || text === '') return;
    }
  }
}
