import type { Cell, CellSettings } from '../types.js';

/** Cells that differ in chunk and overlap only: what fits into one map. */
export type CellGroup = {
  /** What they have in common, as text. */
  readonly title: string;
  readonly cells: readonly Cell[];
  /** Ascending. */
  readonly chunks: readonly number[];
  readonly overlaps: readonly number[];
  /** Two cells have the same settings (runs that are compared), so that a map would hide one. */
  readonly ambiguous: boolean;
};

/** The groups of a sweep, in the order in which they appear. */
export function cellGroups(cells: readonly Cell[]): CellGroup[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = keyOf(cell.settings);
    const group = groups.get(key);
    if (group) group.push(cell);
    else groups.set(key, [cell]);
  }
  return [...groups.values()].map((members) => {
    const { fusion, steps } = (members[0] as Cell).settings;
    return {
      title: `${fusion} fusion, ${stepsOf({ steps })}`,
      cells: members,
      chunks: ascending(members.map(({ settings }) => settings.chunk)),
      overlaps: ascending(members.map(({ settings }) => settings.overlap)),
      ambiguous: new Set(members.map(({ settings }) => sizesOf(settings))).size < members.length,
    };
  });
}

/** `16/4`: chunk and overlap. */
export function sizesOf({ chunk, overlap }: Pick<CellSettings, 'chunk' | 'overlap'>): string {
  return `${chunk}/${overlap}`;
}

const stepsOf = ({ steps }: Pick<CellSettings, 'steps'>) => `${steps} ${steps === 1 ? 'step' : 'steps'}`;
const keyOf = ({ fusion, steps }: CellSettings) => `${fusion} ${steps}`;
const ascending = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);

/**
 * What people call a cell: `16/4` (chunk/overlap), and of fusion and steps whatever is not the same in all cells; the id
 * where that would name two cells. One for each cell, in their order.
 */
export function cellNames(cells: readonly Cell[]): string[] {
  const several = (of: (settings: CellSettings) => unknown) => new Set(cells.map((cell) => of(cell.settings))).size > 1;
  const fusions = several(({ fusion }) => fusion);
  const steps = several(({ steps }) => steps);
  const names = cells.map(({ settings }) =>
    [sizesOf(settings), fusions && settings.fusion, steps && stepsOf(settings)].filter(Boolean).join(', '),
  );
  return new Set(names).size < names.length ? cells.map(({ id }) => id) : names;
}
