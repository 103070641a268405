import { expect, it } from 'vitest';
import { steadyTimes } from '#dist/pipeline/tune/steady-times.js';
import type { CellRun } from '#dist/pipeline/tune/types.js';

const cell = (id: string, chunk: number, costFactor: number, ...seconds: (number | undefined)[]) => ({
  ...{ id, settings: { chunk, overlap: 2, fusion: 'flat' as const, steps: 4 } },
  runs: seconds.map(
    (secondsPerFrame) => ({ values: { costFactor, ...(secondsPerFrame && { secondsPerFrame }) } }) as CellRun,
  ),
});

it('takes the median time of a window over all runs of a chunk', () => {
  const times = steadyTimes([
    cell('a', 8, 1.25, 1, 1.1),
    cell('b', 8, 1.25, 5),
    cell('c', 8, 2.5, 2.2),
    cell('d', 16, 1.25, 3),
    cell('e', 24, 1.25, undefined),
  ]);
  expect(times.get('a')).toBeCloseTo(1.1, 9);
  expect(times.get('b')).toBe(times.get('a'));
  expect(times.get('c')).toBeCloseTo(2.2, 9);
  expect(times.get('d')).toBeCloseTo(3, 9);
  expect(times.has('e')).toBe(false);
});
