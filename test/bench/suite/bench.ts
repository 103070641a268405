import { type Spread, spread } from './spread.js';

/** A measured or counted quantity. */
export type Figure = Spread & {
  readonly part: string;
  readonly name: string;
  readonly unit: string;
  /** How to read it. */
  readonly note?: string | undefined;
};

/** A table that is no figure, e.g. an operator profile. */
export type Table = {
  readonly part: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
};

/** What every part is given. */
export type Bench = {
  /** Shorter ladders and fewer repeats: for a look, not for a document. */
  readonly quick: boolean;
  /** A temporary folder, gone afterwards. */
  readonly folder: string;
  /** Repeats of a measurement. */
  readonly rounds: number;
  /** Computing threads of every engine, and of the peer. */
  readonly threads: number;
  /** A Python with torch and safetensors; undefined: no peer. */
  readonly python: string | undefined;
  /** An allocator library that the peer is timed with as well. */
  readonly allocator: string | undefined;
  /** Notes a figure: values of all repeats, or one that was counted. */
  readonly figure: (name: string, unit: string, values: number | readonly number[], note?: string) => void;
  readonly table: (table: Omit<Table, 'part'>) => void;
};

export type Part = {
  readonly name: string;
  /** Seconds on two cores of 2022, quick and whole: for the estimate of what is left. */
  readonly seconds: readonly [quick: number, whole: number];
  readonly run: (bench: Bench) => Promise<void>;
};

/** Where figures and tables go. */
export type Results = { readonly figures: Figure[]; readonly tables: Table[] };

/** The part's own notebook. */
export function notebook({ figures, tables }: Results, part: string): Pick<Bench, 'figure' | 'table'> {
  return {
    figure: (name, unit, values, note) =>
      figures.push({ part, name, unit, ...spread(typeof values === 'number' ? [values] : values), note }),
    table: (table) => tables.push({ part, ...table }),
  };
}
