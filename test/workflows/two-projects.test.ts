/** Workers of two ServiceStage projects that poll one task queue by mistake: the promises hold, and the mistake is named. */
import { NativeConnection, type Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { workerIdentity } from '../../src/domain/run/worker-identity.js';
import { Secret } from '../../src/servicestage/secret.js';
import { createServiceStage } from '../../src/servicestage/service-stage-client.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { projectsBeside, requireOwnTaskQueue } from '../../src/worker/projects.js';
import { controlOf } from '../support/simulator.js';
import { newSeed, quickActivities, USUAL_MS } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const OTHER = 'fedcba9876543210fedcba9876543210';
const temporal = useTemporal();
let simulator: RunningSimulator;
/** The cloud as the other project sees it: the same names, other instances. */
let elsewhere: RunningSimulator;
beforeAll(async () => {
  simulator = await startSimulator({
    world: 'empty',
    seed: newSeed(),
    switches: { durationsMs: { ...USUAL_MS, restart: 4_000 } },
  });
  elsewhere = await startSimulator({ world: 'empty', seed: newSeed() });
});
afterAll(async () => {
  await simulator.close();
  await elsewhere.close();
});

/** A worker of a project, on a task queue. Two of them share nothing else. */
async function beginWorker(
  taskQueue: string,
  cloud: RunningSimulator,
  projectId: string,
): Promise<() => Promise<void>> {
  const { url, accessKey, secretKey } = cloud;
  const activities = quickActivities(
    createServiceStage({
      endpoint: url,
      projectId,
      credentials: { kind: 'accessKey', accessKey, secretKey: new Secret(secretKey) },
      iamEndpoint: url,
      requestsPerSecond: 1_000,
      burst: 1_000,
    }),
    temporal.client,
    { otherProjects: projectsBeside(temporal.client, { taskQueue, projectId }) },
  );
  const identity = workerIdentity(process.pid, 'host', projectId);
  // Two workers of one queue need two connections where they share a process.
  const connection = await NativeConnection.connect({ address: temporal.address });
  const worker: Worker = await temporal.worker({ connection, taskQueue, identity, activities: { ...activities } });
  const running = worker.run();
  return async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
    await connection.close();
  };
}

const place = { application: 'shop', component: 'checkout', replica: 2, version: '2', snapshots: ['1'] };

describe('two projects on one task queue', () => {
  it('a run whose step reaches the other project waits for its own, and its cloud job is sent once and followed to its end', async () => {
    const taskQueue = `${temporal.taskQueue}-handed-over`;
    const { instanceId } = await controlOf(simulator).createInstance({ ...place, name: 'handed-over' });
    const workflowId = `two-projects-${taskQueue}`;
    const stopOwn = await beginWorker(taskQueue, simulator, simulator.projectId);
    const args = [{ targets: ['shop/checkout/handed-over'] }];
    const handle = await temporal.client.workflow.start('restart', { workflowId, taskQueue, args });
    await until(async () => (await controlOf(simulator).accepted(instanceId)).length === 1);
    await stopOwn();

    const stopOther = await beginWorker(taskQueue, elsewhere, OTHER);
    const lease = `runbook-target/${simulator.projectId}/${instanceId}`;
    await until(async () => {
      const { raw } = await temporal.client.workflow.getHandle(lease).describe();
      return raw.pendingActivities?.[0]?.lastFailure?.message?.includes(`serves project ${OTHER}`) === true;
    });
    await stopOther();
    expect((await controlOf(elsewhere).requests()).requests).toEqual([]);

    const stopAgain = await beginWorker(taskQueue, simulator, simulator.projectId);
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await stopAgain();
    expect(await controlOf(simulator).accepted(instanceId)).toHaveLength(1);
  });

  it('a run is refused while workers of both poll, by either of them, and a further worker does not join', async () => {
    const taskQueue = `${temporal.taskQueue}-shared`;
    for (const cloud of [simulator, elsewhere]) await controlOf(cloud).createInstance({ ...place, name: 'same-name' });
    const stops = [
      await beginWorker(taskQueue, simulator, simulator.projectId),
      await beginWorker(taskQueue, elsewhere, OTHER),
    ];
    onTestFinished(async () => {
      for (const stop of stops) await stop();
    });
    const own = { taskQueue, projectId: simulator.projectId };
    await until(async () => (await projectsBeside(temporal.client, own)()).length === 1);
    await until(async () => (await projectsBeside(temporal.client, { taskQueue, projectId: OTHER })()).length === 1);
    const args = [{ targets: ['shop/checkout/same-name'] }];
    for (const number of [1, 2, 3, 4]) {
      const workflowId = `shared-${number}-${taskQueue}`;
      const handle = await temporal.client.workflow.start('restart', { workflowId, taskQueue, args });
      await expect(handle.result()).rejects.toThrow();
      const { report } = (await handle.describe()).memo ?? {};
      const message = expect.stringContaining('workers of 2 projects take work from it') as unknown;
      expect(report).toMatchObject({ outcome: 'refused', failure: { name: 'InvalidPlan', message } });
    }
    await expect(requireOwnTaskQueue(temporal.client, own)).rejects.toThrow(
      `workers of project ${OTHER} take work from it`,
    );
  });
});
