/** Every call against the simulator, with every kind of credentials; more rows and tasks than fit on a page. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/servicestage/auth.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { controlOf } from '../support/simulator.js';
import { accessKeyOf, clientOfSimulator, failureOf, passwordOf, post, READ, targetIn, tokenOf } from './client.js';

const SECURITY_TOKEN = 'temporary-security-token';

const KINDS: readonly {
  name: string;
  securityToken?: string;
  credentials: (simulator: RunningSimulator) => Credentials;
  knowsUser: boolean;
}[] = [
  { name: 'a token', credentials: tokenOf, knowsUser: false },
  { name: 'a password', credentials: passwordOf, knowsUser: true },
  { name: 'an access key', credentials: (simulator) => accessKeyOf(simulator), knowsUser: true },
  {
    name: 'a temporary access key',
    securityToken: SECURITY_TOKEN,
    credentials: (simulator) => accessKeyOf(simulator, SECURITY_TOKEN),
    knowsUser: true,
  },
];

describe.each(KINDS)('with $name', ({ securityToken, credentials, knowsUser }) => {
  let simulator: RunningSimulator;
  beforeAll(async () => {
    const token = securityToken === undefined ? {} : { securityToken };
    simulator = await startSimulator({ switches: { jitter: 0 }, ...token });
  });
  afterAll(() => simulator.close());

  it('every read gives what the world holds', async () => {
    const client = clientOfSimulator(simulator, credentials(simulator));
    const target = targetIn(simulator, 'billing/invoices/prod-1');
    const { applicationId, componentId, instanceId } = target;
    expect((await client.listApplications(READ)).map(({ name }) => name)).toEqual(['shop', 'billing']);
    expect((await client.listComponents(applicationId, READ)).map(({ name }) => name)).toEqual(['invoices', 'ledger']);
    expect(await client.listInstances(applicationId, componentId, READ)).toEqual([
      { id: instanceId, name: 'prod-1', platformType: 'vmapp' },
    ]);
    expect((await client.listSnapshots(target, READ)).map(({ version }) => version)).toEqual(['3.0.1', '3.0.0']);
    expect(await client.readInstance(target, READ)).toMatchObject({
      status: 'RUNNING',
      version: '3.1.0',
      replicaCount: 2,
      availableReplicaCount: 2,
      hosts: ['ecs-0a11', 'ecs-0a12'],
      lastJobId: null,
      lastJobStatus: null,
    });
    expect(await client.ownUserId(READ)).toBe(knowsUser ? simulator.userId : null);
  });

  it('a POST is accepted once and its cloud job is followed to its end', async () => {
    const client = clientOfSimulator(simulator, credentials(simulator));
    const control = controlOf(simulator);
    const target = targetIn(simulator, 'shop/checkout/prod-1');
    // On a busy machine the cloud job would be under way before it is read.
    await control.time({ freeze: true });
    const { cloudJobId } = await post(client, { target, action: { action: 'scale', replica: 4 } });
    expect(await client.readCloudJob(cloudJobId, READ)).toMatchObject({ cloudJobId, status: 'SUBMITTED', tasks: [] });
    expect(await client.readInstance(target, READ)).toMatchObject({ status: 'UPGRADING', lastJobId: cloudJobId });
    await control.time({ advanceMs: 60_000 });
    expect(await client.readCloudJob(cloudJobId, READ)).toMatchObject({
      status: 'SUCCEEDED',
      jobType: 'DAILY_OPERATION',
      instanceId: target.instanceId,
      createdBy: simulator.userId,
      tasks: [{ status: 'SUCCEEDED' }, { status: 'SUCCEEDED' }, { status: 'SUCCEEDED' }],
    });
    expect(await client.readInstance(target, READ)).toMatchObject({ status: 'RUNNING', availableReplicaCount: 4 });
    expect(await control.accepted(target.instanceId)).toMatchObject([
      { cloudJobId, action: 'scale', parameters: { replica: 4 } },
    ]);
    expect((await control.requests()).unexpected).toBe(0);
  });

  it('what does not exist is NotFound', async () => {
    const client = clientOfSimulator(simulator, credentials(simulator));
    const target = { ...targetIn(simulator, 'shop/checkout/prod-1'), instanceId: 'unknown:1@x+y' };
    expect(await failureOf(client.readInstance(target, READ))).toMatchObject({
      code: 'NotFound',
      sent: 'refused',
      vendorCode: 'SVCSTG.00100412',
    });
    expect(await failureOf(client.readCloudJob('JOBnone', READ))).toMatchObject({
      code: 'NotFound',
      sent: 'refused',
      vendorCode: 'SVCSTG.00100429',
    });
    expect(await failureOf(post(client, { target }))).toMatchObject({
      code: 'NotFound',
      sent: 'refused',
      vendorCode: 'SVCSTG.00100412',
    });
  });
});

describe('more than one page', () => {
  let simulator: RunningSimulator;
  beforeAll(async () => {
    simulator = await startSimulator({ world: 'empty', switches: { taskCount: 250 } });
  });
  afterAll(() => simulator.close());

  it('of tasks is read to the end, each task once', async () => {
    const control = controlOf(simulator);
    const { instanceId, applicationId, componentId } = await control.createInstance({
      application: 'many',
      component: 'tasks',
      name: 'prod-1',
    });
    const client = clientOfSimulator(simulator, tokenOf(simulator));
    const { cloudJobId } = await control.console({ instanceId, action: 'restart' });
    await control.time({ advanceMs: 60_000 });
    const { tasks } = await client.readCloudJob(cloudJobId, READ);
    expect(tasks).toHaveLength(250);
    expect(new Set(tasks.map(({ taskId }) => taskId)).size).toBe(250);
    expect(await client.listSnapshots({ applicationId, componentId, instanceId }, READ)).toEqual([]);
  });

  it('of a list is read to the end, each row once', async () => {
    const control = controlOf(simulator);
    const snapshots = Array.from({ length: 130 }, (_item, index) => `1.0.${index}`);
    let place = { applicationId: '', componentId: '', instanceId: '' };
    for (let index = 0; index < 230; index++) {
      const seed = { application: 'wide', component: 'instances', name: `prod-${index}` };
      place = await control.createInstance(index === 229 ? { ...seed, snapshots } : seed);
    }
    const client = clientOfSimulator(simulator, tokenOf(simulator));
    const instances = await client.listInstances(place.applicationId, place.componentId, READ);
    expect(new Set(instances.map(({ id }) => id)).size).toBe(230);
    const listed = await client.listSnapshots(place, READ);
    expect(listed.map(({ version }) => version)).toEqual(snapshots.toReversed());
    const asked = (await control.requests()).counts;
    expect(asked).toMatchObject({ 'instances 200': 2 });
  });
});
