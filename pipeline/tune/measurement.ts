import { readJson, writeAtomic } from '../files.js';
import type { CellRun } from './types.js';

/** Rises when metrics change, so that numbers of two kinds are never compared. */
export const measurementVersion = 1;

export type Measurement = {
  /** Hash of everything the run was made from. */
  readonly key: string;
  readonly run: CellRun;
};

/** Written whole or not at all: a run with this file is done. */
export function writeMeasurement(file: string, measurement: Measurement): Promise<void> {
  return writeAtomic(file, `${JSON.stringify({ version: measurementVersion, ...measurement })}\n`);
}

/** undefined when there is none, or it is damaged. */
export async function readMeasurement(file: string): Promise<Measurement | undefined> {
  const read = (await readJson(file)) as (Partial<Measurement> & { version?: unknown }) | undefined;
  if (typeof read?.key !== 'string' || !read.run?.values) return undefined;
  return withUndefined({ key: read.key, run: read.run }) as Measurement;
}

/** JSON knows no undefined and writes null in lists; what is read has the same form as what was measured. */
function withUndefined(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(withUndefined);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withUndefined(inner)]));
}
