import { describe, expect, it } from 'vitest';
import { engineUse, useWithin } from '#dist/pipeline/timeline/engine-use.js';
import { mergeClosest, spanList } from '#dist/pipeline/timeline/span-list.js';
import { createTimeline, type LaneRecord, maxSpans } from '#dist/pipeline/timeline/timeline.js';

const span = (name: string, startMs: number, endMs: number) => ({
  ...{ name, startMs, endMs },
  ...{ busyMs: endMs - startMs, count: 1 },
});
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('spans', () => {
  it('are merged where the gap is shortest, and no work is lost', () => {
    const spans = [span('a', 0, 10), span('a', 11, 20), span('a', 50, 60), span('a', 62, 70), span('a', 100, 110)];
    expect(mergeClosest(spans, 5)).toEqual(spans);
    expect(mergeClosest(spans, 4).map(({ startMs, endMs, count }) => [startMs, endMs, count])).toEqual([
      [0, 20, 2],
      [50, 60, 1],
      [62, 70, 1],
      [100, 110, 1],
    ]);
    const two = mergeClosest(spans, 2);
    expect(two.map(({ startMs, endMs, busyMs, count }) => [startMs, endMs, busyMs, count])).toEqual([
      [0, 70, 37, 4],
      [100, 110, 10, 1],
    ]);
  });

  it('of one name are merged first; then any, by the name of the longer', () => {
    const spans = [span('a', 0, 10), span('b', 10, 11), span('b', 30, 31), span('a', 31, 50)];
    expect(mergeClosest(spans, 3).map(({ name, count }) => [name, count])).toEqual([
      ['a', 1],
      ['b', 2],
      ['a', 1],
    ]);
    expect(mergeClosest(spans, 1)).toEqual([{ name: 'a', startMs: 0, endMs: 50, busyMs: 31, count: 4 }]);
  });

  it('of a long run need no more room than those of a short one, and the totals stay exact', () => {
    const list = spanList(10);
    for (let i = 0; i < 10_000; i++)
      list.add(i % 3 === 0 ? 'odd' : 'even', { startMs: 10 * i, endMs: 10 * i + 1 + (i % 2) });
    const spans = list.spans(10);
    expect(spans.length).toBeLessThanOrEqual(10);
    expect(sum(spans.map(({ count }) => count))).toBe(10_000);
    expect(sum(spans.map(({ busyMs }) => busyMs))).toBe(15_000);
    expect([spans[0]?.startMs, spans.at(-1)?.endMs]).toEqual([0, 99_992]);
    for (const [i, { startMs }] of spans.entries()) expect(startMs).toBeGreaterThanOrEqual(spans[i - 1]?.endMs ?? 0);
    expect(list.totals().get('odd')).toEqual({ count: 3334, busyMs: 5001, leastMs: 1, mostMs: 2 });
  });

  it('of countless names count together', () => {
    const list = spanList(4);
    for (let i = 0; i < 1000; i++) list.add(`network ${i}`, { startMs: i, endMs: i + 1 });
    expect(list.totals().size).toBeLessThanOrEqual(65);
    expect(sum([...list.totals().values()].map(({ count }) => count))).toBe(1000);
  });
});

describe("the engine's use", () => {
  const lane: LaneRecord = {
    spans: [
      ['load unet-step', 100, 200, 100, 1],
      ['unet-step', 300, 500, 200, 1],
      // Two runs with a pause of 100 ms, drawn together.
      ['unet-step', 600, 1000, 300, 2],
      ['release unet-step', 1000, 1100, 100, 1],
    ],
    totals: {},
  };

  it('is computing, preparing and idle, from the first call to the last', () => {
    expect(engineUse([lane])).toEqual({
      ...{ startMs: 100, endMs: 1100, computingMs: 500, preparingMs: 200, idleMs: 300, idleShare: 0.3 },
    });
    expect(engineUse([])).toBeUndefined();
    expect(engineUse(undefined)).toBeUndefined();
  });

  it('within a stage counts what lies in it', () => {
    expect(useWithin([lane], { startMs: 0, endMs: 100 })).toMatchObject({ computingMs: 0, idleMs: 100, idleShare: 1 });
    expect(useWithin([lane], { startMs: 400, endMs: 800 })).toEqual({
      ...{ computingMs: 250, preparingMs: 0, idleMs: 150, idleShare: 0.375 },
    });
  });
});

describe('a time line', () => {
  it('counts from the begin of the run, a lane for each who works, and is bounded', () => {
    const timeline = createTimeline(1000);
    for (let i = 0; i < 3 * maxSpans; i++)
      timeline.add('pose', 'poses', { startMs: 1000 + 10 * i, endMs: 1004 + 10 * i }, i % 4);
    const { pose = [] } = timeline.record();
    expect(pose).toHaveLength(4);
    expect(sum(pose.map(({ spans }) => spans.length))).toBeLessThanOrEqual(maxSpans);
    expect(pose[1]?.spans[0]?.slice(0, 2)).toEqual(['poses', 10]);
    expect(pose[0]?.totals.poses).toEqual({ count: 768, busyMs: 3072, leastMs: 4, mostMs: 4 });
    expect(JSON.stringify(timeline.record()).length).toBeLessThan(60 * maxSpans);
  });

  it('notes how long items were waited for, not how long they were used', async () => {
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const timeline = createTimeline(0);
    async function* items() {
      for (let i = 0; i < 2; i++) {
        await pause(30);
        yield i;
      }
    }
    const seen: number[] = [];
    for await (const item of timeline.waiting('read', 'video', items())) {
      seen.push(item);
      await pause(120);
    }
    expect(seen).toEqual([0, 1]);
    const [first, second] = timeline.record().read?.[0]?.spans ?? [];
    expect((second?.[1] ?? 0) - (first?.[2] ?? 0)).toBeGreaterThan(110);
    expect(timeline.measure('draw', 'picture', () => 7)).toBe(7);
    expect(timeline.record().draw?.[0]?.totals.picture?.count).toBe(1);
  });
});
