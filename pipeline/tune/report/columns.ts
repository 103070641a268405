import type { Cell, MetricInfo, MetricName, Spread, TuneResult } from '../types.js';

export type ColumnKey = MetricName | 'score';

/** A metric that some cell of a result has, or the score over all of them. */
export type Column = Omit<MetricInfo, 'name'> & {
  readonly key: ColumnKey;
  /** The cell's value in `unit`; undefined where it has none. */
  readonly of: (cell: Cell) => Spread | undefined;
};

/** What there is to show of a result's cells: the score first, then its metrics, without those that no cell has. */
export function columnsOf({ metrics, cells }: Pick<TuneResult, 'metrics' | 'cells'>): Column[] {
  const columns = [score, ...metrics.map(ofMetric)];
  return columns.filter((column) => cells.some((cell) => column.of(cell) !== undefined));
}

const score: Column = {
  ...{ key: 'score', title: 'Score', unit: '', better: 'higher', kind: 'quality' },
  meaning:
    'All quality metrics together: 0 is the worst of this sweep, 1 the best. It says nothing outside of it. Seams of cells with the same overlap are judged together, since a clip has few joints.',
  of: ({ score: mean, scoreDeviation: deviation }) => (known(mean) ? { mean, deviation } : undefined),
};

function ofMetric({ name, ...info }: MetricInfo): Column {
  // Bytes are for machines.
  const scale = name === 'peakMemoryBytes' ? 1e-9 : 1;
  return {
    ...info,
    unit: scale === 1 ? info.unit : 'GB',
    key: name,
    of: (cell) => {
      const spread = cell.values[name];
      // What has been through JSON has null where there is none.
      if (!spread || !known(spread.mean)) return undefined;
      return { mean: spread.mean * scale, deviation: known(spread.deviation) ? spread.deviation * scale : undefined };
    },
  };
}

const known = (value: number | undefined | null): value is number => typeof value === 'number' && !Number.isNaN(value);

/** `lower is better` or `higher is better`, with an arrow for the eye. */
export function directionOf({ better }: Pick<Column, 'better'>): string {
  return better === 'lower' ? '↓ lower is better' : '↑ higher is better';
}
