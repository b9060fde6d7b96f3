import { defineConfig } from 'vitest/config';

const withTemporal = {
  pool: 'forks' as const,
  testTimeout: 120_000,
  hookTimeout: 600_000,
  globalSetup: ['./test/support/temporal-global-setup.ts'],
};

/** `unit`: pure rules, one shared context. `temporal`: files that load the native core, one process each. `chaos`: alone, after all others. */
export default defineConfig({
  test: {
    reporters: ['default', './test/support/plain-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          pool: 'threads',
          isolate: false,
        },
      },
      {
        test: {
          name: 'temporal',
          include: [
            'test/{simulator,servicestage,activities,workflows,schedules,replay,conformance,embedded,cli,package,gateway}/**/*.test.ts',
          ],
          ...withTemporal,
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          ...withTemporal,
          // Limits of milliseconds, real processes and two cores: who shares them with other tests measures those.
          sequence: { groupOrder: 1 },
          fileParallelism: false,
        },
      },
    ],
  },
});
