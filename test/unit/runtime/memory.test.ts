import { totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { freeMemory } from '#dist/models/runtime/memory.js';

it('finds some free memory, less than there is', () => {
  expect(freeMemory()).toBeGreaterThan(0);
  expect(freeMemory()).toBeLessThanOrEqual(totalmem());
});
