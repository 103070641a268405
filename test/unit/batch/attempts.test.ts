import { expect, it, vi } from 'vitest';
import { PantomimeError } from '#dist/models/errors.js';
import { attempt } from '#dist/pipeline/batch/attempts.js';
import { backOffMs, faultOf, smallerPlan } from '#dist/pipeline/batch/faults.js';
import { optionsFrom } from '#dist/pipeline/options/resolve.js';

const options = optionsFrom({ image: 'a.png', video: 'b.mp4', residency: 'fast' });
const error = (
  code: string,
  kind: 'input' | 'device' | 'internal' | 'ffmpeg' | 'interrupted',
  what = 'x',
  got?: string,
) => new PantomimeError({ code, kind, what, got });

it.each([
  [error('engine.crashed', 'device'), false, 'passing'],
  [error('engine.crashed', 'device'), true, 'memory'],
  [error('engine.run', 'device', 'Failed to allocate memory for requested buffer'), false, 'memory'],
  [error('engine.run', 'device', 'shapes do not match'), false, 'lasting'],
  [error('pose.worker-crashed', 'internal'), false, 'passing'],
  [error('output.no-space', 'input'), false, 'passing'],
  [error('ffmpeg.failed', 'ffmpeg', 'x', 'no exit code (ended by a signal or never started)'), false, 'passing'],
  [error('ffmpeg.failed', 'ffmpeg', 'x', 'exit code 1'), false, 'lasting'],
  [error('video.not-media', 'input'), false, 'lasting'],
  [error('internal', 'internal'), false, 'lasting'],
] as const)('%s (out of memory: %s) is %s', (thrown, outOfMemory, fault) => {
  expect(faultOf(thrown, outOfMemory)).toBe(fault);
});

it('a smaller plan saves memory first where the picture stays the same, then by smaller windows, then not at all', () => {
  const first = smallerPlan(options, true)!;
  expect(first.options).toMatchObject({ residency: 'low-memory', decodeChunk: 4, chunk: 24 });
  const chunks: number[] = [];
  for (let plan = smallerPlan(first.options, true); plan; plan = smallerPlan(plan.options, true)) {
    expect(plan.options.overlap).toBeLessThan(plan.options.chunk);
    chunks.push(plan.options.chunk);
  }
  expect(chunks).toEqual([12, 6, 3]);
});

it('pauses grow and stay bounded', () => {
  expect([1, 2, 3, 20].map(backOffMs)).toEqual([1_000, 2_000, 4_000, 30_000]);
});

it('tries again what may pass, in a smaller plan for want of memory, and not what lasts', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 500 });
  const run = async (thrown: Error, retries: number, signal?: AbortSignal) => {
    const tried: unknown[] = [];
    const told: unknown[] = [];
    const ended = await attempt(
      { options, retries, onCpu: true, signal, onRetry: (retry) => told.push(retry) },
      async ({ residency, chunk }) => {
        tried.push(`${residency} ${chunk}`);
        throw thrown;
      },
    );
    return { ended, tried, told };
  };
  const passing = await run(error('engine.crashed', 'device'), 1);
  expect(passing.tried).toEqual(['fast 24', 'fast 24']);
  expect(passing.ended).toMatchObject({
    ok: false,
    attempts: 2,
    interrupted: false,
    error: { code: 'engine.crashed' },
  });
  const memory = await run(error('engine.run', 'device', 'bad_alloc'), 2);
  expect(memory.tried).toEqual(['fast 24', 'low-memory 24', 'low-memory 12']);
  expect(memory.told).toMatchObject(
    [
      { attempt: 1, smaller: /read in place/ },
      { attempt: 2, smaller: /windows of 12/ },
    ].map(({ attempt, smaller }) => ({ attempt, smaller: expect.stringMatching(smaller) })),
  );
  expect((await run(error('video.not-media', 'input'), 5)).tried).toHaveLength(1);
  const interrupted = error('run.interrupted', 'interrupted');
  expect((await run(interrupted, 5, AbortSignal.abort())).ended).toMatchObject({ interrupted: true, attempts: 1 });
  // Where nobody has ended the batch, a clip that did not come to its end has failed.
  expect((await run(interrupted, 5)).ended).toMatchObject({ interrupted: false, attempts: 1 });
  vi.useRealTimers();
});
