import { CsvError, parse } from 'csv-parse/sync';
import type { WrittenOption } from '../options/layer.js';
import { type OptionProblem, showValue } from '../options/problem.js';
import { type ManifestRow, type ManifestRows, maxRows, syntaxProblem, tooManyRows } from './manifest-rows.js';

/** Longest row in bytes; bounds what an open quote can swallow. */
const maxRowBytes = 1024 * 1024;

type RawRecord = { readonly record: readonly string[]; readonly raw: string };

/**
 * Rows of a CSV text with a header. Empty cells are not given. Cells are parted by commas, or by the semicolons or tabs that
 * spreadsheets write in some countries, as the header shows.
 * @param label what the file is called in messages; @param columnProblems what is wrong with each column's name; bad columns are left
 * out of the rows.
 */
export function rowsFromCsv(
  text: string,
  label: string,
  columnProblems: (names: readonly string[], where: string) => readonly (readonly OptionProblem[])[],
): ManifestRows {
  let records: readonly RawRecord[];
  try {
    records = parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      raw: true,
      delimiter: delimiterOf(text),
      max_record_size: maxRowBytes,
      to: maxRows + 2,
    }) as unknown as readonly RawRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const what = error.message.replace(/ at line \d+.*$/s, '');
    return { rows: [], problems: [syntaxProblem(`${label}:${error.lines ?? 1}`, what, 'comma-separated values')] };
  }
  if (records.length > maxRows + 1) return { rows: [], problems: [tooManyRows(label)] };
  const numbered = withLines(records);
  const [header, ...body] = numbered;
  if (!header) return { rows: [], problems: [] };
  const headerAt = `${label}:${header.line}`;
  const columns = header.cells;
  const bad = columnProblems(columns, headerAt);
  const rows = body.map(({ cells, line }): ManifestRow => {
    const where = `${label}:${line}`;
    const written: WrittenOption[] = [];
    const problems: OptionProblem[] = [];
    cells.forEach((value, column) => {
      if (value === '') return;
      const name = columns[column];
      if (name === undefined || name === '') {
        const what = name === undefined ? 'more cells than columns' : 'a value in a column without a name';
        problems.push({ ...syntaxProblem(where, what), got: showValue(value) });
      } else if (bad[column]?.length === 0) {
        written.push({ name, value, where });
      }
    });
    return { where, written, problems };
  });
  return { rows, problems: bad.flat() };
}

/** The line each record begins at; a quoted cell may go over several, and empty lines lie between. */
function withLines(records: readonly RawRecord[]): { readonly cells: readonly string[]; readonly line: number }[] {
  let next = 1;
  return records.map(({ record, raw }) => {
    const blank = raw.slice(0, raw.length - raw.trimStart().length);
    const line = next + countLines(blank);
    next += countLines(raw);
    return { cells: record, line };
  });
}

function countLines(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

/** Of the marks that part cells, the one that the first line has most of. */
function delimiterOf(text: string): string {
  const first = /\S[^\r\n]{0,10000}/.exec(text)?.[0] ?? '';
  const count = (mark: string) => first.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}
