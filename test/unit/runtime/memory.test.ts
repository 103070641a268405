import { totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { chooseResidency, freeMemory } from '#dist/models/runtime/memory.js';

const GiB = 1024 ** 3;

it('holds weights fast where their peak fits', () => {
  expect(chooseResidency('auto', 3 * GiB, 12 * GiB)).toBe('fast');
  expect(chooseResidency('auto', 3 * GiB, 10 * GiB)).toBe('low-memory');
  expect(chooseResidency('auto', 0.03 * GiB, 4 * GiB)).toBe('fast');
});

it('does as it is told', () => {
  expect(chooseResidency('fast', 30 * GiB, GiB)).toBe('fast');
  expect(chooseResidency('low-memory', 1, 64 * GiB)).toBe('low-memory');
});

it('finds some free memory, less than there is', () => {
  expect(freeMemory()).toBeGreaterThan(0);
  expect(freeMemory()).toBeLessThanOrEqual(totalmem());
});
