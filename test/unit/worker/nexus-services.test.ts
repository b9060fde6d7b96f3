/** Runbooks can be called as Nexus operations only where that is configured. */
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.js';
import { runbooksService } from '../../../src/nexus/service.js';
import { sayReady } from '../../../src/worker/start.js';
import { workerOptions, type WorkerParts } from '../../../src/worker/worker-options.js';

const configured = (more: Readonly<Record<string, string>>) =>
  loadConfig({
    SERVICESTAGE_REGION: 'cn-north-4',
    HUAWEICLOUD_SDK_PROJECT_ID: 'p1',
    HUAWEICLOUD_SDK_AK: 'AK',
    HUAWEICLOUD_SDK_SK: 'SK',
    TEMPORAL_NAMESPACE: 'operations',
    ...more,
  });
const parts = { client: {} as Client, tracing: null, metrics: {} } as unknown as WorkerParts;
const optionsOf = (more: Readonly<Record<string, string>>) =>
  workerOptions(configured(more), parts, {} as NativeConnection);

describe('a worker', () => {
  it('hosts no Nexus service, and so polls for no Nexus task, unless RUNBOOK_NEXUS is on', () => {
    for (const more of [{}, { RUNBOOK_NEXUS: 'off' }]) {
      expect(optionsOf(more)).not.toHaveProperty('nexusServices');
      expect(optionsOf(more)).not.toHaveProperty('nexusTaskPollerBehavior');
    }
    const services = optionsOf({ RUNBOOK_NEXUS: 'on' }).nexusServices ?? [];
    expect(services.map(({ definition }) => definition.name)).toEqual([runbooksService.name]);
  });

  it('logs how to create the endpoint of its namespace and task queue', async () => {
    const lines: [Readonly<Record<string, unknown>>, string][] = [];
    const log = { info: (...line: (typeof lines)[0]) => void lines.push(line), debug: () => {} } as never as Logger;
    await sayReady(configured({ RUNBOOK_NEXUS: 'on', RUNBOOK_TASK_QUEUE: 'runbooks shop' }), log);
    expect(lines[1]).toEqual([
      {
        nexusService: 'servicestage-runbooks',
        operations: 'startRun, runStatus',
        endpoint:
          "temporal operator nexus endpoint create --name runbooks --target-namespace operations --target-task-queue 'runbooks shop'",
      },
      'runbooks can be called as Nexus operations',
    ]);
    await sayReady(configured({}), log);
    expect(lines).toHaveLength(3);
  });
});
