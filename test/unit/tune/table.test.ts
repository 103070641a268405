import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cellsOf } from '#dist/pipeline/cli/cells.js';
import { tuneTable } from '#dist/pipeline/cli/tune-table.js';
import type { Cell } from '#dist/pipeline/tune/types.js';
import { madeUpSweep } from '../../support/made-up-sweep.js';

const linesOf = (text: string) => text.trimEnd().split('\n');

describe('table of a sweep', () => {
  const result = madeUpSweep();
  const lines = linesOf(tuneTable(result, { color: false }));

  it('has a row a cell, the best score first, within 100 columns', () => {
    const rows = lines.filter((line) => /^[★◆ ] \d+\/\d+ /.test(line));
    expect(rows).toHaveLength(result.cells.length);
    const scores = rows.flatMap((row) => /^..\S+ +(\d\.\d\d) /.exec(row)?.[1] ?? []).map(Number);
    expect(scores).toHaveLength(result.cells.filter(({ state }) => state === 'done').length);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    for (const line of lines.filter((text) => /\d\/\d/.test(text))) expect(cellsOf(line)).toBeLessThanOrEqual(100);
  });
  it('stands in columns', () => {
    const [row, ...rows] = lines.filter((line) => /^[★◆ ] \d+\/\d+ +\d\.\d\d/.test(line)) as [string, ...string[]];
    for (const other of rows) expect(other.length).toBe(row.length);
    expect(lines[1]).toHaveLength(row.length);
  });
  it('marks the recommended cell and the front, and says why others have no numbers', () => {
    expect(lines.filter((line) => line.startsWith('★ '))).toHaveLength(2);
    const front = result.cells.filter(({ onFront }) => onFront).length;
    expect(lines.filter((line) => /^◆ \d/.test(line))).toHaveLength(front - 1);
    expect(lines.find((line) => line.startsWith('  24/2'))).toContain('left out: slower and worse than 16/4');
    expect(lines.find((line) => line.startsWith('  8/8'))).toContain('not run: overlap 8 is more than half of chunk 8');
    for (const reason of result.recommendation?.reasons ?? []) expect(lines).toContain(reason);
  });
  it('leaves out what matters least where there is no room, and says so', () => {
    const narrow = linesOf(tuneTable(result, { color: false, columns: 60 }));
    for (const line of narrow.filter((text) => /^[★◆ ] \d+\/\d+ +\d\.\d\d/.test(text))) {
      expect(cellsOf(line)).toBeLessThanOrEqual(60);
    }
    expect(narrow.some((line) => line.startsWith('not shown for want of room: '))).toBe(true);
    expect(narrow.slice(0, 2).join(' ')).toContain('ratio');
  });
  it('paints without changing the text', () => {
    const colored = tuneTable(result, { color: true });
    expect(colored).toContain('\u001b[');
    expect(stripVTControlCharacters(colored)).toBe(tuneTable(result, { color: false }));
  });
  it('lets no text of others redraw the terminal', () => {
    const evil = 'x\u001b[2J\n\u202ey';
    const cells = result.cells.map(
      (cell): Cell => ({ ...cell, why: evil, state: 'failed', values: {}, runs: [], score: undefined }),
    );
    const text = tuneTable({ ...result, cells }, { color: false });
    for (const letter of ['\u001b', '\u202e']) expect(text).not.toContain(letter);
    expect(linesOf(text).filter((line) => /^ {2}\d/.test(line))).toHaveLength(cells.length);
  });
  it('shows runs that are compared by their names', () => {
    const one = result.cells.find(({ state }) => state === 'done') as Cell;
    const cells = ['flat out', 'linear'].map((id): Cell => ({ ...one, id, score: undefined, onFront: undefined }));
    const text = tuneTable({ ...result, kind: 'compare', cells, recommendation: undefined }, { color: false });
    expect(text).toMatch(/^ {2}flat out +3\.\d/m);
    expect(text).not.toContain('score');
  });
});
