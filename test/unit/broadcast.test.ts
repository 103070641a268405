import { expect, it } from 'vitest';
import { broadcast } from '#dist/pipeline/broadcast.js';

function counter(limit: number) {
  const state = { pulled: 0, closed: false };
  async function* count() {
    try {
      for (let i = 0; i < limit; i++) {
        state.pulled++;
        yield i;
      }
    } finally {
      state.closed = true;
    }
  }
  return { state, source: count() };
}

it('gives every reader every item, and pulls no faster than the slowest', async () => {
  const { state, source } = counter(5);
  const [fast, slow] = broadcast(source, 2).map((reader) => reader[Symbol.asyncIterator]());
  const early = fast!.next();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(state.pulled).toBe(0);
  expect((await slow!.next()).value).toBe(0);
  expect((await early).value).toBe(0);
  expect(state.pulled).toBe(1);
});

it('goes on for the others when a reader stops, and closes the source with the last', async () => {
  const { state, source } = counter(5);
  const [a, b] = broadcast(source, 2);
  const first = (async () => {
    for await (const item of a!) if (item === 1) break;
  })();
  const seen: number[] = [];
  for await (const item of b!) {
    seen.push(item);
    if (item === 3) break;
  }
  await first;
  expect(seen).toEqual([0, 1, 2, 3]);
  expect(state.closed).toBe(true);
});

it('fails every reader when the source fails', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error('spilled');
  }
  const results = await Promise.allSettled(
    broadcast(broken(), 2).map(async (reader) => {
      for await (const _ of reader);
    }),
  );
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
});
