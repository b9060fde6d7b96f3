/** A worker that starts knows how long the cloud jobs took that killed workers followed. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { RunbookClient } from '../../src/client/index.js';
import { leaseId } from '../../src/domain/target/target.js';
import { startSimulator } from '../../src/simulator/server.js';
import { learned } from '../support/learned.js';
import { controlOf } from '../support/simulator.js';
import { newSeed } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { startWorkerProcess } from '../support/worker-process.js';

const temporal = useTemporal();

/** As JSON. */
async function newestHeartbeat(workflowId: string): Promise<string> {
  const description = await temporal.client.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => null);
  const [payload] = description?.raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
  return Buffer.from(payload?.data ?? []).toString();
}

it('a worker that starts knows what runs took that another worker carried out, and what was seen before that one was killed', async () => {
  const taskQueue = `${temporal.taskQueue}-${randomUUID().slice(0, 8)}`;
  const simulator = await startSimulator({ world: 'empty', seed: newSeed(), switches: { jitter: 0 } });
  const control = controlOf(simulator);
  const named = { application: 'shop', component: 'checkout', name: 'prod-1' };
  const { instanceId } = await control.createInstance({ ...named, replica: 2, version: '2', snapshots: ['1'] });
  await control.outcome({ instanceId, action: 'restart', neverEnds: true });
  const place = { address: temporal.address, taskQueue, simulator, env: { RUNBOOK_LOG_LEVEL: 'debug' } };
  const first = await startWorkerProcess(place);
  const runbooks = new RunbookClient({ client: temporal.client, taskQueue });
  const { workflowId } = await runbooks.start('restart', { targets: ['shop/checkout/prod-1'] });
  const lease = leaseId({ projectId: simulator.projectId, instanceId });
  await until(async () => (await newestHeartbeat(lease)).includes('"runningAtMs"'));
  await first.kill('SIGKILL');
  await control.finish(instanceId);
  const second = await startWorkerProcess(place);
  const report = await runbooks.result(workflowId);
  await second.kill('SIGTERM');
  const [step] = report.targets[0]?.steps ?? [];
  const { cloudJobTook, cloudJobId } = step ?? {};
  expect(cloudJobTook?.runningAtMs).toBeGreaterThan(0);
  expect(cloudJobTook?.endedByMs).toBeGreaterThan(cloudJobTook?.runningAtMs ?? Infinity);

  const restart = { action: 'restart', componentId: 'shop/checkout' };
  expect(await learned(temporal.client, taskQueue, 1)).toEqual([[restart, cloudJobId, cloudJobTook]]);
  const third = await startWorkerProcess(place);
  const isLearned = () => third.lastWords().includes('learned from the reports of earlier runs');
  await until(isLearned);
  expect(third.lastWords()).toMatch(/"runs":1,"cloudJobs":1,/);
  await third.kill('SIGTERM');
  await simulator.close();
});
