import type { Span } from '../../models/runtime/monotonic.js';

/** Work of one name; of several stretches where there were too many to keep: then `busyMs` is less than it is long. */
export type MergedSpan = Span & { readonly name: string; readonly busyMs: number; readonly count: number };

/** All stretches of one name; exact, whatever was merged. */
export type SpanTotal = {
  readonly count: number;
  readonly busyMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
};

export type SpanList = {
  /** Stretches come in the order of time and do not overlap. */
  add(name: string, span: Span): void;
  /** At most `limit` of them. */
  spans(limit: number): readonly MergedSpan[];
  totals(): ReadonlyMap<string, SpanTotal>;
};

/** Names are of our own making, but for a file's: more of them than this count together. */
const maxNames = 64;
const otherName = 'other';

/**
 * Stretches of time of somebody who does one thing after another. Never more than twice `limit` are kept: those that lie
 * closest together are drawn together first.
 */
export function spanList(limit: number): SpanList {
  let kept: MergedSpan[] = [];
  const totals = new Map<string, SpanTotal>();
  return {
    add(given, span) {
      const name = totals.has(given) || totals.size < maxNames ? given : otherName;
      const busyMs = span.endMs - span.startMs;
      const before = totals.get(name);
      totals.set(name, {
        count: (before?.count ?? 0) + 1,
        busyMs: (before?.busyMs ?? 0) + busyMs,
        leastMs: Math.min(before?.leastMs ?? busyMs, busyMs),
        mostMs: Math.max(before?.mostMs ?? busyMs, busyMs),
      });
      kept.push({ ...span, name, busyMs, count: 1 });
      if (kept.length >= 2 * limit) kept = mergeClosest(kept, limit);
    },
    spans: (most) => mergeClosest(kept, most),
    totals: () => totals,
  };
}

/** At most `limit` spans: neighbours of one name are merged, those with the shortest gap first; then any neighbours. */
export function mergeClosest<T extends MergedSpan>(spans: readonly T[], limit: number): T[] {
  if (spans.length <= limit) return [...spans];
  const ofOneName = mergeWhere(spans, spans.length - limit, (a, b) => a.name === b.name);
  return mergeWhere(ofOneName, ofOneName.length - limit, () => true);
}

function mergeWhere<T extends MergedSpan>(spans: readonly T[], wanted: number, allowed: (a: T, b: T) => boolean): T[] {
  const gap = (a: T, b: T) => b.startMs - a.endMs;
  const gaps = spans.flatMap((b, i) => {
    const a = spans[i - 1];
    return a && allowed(a, b) ? [gap(a, b)] : [];
  });
  const widest = gaps.sort((a, b) => a - b)[Math.min(wanted, gaps.length) - 1];
  const merged: T[] = [];
  let left = wanted;
  for (const span of spans) {
    const last = merged.at(-1);
    if (last && widest !== undefined && left > 0 && allowed(last, span) && gap(last, span) <= widest) {
      merged[merged.length - 1] = together(last, span);
      left--;
    } else merged.push(span);
  }
  return merged;
}

/** Goes by the name of the one that is more work. */
function together<T extends MergedSpan>(a: T, b: T): T {
  const longer = a.busyMs >= b.busyMs ? a : b;
  return {
    ...longer,
    ...{ startMs: a.startMs, endMs: b.endMs },
    ...{ busyMs: a.busyMs + b.busyMs, count: a.count + b.count },
  };
}
