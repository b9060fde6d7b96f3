// Records histories for test/replay: one run for each outcome, the run's and its target's. A recorded history is never overwritten:
// it is what a released version wrote, and it must replay for ever. Needs `npm run build` first.
import { access, mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { CloudJobWatch } from '../dist/activities/cloud-job-watch.js';
import { createActivities } from '../dist/activities/index.js';
import { temporalAccess } from '../dist/activities/temporal-access.js';
import { findRunbook } from '../dist/runbooks/catalogue.js';
import { ClosableConnection } from '../dist/temporal/connection.js';
import { RunbookClient } from '../dist/client/runbook-client.js';
import { Durations } from '../dist/domain/durations/durations.js';
import { DEFAULT_LIMITS, withHeartbeatTimeout } from '../dist/domain/once/limits.js';
import { leaseId } from '../dist/domain/target/target.js';
import { startTemporalServer } from '../dist/embedded/temporal-server.js';
import { Secret } from '../dist/servicestage/secret.js';
import { createServiceStage } from '../dist/servicestage/service-stage-client.js';
import { startSimulator } from '../dist/simulator/server.js';

const VERSION = 'v1';
const folder = new URL('../test/replay/histories/', import.meta.url);
const limits = withHeartbeatTimeout({
  ...DEFAULT_LIMITS,
  readTimeoutMs: 250,
  postTimeoutMs: 400,
  quietMs: 60,
  visibilityWindowMs: 300,
  budgetWaitMs: 200,
  credentialsWaitMs: 200,
  leaseMs: 1_000,
  marginMs: 600,
});

/** What is armed before each run, and what is done while it runs. */
const SCENARIOS = {
  'recover-succeeded': { runbook: 'recover' },
  'recover-compensated': { runbook: 'recover', outcome: { action: 'rollback', executionStatus: 'FAILED' } },
  'recover-failed': { runbook: 'recover', outcome: { action: 'start', converges: false } },
  'recover-compensationFailed': {
    runbook: 'recover',
    outcome: { action: 'rollback', executionStatus: 'FAILED', durationMs: 400 },
    during: async (control, instanceId) => {
      await control('PUT', '/switches', { busy: 'accept' });
      await untilAccepted(control, instanceId, 2);
      await control('POST', '/console', { instanceId, action: 'stop', parameters: {} });
      await control('PUT', '/switches', { busy: 'reject' });
    },
  },
  'recover-cancelled': {
    runbook: 'recover',
    during: async (control, instanceId, runbooks, workflowId) => {
      await untilAccepted(control, instanceId, 1);
      await runbooks.cancel(workflowId);
    },
  },
  'restart-indeterminate': {
    runbook: 'restart',
    faults: [{ on: { route: 'action' }, times: 9, fault: { kind: 'reset' } }],
  },
  'recover-refused': { runbook: 'recover', inputs: { version: '9.9.9' } },
  'recover-skipped': { runbook: 'recover', seed: { status: 'STOPPED' } },
  'health-check-succeeded': { runbook: 'health-check' },
};

const server = await startTemporalServer({ env: process.env, say: console.error });
const simulator = await startSimulator({
  world: 'empty',
  switches: { durationsMs: { start: 150, stop: 120, restart: 180, scale: 150, rollback: 180 } },
});
const connection = await ClosableConnection.connect({ address: server.address });
const client = new Client({ connection });
const runbooks = new RunbookClient({ client });
Runtime.install({ logger: new DefaultLogger('ERROR') });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: server.address }),
  taskQueue: runbooks.taskQueue,
  workflowBundle: { codePath: fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url)) },
  activities: {
    ...createActivities({
      serviceStage: createServiceStage({
        endpoint: simulator.url,
        projectId: simulator.projectId,
        credentials: { kind: 'accessKey', accessKey: simulator.accessKey, secretKey: new Secret(simulator.secretKey) },
        iamEndpoint: simulator.url,
        requestsPerSecond: 1_000,
        burst: 1_000,
      }),
      findRunbook: (name) => findRunbook([], name),
      limits,
      usualDurationsMs: { start: 150, stop: 120, restart: 180, scale: 150, rollback: 180 },
      verify: { withinMs: 1_500, stableMs: 60 },
      temporal: temporalAccess(client),
      watch: new CloudJobWatch(new Durations()),
    }),
  },
});
const running = worker.run();
await mkdir(folder, { recursive: true });
for (const [name, scenario] of Object.entries(SCENARIOS)) await record(name, scenario);
worker.shutdown();
await running;
await connection.close();
await simulator.close();
await server.close();

async function record(name, { runbook, outcome, faults = [], seed = {}, inputs = {}, during }) {
  const instance = {
    application: 'shop',
    component: 'checkout',
    name,
    version: '1.4.1',
    replica: 2,
    snapshots: ['1.3.2', '1.4.0'],
    ...seed,
  };
  const { instanceId } = await control('POST', '/instances', instance);
  if (outcome !== undefined) await control('POST', '/outcomes', { instanceId, ...outcome });
  for (const fault of faults) await control('POST', '/faults', { ...fault, on: { ...fault.on, instanceId } });
  const { workflowId } = await runbooks.start(runbook, {
    targets: [`shop/checkout/${name}`],
    inputs,
    requestedBy: 'recorder',
  });
  await during?.(control, instanceId, runbooks, workflowId);
  const report = await runbooks.result(workflowId);
  await keep(`${name}.run`, workflowId);
  if (report.targets[0]?.captured != null)
    await keep(`${name}.target`, leaseId({ projectId: simulator.projectId, instanceId }));
  console.error(
    `${name}: ${report.outcome}, accepted ${(await acceptedBy(control, instanceId)).join(' ') || 'nothing'}`,
  );
}

async function keep(name, workflowId) {
  const file = new URL(`${name}.${VERSION}.json`, folder);
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) return;
  await writeFile(file, `${historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory())}\n`);
}

async function acceptedBy(call, instanceId) {
  return (await call('GET', `/accepted?instanceId=${instanceId}`)).accepted
    .filter(({ byConsole }) => !byConsole)
    .map(({ action }) => action);
}

async function untilAccepted(call, instanceId, count) {
  while ((await acceptedBy(call, instanceId)).length < count) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function control(method, path, body) {
  const answer = await fetch(`${simulator.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return answer.json();
}
