import type { Span } from '../../models/runtime/monotonic.js';
import type { LaneRecord } from './timeline.js';

/** What became of the time of the engines, of all together; the three parts are all of it. */
export type EngineUse = {
  /** Running graphs. */
  readonly computingMs: number;
  /** Preparing and freeing them. */
  readonly preparingMs: number;
  readonly idleMs: number;
  readonly idleShare: number;
};

/** From its first call to the end of its last; undefined when there was none. */
export function engineUse(lanes: readonly LaneRecord[] = []): (EngineUse & Span) | undefined {
  const spans = lanes.flatMap((lane) => lane.spans);
  if (spans.length === 0) return undefined;
  const startMs = Math.min(...spans.map(([, start]) => start));
  const endMs = Math.max(...spans.map(([, , end]) => end));
  return { startMs, endMs, ...useWithin(lanes, { startMs, endMs }) };
}

/** Within a stretch of time; work that was merged counts as spread evenly. */
export function useWithin(lanes: readonly LaneRecord[], { startMs, endMs }: Span): EngineUse {
  let [computingMs, preparingMs] = [0, 0];
  for (const { spans } of lanes) {
    for (const [name, from, to, busyMs] of spans) {
      const inside = Math.min(to, endMs) - Math.max(from, startMs);
      if (inside <= 0) continue;
      const ms = busyMs * (inside / (to - from));
      if (isPreparing(name)) preparingMs += ms;
      else computingMs += ms;
    }
  }
  const wholeMs = (endMs - startMs) * lanes.length;
  const idleMs = Math.max(0, wholeMs - computingMs - preparingMs);
  return { computingMs, preparingMs, idleMs, idleShare: wholeMs > 0 ? idleMs / wholeMs : 0 };
}

/** Whether a name of the engine's row is not that of a run. */
export function isPreparing(name: string): boolean {
  return name.startsWith('load ') || name.startsWith('release ');
}
