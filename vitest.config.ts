import { defineConfig } from 'vitest/config';

/** `unit`: pure rules, one shared context. `temporal`: files that load the native core, one process each. */
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
          include: ['test/{simulator,servicestage,activities,workflows,replay,conformance,embedded,cli}/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 600_000,
          globalSetup: ['./test/support/temporal-global-setup.ts'],
        },
      },
    ],
  },
});
