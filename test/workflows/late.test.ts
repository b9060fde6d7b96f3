/**
 * What is noticed late: a cancel that the server reports at the barrier, a cloud job that appears after a step was
 * concluded.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalAccess } from '../../src/activities/temporal-access.js';
import { leaseId, type Target } from '../../src/domain/target/target.js';
import { Secret } from '../../src/servicestage/secret.js';
import { createServiceStage } from '../../src/servicestage/service-stage-client.js';
import { aroundActivities } from '../support/around-activities.js';
import { quickLimits } from '../support/build.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
/** Awaited before the barrier asks the server. */
let beforeBarrier = async (): Promise<void> => {};
/** Awaited before a step is settled. */
let beforeSettling = async (): Promise<void> => {};
beforeAll(async () => {
  const access = temporalAccess(temporal.client);
  stack = await startStack(temporal, {
    dependencies: {
      // Long enough for what a test does meanwhile.
      limits: quickLimits({ readTimeoutMs: 1_500, postTimeoutMs: 1_500, visibilityWindowMs: 5_000 }),
      temporal: {
        ...access,
        standing: async (...asked) => {
          await beforeBarrier();
          return access.standing(...asked);
        },
      },
    },
    worker: aroundActivities(async ({ activityType }, carryOut) => {
      if (activityType === 'settleTarget') await beforeSettling();
      return carryOut();
    }),
  });
});
afterAll(() => stack.close());

const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });

describe('a cancel that comes between an attempt and its barrier', () => {
  it('ends the step as cancelled, unsent', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({
      on: { instanceId, route: 'action' },
      fault: { kind: 'throttle', retryAfterSeconds: 0.05 },
    });
    const holder = temporal.client.workflow.getHandle(lease(instanceId));
    const isCancelled = async () => {
      const { raw } = await holder.describe();
      // PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
      return raw.pendingActivities?.some(({ state }) => Number(state) === 3) ?? false;
    };
    beforeBarrier = async () => {
      await holder.cancel();
      await until(isCancelled);
    };
    const { outcome, targets } = await stack.run('restart', path);
    beforeBarrier = async () => {};
    expect(outcome).toBe('cancelled');
    expect(targets[0]?.steps[0]).toMatchObject({ result: 'cancelled', sent: 'no', attempts: 2 });
    expect(targets[0]?.steps[0]?.trail.at(-1)).toMatchObject({ decision: 'stopped', note: 'cancel requested' });
    expect(await stack.accepted(instanceId)).toEqual([]);
  });
});

describe('a step that was concluded as successful', () => {
  /** The POST of a worker that is accepted late. */
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

  it('is CloudJobFailed if settling finds its cloud job and the job failed', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.clearFaults();
    await stack.control.fault({ on: { instanceId, route: 'action' }, fault: { kind: 'reset' } });
    await stack.control.outcome({ instanceId, action: 'stop', executionStatus: 'FAILED' });
    // The POST, whose answer was lost, is accepted only after the step was concluded.
    beforeSettling = async () => {
      await stack.control.change(instanceId, { status: 'RUNNING' });
      await postStop(instanceId, path);
    };
    const workflowId = await stack.start('stop', { targets: [path] });
    await until(async () => (await stack.control.faults()).some(({ hits }) => hits > 0));
    // The instance is seen as stopped, whatever the cause.
    await stack.control.change(instanceId, { status: 'STOPPED' });
    const { outcome, targets } = await stack.report(workflowId);
    beforeSettling = async () => {};
    const [accepted] = await stack.control.accepted(instanceId);
    expect(targets[0]?.steps[0]).toMatchObject({
      result: 'failed',
      sent: 'yes',
      cloudJobId: accepted?.cloudJobId,
      evidence: { createdByUs: true },
      failure: { name: 'CloudJobFailed' },
    });
    expect(outcome).not.toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop']);
  });
});
