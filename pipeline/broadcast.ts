/**
 * One source for several readers in step: the next item is pulled when every reader has asked for it, so nothing piles up
 * and the slowest reader sets the pace. A reader that stops is no longer waited for; the source is closed with the last.
 */
export function broadcast<T>(source: AsyncIterable<T>, readers: number): AsyncIterable<T>[] {
  const iterator = source[Symbol.asyncIterator]();
  const active = new Set(Array.from({ length: readers }, (_, reader) => reader));
  type Waiting = { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void };
  const waiting = new Map<number, Waiting>();

  const pull = () => {
    if (waiting.size === 0 || waiting.size < active.size) return;
    const asked = [...waiting.values()];
    waiting.clear();
    iterator.next().then(
      (result) => {
        for (const { resolve } of asked) resolve(result);
      },
      (error: unknown) => {
        for (const { reject } of asked) reject(error);
      },
    );
  };

  return Array.from({ length: readers }, (_, reader) => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise<IteratorResult<T>>((resolve, reject) => {
          waiting.set(reader, { resolve, reject });
          pull();
        }),
      return: async () => {
        active.delete(reader);
        if (active.size === 0) await iterator.return?.();
        else pull();
        return { done: true, value: undefined };
      },
    }),
  }));
}
