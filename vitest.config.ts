import { defineConfig } from 'vitest/config';

/** One project per tier. Tests import the built package (`#dist/...`), so they check what ships. */
const tiers = ['unit', 'graph', 'parity', 'golden', 'media', 'e2e'];

export default defineConfig({
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: tiers.map((tier) => ({
      test: {
        name: tier,
        include: [`test/${tier}/**/*.test.ts`],
        pool: 'forks' as const,
        // As in the engine: tests of graphs load onnxruntime themselves.
        env: { ORT_DISABLE_TELEMETRY: '1' },
        testTimeout: 120_000,
        hookTimeout: 120_000,
      },
    })),
  },
});
