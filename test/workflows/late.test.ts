/** What comes to light late: a cloud job that shows only once its step was taken for done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseId, type Target } from '../../src/domain/target.js';
import { Secret } from '../../src/servicestage/secret.js';
import { createServiceStage } from '../../src/servicestage/service-stage-client.js';
import { quickLimits } from '../support/build.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  // Long enough for what a test does while a step is settled.
  stack = await startStack(temporal, { dependencies: { limits: quickLimits({ visibilityWindowMs: 1_500 }) } });
});
afterAll(() => stack.close());

const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('a step that was taken for done', () => {
  /** What a worker sends whose POST is accepted late. */
  async function postStop(instanceId: string, path: string): Promise<void> {
    const { url: endpoint, projectId, accessKey, secretKey } = stack.simulator;
    const serviceStage = createServiceStage({
      endpoint,
      projectId,
      credentials: { kind: 'accessKey', accessKey, secretKey: new Secret(secretKey) },
      requestsPerSecond: 100,
      burst: 100,
    });
    const seen = (await stack.control.requests()).requests.find(({ path: asked }) => asked.endsWith(instanceId));
    const [, applicationId = '', componentId = ''] =
      /applications\/([^/]+)\/components\/([^/]+)/.exec(seen?.path ?? '') ?? [];
    const target: Target = { path, projectId, applicationId, componentId, instanceId, platformType: 'cce' };
    const reservation = await serviceStage.reservePost({ budgetWaitMs: 500, credentialsWaitMs: 500 });
    await reservation.submitAction(target, { action: 'stop' }, { timeoutMs: 1_000 });
  }

  it('is NotConverged where settling finds its cloud job, and not the wished state', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'reset' } });
    await stack.control.outcome({ instanceId, action: 'stop', executionStatus: 'FAILED' });
    const workflowId = await stack.start('stop', { targets: [path] });
    await until(async () => (await stack.control.faults()).some(({ hits }) => hits > 0));
    // Seen as stopped, by whatever cause; the POST, whose answer was lost, is accepted only after that.
    await stack.control.change(instanceId, { status: 'STOPPED' });
    const isSettling = async () => {
      const { raw } = await temporal.client.workflow.getHandle(lease(instanceId)).describe();
      return raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'settleTarget') ?? false;
    };
    await until(isSettling);
    await stack.control.change(instanceId, { status: 'RUNNING' });
    await postStop(instanceId, path);
    const { outcome, targets } = await stack.report(workflowId);
    const [accepted] = await stack.control.accepted(instanceId);
    expect(targets[0]?.steps[0]).toMatchObject({
      result: 'failed',
      sent: 'yes',
      cloudJobId: accepted?.cloudJobId,
      evidence: { createdByUs: true },
      failure: { name: 'NotConverged' },
    });
    expect(outcome).not.toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
  });
});
