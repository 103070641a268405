import type { Finding, FindingState } from '../doctor/finding.js';
import { column, oneLine, type Paint, type Piece, painted } from './cells.js';

const paints: Readonly<Record<FindingState, Paint>> = {
  ok: 'green',
  missing: 'yellow',
  failed: 'red',
  'not needed': 'dim',
};
const stateCells = 'not needed'.length;

/** The findings for people: a heading for each area, a line for each finding, below it what to type. */
export function doctorTable(findings: readonly Finding[], { color }: { readonly color: boolean }): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const indent = ' '.repeat(2 + stateCells + 2);
  const areas = [...new Set(findings.map(({ area }) => area))];
  const lines = areas.flatMap((area): Piece[][] => [
    [[area, 'bold']],
    ...findings
      .filter((finding) => finding.area === area)
      .flatMap(({ name, state, found, fix }): Piece[][] => [
        [[`  ${column(state, stateCells)}`, paints[state]], [`  ${column(name, width)}  ${oneLine(found)}`]],
        ...(fix ? [[[`${indent}${fix}`, 'cyan'] as Piece]] : []),
      ]),
  ]);
  return lines.map((pieces) => `${painted(pieces, color).trimEnd()}\n`).join('');
}
