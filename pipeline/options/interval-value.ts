import type { GuidanceInterval } from '../../models/schedule/guidance.js';

/** `LO..HI`, `LO..` or `..HI`, in noise levels; undefined when it is none. */
export function parseInterval(value: string): GuidanceInterval | undefined {
  const [, low, high] = /^(\d{1,6}(?:\.\d{1,9})?)?\.\.(\d{1,6}(?:\.\d{1,9})?)?$/.exec(value) ?? [];
  if (low === undefined && high === undefined) return undefined;
  const interval = { low: Number(low ?? 0), high: Number(high ?? Number.POSITIVE_INFINITY) };
  return interval.low < interval.high ? interval : undefined;
}
