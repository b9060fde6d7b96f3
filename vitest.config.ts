import { defineConfig } from 'vitest/config';

/** Most of what a test makes is dead when it ends. With room for it, collecting it takes half as long. Megabytes. */
const YOUNG_HEAP = ['--min-semi-space-size=32', '--max-semi-space-size=32'];
const inProcesses = {
  setupFiles: ['./test/support/setup.ts'],
  // Threads cannot have a young heap of their own size.
  pool: 'forks' as const,
  // The native core loads once per process, not once per file.
  isolate: false,
  execArgv: YOUNG_HEAP,
  // Far above what a test takes, which is seconds: a slow machine makes it slower, never red.
  testTimeout: 300_000,
  hookTimeout: 600_000,
  // A condition is awaited for as long as its test may take: a busy machine makes it late, never red.
  expect: { poll: { timeout: 60_000 } },
};
const withTemporal = { ...inProcesses, globalSetup: ['./test/support/temporal-global-setup.ts'] };

/** Files of the other projects that start whole processes, need other programs or play for a minute: `npm run test:system`. */
const system = [
  'test/{package,conformance,embedded,encryption,monitoring,nexus}/**/*.test.ts',
  'test/model/whole.test.ts',
  'test/cli/{demo,lost-worker,replay,encryption}.test.ts',
  'test/gateway/{alertmanager,compose-command,resilience}.test.ts',
  'test/gateway/senders/real-alertmanager.test.ts',
  'test/workflows/{killed-*,stop-under-load,rolling-update,worker-versions}.test.ts',
  'test/workflows/{doctor,metrics,temporal-cloud,two-projects}.test.ts',
];

/** Files that speak HTTP only: no Temporal server, no workflow bundle. */
const http = [
  'test/{simulator,servicestage,activities,notifications,health,codec-server}/**/*.test.ts',
  'test/gateway/senders/**/*.test.ts',
  'test/gateway/{alarms-file,refusals}.test.ts',
];

/**
 * Which command runs which project: `npm test` all but `system` and `chaos`, `npm run storms` `chaos`, and `npm run test:system` `system`
 * with the replay of what it left, but not of the recorded histories.
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/support/plain-reporter.ts'],
    // Twice the cores: half of the time of these files is waiting for cloud jobs of the simulator and for servers.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: 'unit',
          // Together: the rules keep the cores busy while what speaks HTTP waits for answers.
          include: ['test/{unit,model}/**/*.test.ts', ...http],
          exclude: system,
          ...inProcesses,
        },
      },
      {
        test: {
          name: 'temporal',
          include: ['test/{workflows,schedules,cli,gateway}/**/*.test.ts'],
          exclude: [...system, ...http],
          ...withTemporal,
        },
      },
      {
        test: {
          name: 'system',
          include: system,
          // No more than cores: these files keep them busy.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          ...withTemporal,
        },
      },
      // After `temporal` and `system`: every history that they left on the server is replayed.
      {
        test: {
          name: 'replay',
          include: ['test/replay/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          ...withTemporal,
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          // Limits of milliseconds, real processes and two cores: who shares them with other tests measures those.
          sequence: { groupOrder: 3 },
          fileParallelism: false,
          ...withTemporal,
        },
      },
    ],
  },
});
