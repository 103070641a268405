import type { WrittenOption } from '../options/layer.js';
import { type OptionProblem, showValue } from '../options/problem.js';

/** One clip as it stands in a manifest. */
export type ManifestRow = {
  /** Where it begins: `clips.csv:12`. */
  readonly where: string;
  readonly written: readonly WrittenOption[];
  /** What could not even be read. */
  readonly problems: readonly OptionProblem[];
};

/** A manifest as it stands in its file; no name has been understood yet, no value checked. */
export type ManifestRows = {
  readonly rows: readonly ManifestRow[];
  /** What lies below every row. */
  readonly defaults?: ManifestRow | undefined;
  readonly problems: readonly OptionProblem[];
};

/** Most clips of a manifest. */
export const maxRows = 100_000;

export function tooManyRows(label: string): OptionProblem {
  return { code: 'batch.too-many', where: label, what: 'too many clips', expected: `at most ${maxRows}` };
}

export function syntaxProblem(where: string, what: string, expected?: string): OptionProblem {
  return { code: 'batch.manifest-syntax', where, what, expected };
}

/** Finds line and column, from 1, of an offset. */
export function lineFinder(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

export function noClips(label: string): OptionProblem {
  return syntaxProblem(label, 'there is no list of clips', 'a list, or an object with a list named clips');
}

export function notAClip(where: string): OptionProblem {
  return syntaxProblem(where, 'this is not a clip', 'names with values: video, image, ...');
}

export function strangePart(name: string, where: string): OptionProblem {
  return { ...syntaxProblem(where, 'this does not belong here', 'clips and defaults'), got: showValue(name) };
}

export function notSingle(name: string, where: string): OptionProblem {
  return syntaxProblem(where, `${showValue(name)} must be a single value`, 'text, a number, true or false');
}
