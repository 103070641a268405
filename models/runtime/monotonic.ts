/** Milliseconds of a clock that never goes back and is the same in all processes and threads of the machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A stretch of time on that clock. */
export type Span = { readonly startMs: number; readonly endMs: number };
