import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import type { WrittenOption } from '../options/layer.js';
import { takesList } from '../options/names.js';
import type { OptionProblem } from '../options/problem.js';
import {
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

/** Reading YAML takes a kilobyte of memory for each byte at worst. Longer lists are for CSV and JSON. */
export const maxYamlBytes = 1024 * 1024;

/**
 * Rows of a YAML text: a list of maps, or a map with such a list as `clips` and what lies below each as `defaults`. Aliases,
 * tags of one's own and merge keys are refused, so nothing can grow on expansion.
 * @param text at most `maxYamlBytes` long; @param label what the file is called in messages.
 */
export function rowsFromYaml(text: string, label: string): ManifestRows {
  const lines = new LineCounter();
  // Names given twice are found later, in every spelling; the library would compare each with all others.
  const doc = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: false, prettyErrors: false });
  const at = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${label}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  if (doc.errors.length > 0) {
    const shown = doc.errors.slice(0, 100);
    const problems = shown.map(({ pos, message }) =>
      syntaxProblem(at(pos[0]), message.split('\n', 1)[0] ?? 'not YAML'),
    );
    return { rows: [], problems };
  }
  const problems: OptionProblem[] = [];

  const entry = (map: YAMLMap): ManifestRow => {
    const written: WrittenOption[] = [];
    const wrong: OptionProblem[] = [];
    for (const { key, value } of map.items) {
      const nameWhere = at(startOf(key) ?? startOf(map));
      if (!isScalar(key)) wrong.push(syntaxProblem(nameWhere, 'the name of an option must be plain text'));
      else if (isSeq(value) && takesList(String(key.value)) && value.items.every((item) => isScalar(item)))
        written.push({ name: String(key.value), value: value.items.map(plainValue), where: nameWhere });
      else if (value !== null && !isScalar(value)) wrong.push(notSingle(String(key.value), nameWhere));
      else {
        const where = at(startOf(value) ?? startOf(key));
        written.push({ name: String(key.value), value: isScalar(value) ? value.value : null, where, nameWhere });
      }
    }
    return { where: at(startOf(map)), written, problems: wrong };
  };
  const list = (items: readonly unknown[]): ManifestRow[] => {
    if (items.length > maxRows) problems.push(tooManyRows(label));
    return items.slice(0, maxRows).flatMap((item) => {
      if (isMap(item)) return [entry(item)];
      problems.push(notAClip(at(startOf(item))));
      return [];
    });
  };

  if (isSeq(doc.contents)) return { rows: list(doc.contents.items), problems };
  if (!isMap(doc.contents)) return { rows: [], problems: [noClips(label)] };
  let rows: readonly ManifestRow[] | undefined;
  let defaults: ManifestRow | undefined;
  for (const { key, value } of doc.contents.items) {
    const name = isScalar(key) ? key.value : undefined;
    if (name === 'clips' && !rows && isSeq(value)) rows = list(value.items);
    else if (name === 'defaults' && !defaults && isMap(value)) defaults = entry(value);
    else problems.push(strangePart(String(name), at(startOf(key))));
  }
  if (rows === undefined && problems.length === 0) problems.push(noClips(label));
  return { rows: rows ?? [], defaults, problems };
}

function plainValue(node: unknown): unknown {
  return isScalar(node) ? node.value : null;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}
