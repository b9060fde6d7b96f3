/** A worker that starts knows how long the cloud jobs took that killed workers followed. */
import { expect, it } from 'vitest';
import { leaseId } from '../../src/domain/target/target.js';
import { learned } from '../support/learned.js';
import { aProcessPlace, emptySimulator } from '../support/process-place.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

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
  const simulator = await emptySimulator({ jitter: 0 });
  const place = await aProcessPlace(temporal, simulator, { RUNBOOK_LOG_LEVEL: 'debug' });
  const { taskQueue, control, instanceId, path, runbooks, startWorker } = place;
  await control.outcome({ instanceId, action: 'restart', neverEnds: true });
  const first = await startWorker();
  const { workflowId } = await runbooks.start('restart', { targets: [path] });
  const lease = leaseId(place);
  await until(async () => (await newestHeartbeat(lease)).includes('"runningAtMs"'));
  await first.kill('SIGKILL');
  await control.finish(instanceId);
  const second = await startWorker();
  const report = await runbooks.result(workflowId);
  await second.kill('SIGTERM');
  const [step] = report.targets[0]?.steps ?? [];
  const { cloudJobTook, cloudJobId } = step ?? {};
  expect(cloudJobTook?.runningAtMs).toBeGreaterThan(0);
  expect(cloudJobTook?.endedByMs).toBeGreaterThan(cloudJobTook?.runningAtMs ?? Infinity);

  const restart = { action: 'restart', componentId: 'a/c' };
  expect(await learned(temporal.client, taskQueue, 1)).toEqual([[restart, cloudJobId, cloudJobTook]]);
  const third = await startWorker();
  const isLearned = () => third.lastWords().includes('learned from the reports of earlier runs');
  await until(isLearned);
  expect(third.lastWords()).toMatch(/"runs":1,"cloudJobs":1,/);
  await third.kill('SIGTERM');
  await simulator.close();
});
