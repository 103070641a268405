import type { Engine } from '../../models/runtime/engine.js';
import { monotonicMs, type Span } from '../../models/runtime/monotonic.js';
import { type SpanList, type SpanTotal, spanList } from './span-list.js';

/**
 * Who is at work in a run. `read`: waiting for pictures of a video; `pose`: looking for people; `draw`: the main process makes
 * pictures; `engine`: its calls; `step`: the denoising as it is seen from outside; `encode`: ffmpeg takes pictures.
 */
export const rowNames = ['read', 'pose', 'draw', 'engine', 'step', 'encode'] as const;

export type RowName = (typeof rowNames)[number];

/** Somebody who does one thing after another: a worker, the engine, an encoder. Times count from the begin of the run. */
export type LaneRecord = {
  /** name, start, end, milliseconds of work between them, stretches of work */
  readonly spans: readonly (readonly [string, number, number, number, number])[];
  readonly totals: Readonly<Record<string, SpanTotal>>;
};

export type TimelineRecord = Readonly<Partial<Record<RowName, readonly LaneRecord[]>>>;

/** Who did what when, in bounded memory. */
export type Timeline = {
  /** The begin of the run on the machine's clock. */
  readonly zeroMs: number;
  /** @param lane which of several who do the same */
  add(row: RowName, name: string, span: Span, lane?: number): void;
  /** Does `work` and notes when. */
  measure<T>(row: RowName, name: string, work: () => T): T;
  /** Notes how long each item was waited for. */
  waiting<T>(row: RowName, name: string, items: AsyncIterable<T>, lane?: number): AsyncIterable<T>;
  /** Notes everything that engines do until it is disposed of. */
  watch(...engines: readonly Engine[]): Disposable;
  record(): TimelineRecord;
};

/** Most stretches of one row in a record. */
export const maxSpans = 1024;
const maxNameLength = 80;

export function createTimeline(zeroMs: number): Timeline {
  const rows = new Map<RowName, SpanList[]>();
  const add: Timeline['add'] = (row, name, span, lane = 0) => {
    const lanes = rows.get(row) ?? [];
    rows.set(row, lanes);
    for (let i = lanes.length; i <= lane; i++) lanes.push(spanList(maxSpans));
    lanes[lane]?.add(name.slice(0, maxNameLength), { startMs: span.startMs - zeroMs, endMs: span.endMs - zeroMs });
  };
  return {
    zeroMs,
    add,
    measure(row, name, work) {
      const startMs = monotonicMs();
      const result = work();
      add(row, name, { startMs, endMs: monotonicMs() });
      return result;
    },
    async *waiting(row, name, items, lane) {
      let startMs = monotonicMs();
      for await (const item of items) {
        add(row, name, { startMs, endMs: monotonicMs() }, lane);
        yield item;
        startMs = monotonicMs();
      }
    },
    watch(...engines) {
      const stops = engines.map((engine, lane) =>
        engine.watch(({ call, graph, ...span }) => {
          add('engine', call === 'run' ? graph : `${call} ${graph}`, span, lane);
        }),
      );
      return {
        [Symbol.dispose]: () => {
          for (const stop of stops) stop();
        },
      };
    },
    record() {
      const record: Partial<Record<RowName, LaneRecord[]>> = {};
      for (const [row, lanes] of rows) record[row] = lanes.map((lane) => laneRecord(lane, maxSpans / lanes.length));
      return record;
    },
  };
}

function laneRecord(list: SpanList, limit: number): LaneRecord {
  const totals = [...list.totals()].map(([name, { count, busyMs, leastMs, mostMs }]): [string, SpanTotal] => [
    name,
    { count, busyMs: rounded(busyMs), leastMs: rounded(leastMs), mostMs: rounded(mostMs) },
  ]);
  return {
    spans: list
      .spans(Math.max(1, Math.floor(limit)))
      .map(
        ({ name, startMs, endMs, busyMs, count }) => [name, ...[startMs, endMs, busyMs].map(rounded), count] as never,
      ),
    totals: Object.fromEntries(totals),
  };
}

const rounded = (ms: number) => Math.round(ms * 100) / 100;
