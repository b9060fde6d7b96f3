/**
 * A test file's connection to the shared Temporal server. test/replay/every-history.test.ts replays the histories
 * that test files leave there.
 */
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { ClosableConnection } from '../../src/temporal/connection.js';
import { installQuietRuntime } from './quiet-runtime.js';
import { unobserved } from './unobserved.js';

/** The prefix of the task queues of test files, by which the replay at the end finds their workflows. */
export const TEST_QUEUE_PREFIX = 'test-';

export interface TestTemporal {
  readonly client: Client;
  readonly connection: NativeConnection;
  readonly address: string;
  readonly bundlePath: string;
  /** Unique for each file, so that files do not receive each other's tasks. */
  readonly taskQueue: string;
  worker(options: Partial<WorkerOptions>): Promise<Worker>;
}

/** Call once at the top of a test file. */
export function useTemporal(): TestTemporal {
  const address = inject('temporalAddress');
  const bundlePath = inject('workflowBundlePath');
  const file = basename(expect.getState().testPath ?? 'unknown', '.test.ts');
  const taskQueue = `${TEST_QUEUE_PREFIX}${file}-${randomUUID()}`;
  const opened: { client?: Client; connection?: NativeConnection; plain?: ClosableConnection } = {};
  beforeAll(async () => {
    installQuietRuntime();
    opened.plain = await ClosableConnection.connect({ address });
    opened.client = new Client({ connection: opened.plain });
    opened.connection = await NativeConnection.connect({ address });
  });
  afterAll(async () => {
    await opened.connection?.close();
    await opened.plain?.close();
  });
  const required = <Value>(value: Value | undefined): Value => {
    if (value === undefined) throw new Error('The Temporal server is not connected yet: use it inside a test');
    return value;
  };
  return {
    get client() {
      return required(opened.client);
    },
    get connection() {
      return required(opened.connection);
    },
    address,
    bundlePath,
    taskQueue,
    worker: (options) =>
      Worker.create({
        connection: required(opened.connection),
        taskQueue,
        workflowBundle: { codePath: bundlePath },
        sinks: unobserved,
        maxHeartbeatThrottleInterval: 200,
        maxCachedWorkflows: 50,
        // An attempt that does not end fails its file in a minute, by name, instead of hanging.
        shutdownForceTime: '60s',
        ...options,
      }),
  };
}
