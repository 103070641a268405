import type { Value } from './graph.js';
import { concat, dim, slice } from './ops.js';

/** Rows of a part at least: fewer save nothing, and single ones are computed by another, less exact path of the runtime. */
const fewestRows = 32;

/** Rows of each of `parts` parts of `rows` rows, the last of which may be shorter. */
export function rowsOfPart(rows: number, parts = 1): number {
  return Math.min(rows, Math.max(fewestRows, Math.ceil(rows / parts)));
}

/** `compute` of every `rows` rows of x along `axis`, one part after the other, joined along the same axis. */
export function inParts(x: Value, axis: number, rows: number, compute: (part: Value) => Value): Value {
  const total = dim(x, axis);
  if (rows >= total) return compute(x);
  const parts: Value[] = [];
  for (let start = 0; start < total; start += rows)
    parts.push(compute(slice(x, axis, start, Math.min(start + rows, total))));
  return concat(parts, axis);
}
