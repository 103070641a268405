import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { makeLayer, type OptionLayer, type WrittenOption } from './layer.js';
import { takesList } from './names.js';
import { type OptionProblem, optionsError } from './problem.js';

/** Longer than any list of options; bounds the time a hostile file can take. */
export const maxConfigBytes = 256 * 1024;

/**
 * Options from the text of a YAML (or JSON) file: one flat list of `name: value`, or the run.json of a run, whose options
 * are taken. Complaints name the line and column.
 * @param label what the file is called in messages; @param baseDir relative paths in it are meant from this folder.
 * @throws PantomimeError `config.syntax` when the text is not a flat YAML list of options.
 */
export function layerFromYaml(source: string, label: string, baseDir: string): OptionLayer {
  const lines = new LineCounter();
  // Merge keys and custom tags stay off; aliases are refused below, so nothing can grow on expansion.
  const doc = parseDocument(source, { lineCounter: lines, strict: true, uniqueKeys: true, prettyErrors: false });
  const at = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${label}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const [error] = doc.errors;
  if (error) throw syntax(at(error.pos[0]), error.message.split('\n', 1)[0] ?? 'not YAML');
  if (doc.contents === null) return { entries: new Map(), problems: [] };
  if (!isMap(doc.contents)) throw syntax(at(0), 'the file is not a list of options', 'name: value, one a line');

  const written: WrittenOption[] = [];
  const problems: OptionProblem[] = [];
  for (const { key, value } of optionsIn(doc.contents).items) {
    const nameWhere = at(isScalar(key) ? key.range?.[0] : undefined);
    if (!isScalar(key)) {
      problems.push({ code: 'config.syntax', where: nameWhere, what: 'the name of an option must be plain text' });
    } else if (isSeq(value) && takesList(String(key.value)) && value.items.every((item) => isScalar(item))) {
      const values = value.items.map((item) => (isScalar(item) ? item.value : null));
      written.push({ name: String(key.value), value: values, where: nameWhere });
    } else if (value !== null && !isScalar(value)) {
      problems.push({
        code: 'config.value',
        where: nameWhere,
        what: `${String(key.value)} must be a single value`,
        expected: 'text, a number, true or false',
      });
    } else {
      const valueAt = isScalar(value) && value.range ? at(value.range[0]) : nameWhere;
      written.push({ name: String(key.value), value: isScalar(value) ? value.value : null, where: valueAt, nameWhere });
    }
  }
  const layer = makeLayer(written, { baseDir, nameStyle: 'key' });
  return { entries: layer.entries, problems: [...problems, ...layer.problems] };
}

/** A run.json says which pantomime wrote it, and has the options in a list of their own. */
function optionsIn(contents: YAMLMap): YAMLMap {
  const options = contents.has('pantomime') ? contents.get('options') : undefined;
  return isMap(options) ? options : contents;
}

function syntax(where: string, what: string, expected?: string): Error {
  return optionsError([{ code: 'config.syntax', where, what, expected }]);
}
