import { describe, expect, test } from 'vitest';
import { createWorkerPool, type WorkerPool } from '#dist/stages/pose/worker-pool.js';

const entry = new URL('./pool-worker.mjs', import.meta.url);
const start = (workerData: string, size: number, signal?: AbortSignal): Promise<WorkerPool<unknown, number>> =>
  createWorkerPool({ entry, workerData, size, task: 'doubling', signal });

describe('worker pool', () => {
  test('more questions than workers, each gets its own answer', async () => {
    await using pool = await start('work', 2);
    const questions = Array.from({ length: 25 }, (_, i) => i);
    expect(await Promise.all(questions.map((question) => pool.ask(question)))).toEqual(questions.map((q) => 2 * q));
  });

  test('a question that fails is an error of its own; the worker goes on', async () => {
    await using pool = await start('work', 1);
    const [failed, good] = await Promise.allSettled([pool.ask('fail'), pool.ask(4)]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'pose.detection-failed' } });
    expect(String((failed as PromiseRejectedResult).reason)).toContain('not this one');
    expect(good).toMatchObject({ value: 8 });
  });

  test.each([
    ['throw', /a worker failed: struck/],
    ['exit', /ended early with code 7/],
  ])('a worker that dies (%s) ends everything asked then and later, with the reason', async (how, reason) => {
    await using pool = await start('work', 2);
    const asked = await Promise.allSettled([pool.ask('silence'), pool.ask(how), pool.ask(1), pool.ask(2)]);
    for (const result of asked) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'pose.worker-crashed', kind: 'internal' } });
      expect(String((result as PromiseRejectedResult).reason)).toMatch(reason);
    }
    await expect(pool.ask(3)).rejects.toThrow(reason);
  });

  test.each([
    ['throw at start', /no luck/],
    ['exit at start', /code 3/],
  ])('a worker that cannot start (%s) is an error', async (how, reason) => {
    await expect(start(how, 2)).rejects.toThrow(reason);
  });

  test('cancelling: before, while starting, while working', async () => {
    await expect(start('work', 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'pose.interrupted' });

    const starting = new AbortController();
    const never = start('never ready', 1, starting.signal);
    starting.abort();
    await expect(never).rejects.toMatchObject({ code: 'pose.interrupted', kind: 'interrupted' });

    const working = new AbortController();
    await using pool = await start('work', 1, working.signal);
    const asked = Promise.allSettled([pool.ask('silence'), pool.ask(1)]);
    working.abort();
    for (const result of await asked) expect(result).toMatchObject({ reason: { code: 'pose.interrupted' } });
  });

  test('after its end it says so', async () => {
    const pool = await start('work', 1);
    await pool[Symbol.asyncDispose]();
    await expect(pool.ask(1)).rejects.toMatchObject({ code: 'pose.closed' });
  });
});
