/** `performAction`, the send and what follows: the fence, each kind of answer, following, verifying, cancel and shutdown. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/actions.js';
import { fenceMs } from '../../src/domain/once/limits.js';
import { aFollowingState, quickLimits } from '../support/build.js';
import { failed, resultOf, startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const stop: Action = { action: 'stop' };
const restart: Action = { action: 'restart' };
const succeeded = { phase: { ending: { kind: 'succeeded' } } };
/** Left by an attempt that is tried again, and proved that nothing was sent. */
const unsent = { sent: 'no', phase: { name: 'ended', ending: { kind: 'failed', retryInMs: expect.any(Number) } } };
const later = { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 };

async function withFault(
  fault: { kind: string; [parameter: string]: unknown },
  action: Action = stop,
  more: object = {},
) {
  const { target, before } = await bench.instance();
  await bench.control.fault({ on: { route: 'action', instanceId: target.instanceId }, fault });
  const ended = await bench.perform({ action, target, before, ...more });
  return { ended, target, accepted: await bench.accepted(target) };
}

describe('an answer that proves that nothing was sent', () => {
  it.each([
    ['429', { kind: 'throttle', retryAfterSeconds: 0.05 }, 'Throttled', true],
    ['a gateway that does not know the API', { kind: 'status', status: 404, code: 'APIGW.0101' }, 'Unreachable', true],
    ['a gateway that does not allow it', { kind: 'status', status: 403, code: 'APIGW.0302' }, 'NotAllowed', false],
    ['IAM being away', { kind: 'status', status: 503, code: 'APIGW.0613' }, 'Unreachable', true],
  ])('(%s) is left as unsent', async (_case, fault, name, retryable) => {
    const { ended, accepted } = await withFault(fault);
    expect(failed(ended)).toMatchObject({ name, retryable, state: { sent: 'no' } });
    if (retryable) expect(ended.heartbeats.at(-1)).toMatchObject(unsent);
    expect(accepted).toEqual([]);
    await bench.control.clearFaults();
  });

  it('(connection refused) is left as unsent', async () => {
    const { target, before } = await bench.instance();
    const reading = bench.client();
    const dead = bench.client({ endpoint: 'http://127.0.0.1:9' });
    const serviceStage = Object.assign(Object.create(reading) as typeof reading, {
      readInstance: reading.readInstance.bind(reading),
      reservePost: dead.reservePost.bind(dead),
    });
    const ended = failed(await bench.perform({ action: stop, target, before, serviceStage }));
    expect(ended).toMatchObject({ name: 'Unreachable', retryable: true, state: { sent: 'no' } });
  });
});

describe('a refusal by ServiceStage itself', () => {
  it.each([
    [400, 'InvalidStep', false],
    [422, 'InvalidStep', false],
    [404, 'TargetNotFound', false],
    [403, 'NotAllowed', false],
    [409, 'TargetBusy', true],
  ])('(%i) is believed when nothing was sent before', async (status, name, retryable) => {
    const { ended, accepted } = await withFault({ kind: 'status', status, code: 'SVCSTG.00100400' });
    expect(failed(ended)).toMatchObject({ name, retryable, state: { sent: 'no' } });
    expect(accepted).toEqual([]);
  });

  it('proves nothing about an earlier send: ours is adopted (story 2)', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'visibleLate', ms: 700, statusMs: 700 },
    });
    await bench.control.outcome({ instanceId: target.instanceId, action: 'stop', durationMs: 900 });
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, stop, { timeoutMs: 500 });
    // What is seen is older than the visibility window here, so the second attempt does send, and is refused as busy.
    const limits = quickLimits({ visibilityWindowMs: 400 });
    const result = resultOf(await bench.perform({ action: stop, target, before, ...later, limits }));
    expect(result).toMatchObject({ cloudJob: { id: cloudJobId }, sent: 'yes' });
    expect(result.trail.map(({ decision }) => decision)).toContain('refused');
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('is Indeterminate after an earlier send that shows nowhere', async () => {
    const { ended, accepted } = await withFault({ kind: 'status', status: 400, code: 'SVCSTG.00100400' }, stop, later);
    expect(failed(ended)).toMatchObject({ name: 'Indeterminate', state: { sent: 'unknown' } });
    expect(accepted).toEqual([]);
  });
});

describe('a lost answer', () => {
  it.each([
    ['reset after acting', { kind: 'actThenReset' }],
    ['500 after acting', { kind: 'actThenStatus', status: 500 }],
    ['502 after acting', { kind: 'actThenStatus', status: 502 }],
    ['no answer after acting', { kind: 'actThenHang', ms: 600 }],
    ['2xx without a job id after acting', { kind: 'actThenWrongBody' }],
    ['a body cut in the middle', { kind: 'truncate' }],
  ])('(%s) is resolved by reading: the cloud job is adopted', async (_case, fault) => {
    for (const action of [stop, restart]) {
      const { ended, accepted } = await withFault(fault, action);
      expect(resultOf(ended)).toMatchObject({
        ...succeeded,
        sent: 'yes',
        cloudJob: { evidence: { createdByUs: true } },
      });
      expect(accepted).toEqual([action.action]);
    }
  });

  it.each([
    ['reset without acting', { kind: 'reset' }],
    ['500 without acting', { kind: 'status', status: 500 }],
    ['an unexpected gateway error', { kind: 'status', status: 500, code: 'APIGW.0201' }],
    ['a redirect', { kind: 'redirect' }],
    ['nonsense', { kind: 'wrongBody' }],
    ['an action that is accepted late', { kind: 'actLate', ms: 400 }],
  ])('(%s) is Unanswered when reading finds nothing, and is not sent again by this attempt', async (_case, fault) => {
    const { ended } = await withFault(fault);
    expect(failed(ended)).toMatchObject({ name: 'Unanswered', retryable: true, state: { sent: 'unknown' } });
    expect(ended.heartbeats.at(-1)).toMatchObject({ sent: 'unknown', phase: { ending: { failure: 'Unanswered' } } });
  });
});

describe('the fence', () => {
  it('stops an attempt whose last reading came too late (stories 4 and 11)', async () => {
    const { target, before } = await bench.instance();
    const limits = quickLimits({ readTimeoutMs: 4_000 });
    await bench.control.fault({
      on: { route: 'instance', instanceId: target.instanceId },
      fault: { kind: 'delay', ms: 250 },
    });
    // The smallest limits whose fence is shorter than the delay of the reading.
    const late = { ...limits, heartbeatTimeoutMs: limits.postTimeoutMs + limits.marginMs + 100 };
    const ended = failed(await bench.perform({ action: stop, target, before, limits: late }));
    expect(ended).toMatchObject({ name: 'Throttled', retryable: true });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('counts the age of an attempt from when it was scheduled, however late it was delivered', async () => {
    const { target, before } = await bench.instance();
    // Not late enough for the barrier.
    const limits = quickLimits({ lateStartMs: 60_000 });
    const ended = failed(
      await bench.perform({ action: stop, target, before, limits, scheduledAgoMs: fenceMs(limits) + 50 }),
    );
    expect(ended).toMatchObject({ name: 'Throttled', retryable: true, state: { sent: 'no' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('counts it from the barrier where the attempt passed one', async () => {
    const { target, before } = await bench.instance();
    const limits = quickLimits({ lateStartMs: 100 });
    const scheduledAgoMs = fenceMs(limits) + 50;
    const result = resultOf(await bench.perform({ action: stop, target, before, limits, scheduledAgoMs }));
    expect(result).toMatchObject({ ...succeeded, sent: 'yes' });
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('stops an attempt after the deadline of its step', async () => {
    const { target, before } = await bench.instance();
    const ended = failed(await bench.perform({ action: stop, target, before, deadlineInMs: -1 }));
    expect(ended).toMatchObject({ name: 'DeadlinePassed', retryable: false, state: { sent: 'no' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it.each([
    ['unsent where nothing was sent before', {}, 'no'],
    ['without a second send where something may have been', later, 'unknown'],
  ])('stops an attempt after its gate has closed, %s', async (_case, earlier, sent) => {
    const { target, before } = await bench.instance();
    const closing = { atMs: Date.now() - 1, failure: 'OutsideWindow' as const, why: 'The window has ended' };
    const ended = failed(await bench.perform({ action: stop, target, before, closing, ...earlier }));
    expect(ended).toMatchObject({ name: 'OutsideWindow', retryable: false, state: { sent } });
    expect(ended.message).toMatch(/^stop was not sent( any more)?: The window has ended$/);
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('lets an attempt pass before its gate closes, and follow its cloud job after', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, durationMs: 1_500 });
    const closing = { atMs: Date.now() + 1_000, failure: 'OutsideWindow' as const, why: 'The window has ended' };
    expect(resultOf(await bench.perform({ action: stop, target, before, closing }))).toMatchObject({ sent: 'yes' });
  });

  it('makes a retryable failure final when the next attempt would come after the deadline', async () => {
    const { ended } = await withFault({ kind: 'throttle', retryAfterSeconds: 60 }, stop, {
      deadlineInMs: 2_000,
      // The budget of this client is closed for a minute by it.
      serviceStage: bench.client(),
    });
    expect(failed(ended)).toMatchObject({ name: 'Throttled', retryable: false, state: { sent: 'no' } });
  });

  it('ends an attempt unsent when the request budget does not open in time', async () => {
    const { target, before } = await bench.instance();
    const serviceStage = bench.client({ requestsPerSecond: 0.001, burst: 1 });
    await serviceStage.readInstance(target, { timeoutMs: 500 });
    const ended = failed(await bench.perform({ action: stop, target, before, serviceStage }));
    expect(ended).toMatchObject({ name: 'Throttled', retryable: true, state: { sent: 'no' } });
  });
});

describe('following', () => {
  it.each(['FAILED', 'PARTIALLY_FAILED', 'CANCELLED', 'ROLLBACKED'])(
    'reports a cloud job that ended %s',
    async (executionStatus) => {
      const { target, before } = await bench.instance();
      await bench.control.outcome({ instanceId: target.instanceId, executionStatus, messages: 'disk full' });
      const ended = failed(await bench.perform({ action: stop, target, before }));
      expect(ended).toMatchObject({
        name: 'CloudJobFailed',
        retryable: false,
        state: { sent: 'yes', seen: { status: 'RUNNING' } },
      });
      expect(ended.message).toContain('disk full');
    },
  );

  it('is overdue when the cloud job has not ended by the deadline', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, neverEnds: true });
    const ended = failed(await bench.perform({ action: stop, target, before, deadlineInMs: 600 }));
    expect(ended).toMatchObject({ name: 'CloudJobOverdue', state: { sent: 'yes' } });
  });

  it('is overdue when the API stays without knowledge of the cloud job', async () => {
    const { target, before } = await bench.instance();
    const previous = aFollowingState('JOB-lost', Date.now());
    const ended = failed(await bench.perform({ action: stop, target, before, attempt: 2, previous }));
    expect(ended).toMatchObject({ name: 'CloudJobOverdue', state: { sent: 'yes', cloudJob: { id: 'JOB-lost' } } });
  });

  it('tolerates readings that fail', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({ on: { route: 'job' }, times: 2, fault: { kind: 'status', status: 502 } });
    expect(resultOf(await bench.perform({ action: stop, target, before }))).toMatchObject(succeeded);
    await bench.control.clearFaults();
  });
});

describe('verifying', () => {
  it('does not believe a cloud job that succeeded while the instance does not converge', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, converges: false });
    const ended = failed(
      await bench.perform({ action: restart, target, before, verify: { withinMs: 300, stableMs: 40 } }),
    );
    expect(ended).toMatchObject({ name: 'NotConverged', state: { sent: 'yes' } });
    expect(ended.message).toContain('RUNNING 0/2');
  });

  it('wants the state to hold', async () => {
    const { target, before } = await bench.instance();
    const underWay = bench.begin({ action: restart, target, before, verify: { withinMs: 700, stableMs: 400 } });
    setTimeout(() => void bench.control.change(target.instanceId, { availableReplica: 1 }), 350);
    expect(failed(await underWay.ended)).toMatchObject({ name: 'NotConverged' });
  });

  it('waits for its own cloud job to show, where an older one still does (story 3)', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'visibleLate', ms: 500 },
    });
    const result = resultOf(await bench.perform({ action: stop, target, before }));
    expect(result.seen?.lastJobId).toBe(result.cloudJob?.id);
  });

  it('takes readings that all fail for no proof: it goes on until one succeeds', async () => {
    const { target, before } = await bench.instance();
    const isGone = { route: 'instance', instanceId: target.instanceId };
    // The first reading is the one before the send.
    await bench.control.fault({ on: isGone, nth: 2, times: 60, fault: { kind: 'status', status: 503 } });
    const verify = { withinMs: 100, stableMs: 40 };
    const beganAtMs = Date.now();
    const result = resultOf(await bench.perform({ action: stop, target, before, verify }));
    const failedReadings = (await bench.control.faults()).find(({ on }) => on?.instanceId === target.instanceId);
    await bench.control.clearFaults();
    expect(result).toMatchObject({ ...succeeded, sent: 'yes', seen: { status: 'STOPPED' } });
    expect(failedReadings?.hits).toBe(60);
    expect(Date.now() - beganAtMs).toBeGreaterThan(verify.withinMs);
  });

  it('is Unreachable, sent, when no reading succeeds by the deadline of the step', async () => {
    const { target, before } = await bench.instance();
    const isGone = { route: 'instance', instanceId: target.instanceId };
    await bench.control.fault({ on: isGone, nth: 2, times: 10_000, fault: { kind: 'status', status: 503 } });
    const beganAtMs = Date.now();
    const ended = failed(
      await bench.perform({
        action: stop,
        target,
        before,
        verify: { withinMs: 100, stableMs: 40 },
        deadlineInMs: 1_500,
      }),
    );
    await bench.control.clearFaults();
    expect(ended).toMatchObject({ name: 'Unreachable', retryable: false, state: { sent: 'yes' } });
    expect(Date.now() - beganAtMs).toBeGreaterThanOrEqual(1_500);
  });

  it('does not ask without a pause when readings fail after a good one', async () => {
    const { target, before } = await bench.instance();
    const isGone = { route: 'instance', instanceId: target.instanceId };
    await bench.control.fault({ on: isGone, nth: 3, times: 10_000, fault: { kind: 'status', status: 503 } });
    const ended = failed(
      await bench.perform({
        action: stop,
        target,
        before,
        verify: { withinMs: 5_000, stableMs: 300 },
        deadlineInMs: 2_000,
      }),
    );
    const failedReadings = (await bench.control.faults()).find(({ on }) => on?.instanceId === target.instanceId);
    await bench.control.clearFaults();
    expect(ended).toMatchObject({
      name: 'Unreachable',
      state: { sent: 'yes', seen: { status: 'STOPPED' } },
    });
    // Half of `stable` between two readings, within two seconds.
    expect(failedReadings?.hits).toBeGreaterThan(2);
    expect(failedReadings?.hits).toBeLessThan(20);
  });

  it('is TargetChanged, sent, when somebody acts after us', async () => {
    const { target, before } = await bench.instance();
    const underWay = bench.begin({ action: stop, target, before, verify: { withinMs: 2_000, stableMs: 800 } });
    setTimeout(() => void bench.control.console({ instanceId: target.instanceId, action: 'start' }), 450);
    expect(failed(await underWay.ended)).toMatchObject({ name: 'TargetChanged', state: { sent: 'yes' } });
  });

  it('is Indeterminate when somebody acts after a cloud job that was adopted', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'actThenReset' },
    });
    const underWay = bench.begin({ action: stop, target, before, verify: { withinMs: 2_000, stableMs: 800 } });
    setTimeout(() => void bench.control.console({ instanceId: target.instanceId, action: 'start' }), 600);
    expect(failed(await underWay.ended)).toMatchObject({ name: 'Indeterminate', state: { sent: 'yes' } });
  });
});

describe('cancel and shutdown', () => {
  it('end an attempt unsent before its send', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'instance', instanceId: target.instanceId },
      times: 2,
      fault: { kind: 'delay', ms: 150 },
    });
    const cancelled = bench.begin({ action: stop, target, before });
    cancelled.cancel();
    expect(failed(await cancelled.ended)).toMatchObject({ name: 'cancelled', state: { sent: 'no' } });
    const stopped = bench.begin({ action: stop, target, before });
    stopped.shutDown();
    const ended = failed(await stopped.ended);
    expect(ended).toMatchObject({ name: 'WorkerStopped', retryable: true, state: { sent: 'no' } });
    expect(ended.heartbeats.at(-1)).toMatchObject(unsent);
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('do not cut the POST, and a cancel is not obeyed after it', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'delay', ms: 200 },
    });
    const underWay = bench.begin({ action: stop, target, before });
    setTimeout(() => underWay.cancel(), 100);
    expect(resultOf(await underWay.ended)).toMatchObject({
      ...succeeded,
      sent: 'yes',
      seen: { status: 'STOPPED' },
    });
  });

  it('hand the cloud job over at a shutdown during the POST', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'delay', ms: 200 },
    });
    const underWay = bench.begin({ action: stop, target, before });
    setTimeout(() => underWay.shutDown(), 100);
    const ended = failed(await underWay.ended);
    const [job] = await bench.control.accepted(target.instanceId);
    expect(ended).toMatchObject({
      name: 'WorkerStopped',
      retryable: true,
      state: { sent: 'yes', cloudJob: { id: job?.cloudJobId } },
    });
    expect(ended.heartbeats.at(-1)).toMatchObject({ sent: 'yes', cloudJob: { id: job?.cloudJobId } });
  });

  it('do not wait for the wished state after a cancel where nobody wants to know', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, converges: false });
    const underWay = bench.begin({ action: restart, target, before, verifyAfterCancel: false });
    setTimeout(() => underWay.cancel(), 60);
    const result = resultOf(await underWay.ended);
    expect(result.trail.at(-1)).toMatchObject({ note: 'not verified: the run was cancelled' });
  });
});
