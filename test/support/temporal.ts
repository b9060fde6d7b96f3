/** A test file's connection to the shared Temporal server. Every history that the file makes is replayed at its end. */
import { randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import { afterAll, beforeAll, inject } from 'vitest';
import { ClosableConnection } from '../../src/client/connection.js';

export interface TestTemporal {
  readonly client: Client;
  readonly connection: NativeConnection;
  readonly address: string;
  readonly bundlePath: string;
  /** Of this file only, so that files do not take each other's tasks. */
  readonly taskQueue: string;
  worker(options: Partial<WorkerOptions>): Promise<Worker>;
}

/** Call once at the top of a test file. */
export function useTemporal(): TestTemporal {
  const address = inject('temporalAddress');
  const bundlePath = inject('workflowBundlePath');
  const taskQueue = `test-${randomUUID()}`;
  const opened: { client?: Client; connection?: NativeConnection; plain?: ClosableConnection } = {};
  beforeAll(async () => {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
    });
    opened.plain = await ClosableConnection.connect({ address });
    opened.client = new Client({ connection: opened.plain });
    opened.connection = await NativeConnection.connect({ address });
  });
  afterAll(async () => {
    if (opened.client !== undefined) await replayAll(opened.client, taskQueue, bundlePath);
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
        maxHeartbeatThrottleInterval: 200,
        maxCachedWorkflows: 50,
        ...options,
      }),
  };
}

/** A run that closed while a worker was replaced must still replay: determinism is checked where it can break. */
async function replayAll(client: Client, taskQueue: string, bundlePath: string): Promise<void> {
  // Visibility is eventually consistent: what a test just finished may show a moment later.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const histories = client.workflow.list({ query: `TaskQueue = "${taskQueue}"` }).intoHistories();
  const failures: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: { codePath: bundlePath } },
    histories,
  )) {
    if (error !== undefined) failures.push(`${workflowId}: ${error.message}`);
  }
  if (failures.length > 0) throw new Error(`Histories that do not replay:\n${failures.join('\n')}`);
}
