import type { Figure, Table } from './bench.js';

/** Three significant digits, no exponents. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** Columns side by side: text to the left, numbers to the right. */
export function columns(rows: readonly (readonly string[])[], left: ReadonlySet<number>): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (left.has(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

export function figuresText(figures: readonly Figure[]): string {
  const head = ['part', 'what', 'median', 'min', 'max', 'n', 'unit', ''];
  const rows = figures.map(({ part, name, median, min, max, repeats, unit, note }) => [
    ...[part, name, short(median)],
    ...(repeats > 1 ? [short(min), short(max), String(repeats)] : ['', '', '']),
    ...[unit, note ?? ''],
  ]);
  return columns([head, ...rows], new Set([0, 1, 6, 7]));
}

export function tableText({ title, columns: head, rows }: Table): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? short(cell) : cell)));
  const left = new Set([...head.keys()].filter((i) => rows.every((row) => typeof row[i] === 'string')));
  return `${title}\n${columns([head, ...cells], left)}`;
}
