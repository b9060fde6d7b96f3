/** The alert rules and the dashboard against the real programs of Prometheus, and a real worker and gateway that are scraped. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RunbookClient } from '../../src/client/runbook-client.js';
import { freePorts } from '../../src/embedded/ports.js';
import { SDK_METRICS } from '../../src/metrics/sdk-metrics.js';
import { startSimulator } from '../../src/simulator/server.js';
import { capacityQueries, dashboardPanels } from '../support/metric-names.js';
import { promtool, startPrometheus } from '../support/prometheus.js';
import { controlOf } from '../support/simulator.js';
import { newSeed } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { startWorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();

describe('promtool', () => {
  it('accepts the rules and the configuration', async () => {
    expect(await promtool('check', 'rules', 'rules.yaml')).toContain('SUCCESS: 19 rules found');
    expect(await promtool('check', 'config', 'prometheus.yaml')).toContain('SUCCESS');
  });

  it('sees each rule fire', async () => {
    expect(await promtool('test', 'rules', 'rules.test.yaml')).toContain('SUCCESS');
  });
});

async function startScrapedWorker() {
  const simulator = await startSimulator({ world: 'empty', seed: newSeed() });
  onTestFinished(() => simulator.close());
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'monitoring-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'broken.yaml'), 'name: broken\n');
  const worker = await startWorkerProcess({
    address: temporal.address,
    taskQueue: temporal.taskQueue,
    simulator,
    env: { RUNBOOK_HEALTH_PORT: String(port), RUNBOOK_HEALTH_HOST: '127.0.0.1', RUNBOOK_DIR: folder },
  });
  onTestFinished(() => worker.kill('SIGKILL'));
  return { worker, simulator, control: controlOf(simulator), address: `127.0.0.1:${port}` };
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** Panels of the dashboard that are empty after good runs on one worker, and the gateway's. */
const NOTHING_HAPPENED = [
  'Undos by action and result A',
  'Failures of attempts A',
  'Indeterminate and adopted A',
  'Indeterminate and adopted B',
  'Time to settle A',
  'Time to settle B',
  'Approvals by result A',
  'Waits A',
  'Waits B',
  'Notifications A',
  'Requests that are not 2xx A',
  'Request budget B',
  'Request budget C',
  'Workflow tasks that failed A',
  'Deliveries by result A',
  'Refused and rejected A',
  'Refused and rejected B',
  'Decisions A',
  'Alarms and what waits A',
  'Alarms and what waits B',
];

it('a real Prometheus scrapes a real worker, takes the rules, and answers every query of the dashboard', async () => {
  const { simulator, control, address, worker } = await startScrapedWorker();
  const prometheus = await startPrometheus({ 'runbook-worker': address });
  onTestFinished(() => prometheus.close());
  const valuesOf = async (query: string) => {
    const { result } = (await prometheus.ask('query', { query })) as { result: readonly Sample[] };
    return result.map(({ metric, value: [, value] }) => ({ ...metric, value: Number(value) }));
  };
  await until(async () => (await fetch(`http://${address}/readyz`)).status === 200);
  const ready = await fetch(`http://${address}/readyz`);
  expect(await ready.json()).toMatchObject({
    ready: true,
    checks: {
      polls: { ok: true },
      temporal: { ok: true },
      credentials: { ok: true, reason: 'ServiceStage accepts them' },
      runbooks: { ok: true, reason: expect.stringMatching(/^11 runbooks can be read; problems: 2, such as /) },
      calendars: { ok: true },
    },
  });
  expect((await fetch(`http://${address}/livez`)).status).toBe(200);

  await control.createInstance({
    application: 'a',
    component: 'c',
    name: 'i',
    replica: 2,
    version: '2',
    snapshots: ['1'],
  });
  const runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
  const restart = async () => {
    const { workflowId } = await runbooks.start('restart', { targets: ['a/c/i'], requestedBy: 'test' });
    expect(await runbooks.result(workflowId)).toMatchObject({ outcome: 'succeeded' });
  };
  // Prometheus sees only increases that follow its first scrape.
  await until(async () => (await valuesOf('up{job="runbook-worker"}'))[0]?.value === 1);
  await restart();

  const succeeded = 'runbook_runs_total{runbook="restart",outcome="succeeded"}';
  await until(async () => (await valuesOf(succeeded))[0]?.value === 1);
  expect(await valuesOf('max by (kind) (runbook_file_problems) > 0')).toEqual([{ kind: 'runbook', value: 2 }]);
  const page = await (await fetch(`http://${address}/metrics`)).text();
  for (const name of SDK_METRICS)
    if (name !== 'temporal_workflow_task_execution_failed_total') expect(page).toContain(`\n# TYPE ${name} `);
  expect(page).not.toContain(simulator.secretKey);
  expect(page).not.toContain('a/c/i');

  const emptyPanels = async () => {
    const empty: string[] = [];
    for (const { panel, query } of dashboardPanels()) {
      const values = await valuesOf(query);
      // A quantile of nothing is NaN.
      if (values.every(({ value }) => Number.isNaN(value))) empty.push(panel);
    }
    return empty;
  };
  // The SDK's series and those of requests appear with the first run, and increase with the second.
  await restart();
  await expect.poll(emptyPanels).toEqual(NOTHING_HAPPENED);
  // Those of docs/performance.md have a value: metrics of the SDK and ours match by instance.
  for (const query of capacityQueries()) expect(await valuesOf(query)).not.toEqual([]);
  const { groups } = (await prometheus.ask('rules')) as {
    groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[];
  };
  const rules = groups.flatMap(({ rules: each }) => each);
  expect(rules).toHaveLength(19);
  expect(rules.filter(({ health }) => health === 'err')).toEqual([]);

  await worker.kill('SIGTERM');
  await until(async () => (await valuesOf('up{job="runbook-worker"}'))[0]?.value === 0);
  await until(async () => JSON.stringify(await prometheus.ask('alerts')).includes('"RunbookNoWorker"'));
});
