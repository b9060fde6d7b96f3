/** What the client reports of its requests: kind, status, waits, and nothing that names a target. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callKindOf, type ObservedCall, type ServiceStageObserver } from '../../src/servicestage/observed.js';
import { startSimulator, type RunningSimulator } from '../../src/simulator/server.js';
import { controlOf } from '../support/simulator.js';
import { clientOfSimulator, failureOf, passwordOf, post, READ, targetIn, tokenOf } from './client.js';

let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await startSimulator({ world: 'demo' });
});
afterAll(() => simulator.close());

function recording() {
  const calls: ObservedCall[] = [];
  const waits: string[] = [];
  let throttled = 0;
  const observer: ServiceStageObserver = {
    called: (call) => void calls.push(call),
    throttled: () => void throttled++,
    waitedForBudget: (request, waitedMs, granted) => void waits.push(`${request} ${waitedMs < 60_000} ${granted}`),
  };
  return {
    observer,
    shown: () => calls.map(({ kind, status }) => `${kind} ${status}`),
    waits,
    throttled: () => throttled,
  };
}

describe('requests', () => {
  it('are reported by kind and status', async () => {
    const { observer, shown, waits } = recording();
    const client = clientOfSimulator(simulator, passwordOf(simulator), { observer });
    const target = targetIn(simulator, 'shop/checkout/prod-1');
    await client.readInstance(target, READ);
    const { cloudJobId } = await post(client, { target });
    await client.readCloudJob(cloudJobId, READ);
    await client.listSnapshots(target, READ);
    await client.listApplications(READ);
    await client.listComponents(target.applicationId, READ);
    await client.listInstances(target.applicationId, target.componentId, READ);
    await failureOf(client.readInstance({ ...target, instanceId: 'no-such-instance' }, READ));
    expect(shown().slice(0, 8)).toEqual([
      'token 201',
      'instance 200',
      'action 200',
      'cloudJob 200',
      'snapshots 200',
      'applications 200',
      'components 200',
      'instances 200',
    ]);
    expect(shown()[8]).toMatch(/^instance 4\d\d$/);
    expect(waits).toEqual(['read true true', 'post true true', ...Array.from({ length: 6 }, () => 'read true true')]);
  });

  it('that get no answer, and those that are given up, have a status of their own', async () => {
    const { observer, shown } = recording();
    const client = clientOfSimulator(simulator, tokenOf(simulator), { observer });
    const target = targetIn(simulator, 'shop/checkout/prod-1');
    const control = controlOf(simulator);
    await control.fault({ on: { route: 'instance', instanceId: target.instanceId }, fault: { kind: 'reset' } });
    await failureOf(client.readInstance(target, READ));
    await expect(
      post(client, {
        target,
        beforeFirstByte: () => {
          throw new Error('fenced');
        },
      }),
    ).rejects.toThrow('fenced');
    expect(shown()).toEqual(['instance none', 'action notSent']);
  });

  it('that are throttled are counted, and those that get no place in the budget', async () => {
    const { observer, shown, throttled, waits } = recording();
    const client = clientOfSimulator(simulator, tokenOf(simulator), { observer });
    const target = targetIn(simulator, 'shop/checkout/prod-1');
    const control = controlOf(simulator);
    await control.fault({ on: { route: 'instance', instanceId: target.instanceId }, fault: { kind: 'throttle' } });
    await failureOf(client.readInstance(target, READ));
    expect(shown()).toEqual(['instance 429']);
    expect(throttled()).toBe(1);
    const reserving = client.reservePost({ budgetWaitMs: 10, credentialsWaitMs: 10 });
    expect((await failureOf(reserving)).code).toBe('BudgetExhausted');
    expect(waits.at(-1)).toBe('post true false');
  });
});

it('a path that is not known is of another kind', () => {
  expect(callKindOf('GET', '/v3.0/OS-CREDENTIAL/credentials/AK')).toBe('user');
  expect(callKindOf('POST', '/v3/auth/tokens')).toBe('token');
  expect(callKindOf('GET', '/openstack/latest/securitykey')).toBe('other');
});
