/**
 * `performAction`, the send and what follows, against the simulator over real HTTP. Times and windows:
 * `test/unit/domain/once`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/target/actions.js';
import { aFollowingState, quickLimits } from '../support/build.js';
import type { Target } from '../../src/domain/target/target.js';
import { failed, resultOf, startBench, type Bench } from '../support/perform.js';
import { until } from '../support/until.js';

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

/** For a POST that a fault delays: it has been sent, and is not answered yet. */
function postArrives({ instanceId }: Target): Promise<void> {
  return until(async () => {
    const faults = await bench.control.faults();
    return faults.some(({ on, hits }) => on?.instanceId === instanceId && hits > 0);
  });
}

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

describe('the fence and the send lease', () => {
  it.each([
    ['is asked to end', 'WorkerStopped', { lease: new Promise<never>(() => {}) }],
    ['cannot ask', 'Unreachable', { lease: 'unclear' as const }],
    ['gets no answer', 'Unreachable', { lease: new Promise<never>(() => {}) }],
  ])('keep an attempt from sending if it %s when its connection is open', async (_case, name, lease) => {
    const { target, before } = await bench.instance();
    const limits = quickLimits({ leaseMs: 200 });
    const underWay = bench.begin({ action: stop, target, before, limits, ...lease });
    if (name === 'WorkerStopped') {
      await until(() => underWay.heartbeats.some(({ phase }) => phase.name === 'leasing'));
      underWay.shutDown();
    }
    const ended = failed(await underWay.ended);
    expect(ended).toMatchObject({ name, retryable: true, state: { sent: 'no' } });
    expect(ended.state.trail.map(({ decision }) => decision)).toContain('fenced');
    expect(ended.heartbeats.at(-1)).toMatchObject(unsent);
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('let an attempt end silently if it is superseded when its connection is open', async () => {
    const { target, before } = await bench.instance();
    const ended = await bench.perform({ action: stop, target, before, lease: 'superseded' });
    expect(ended.kind).toBe('leftSilently');
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('make a retryable failure final when the next attempt would come after the deadline', async () => {
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
  it('reports a cloud job that failed, with its reason', async () => {
    const { target, before } = await bench.instance();
    const outcome = { instanceId: target.instanceId, executionStatus: 'FAILED', messages: 'disk full' };
    await bench.control.outcome(outcome);
    const ended = failed(await bench.perform({ action: stop, target, before }));
    const state = { sent: 'yes', seen: { status: 'RUNNING' } };
    expect(ended).toMatchObject({ name: 'CloudJobFailed', retryable: false, state });
    expect(ended.message).toContain('disk full');
  });

  it('heartbeats by a timer, however rarely it polls', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, durationMs: 500 });
    const limits = { ...quickLimits(), heartbeatTimeoutMs: 900 };
    const { heartbeats } = await bench.perform({ action: stop, target, before, limits });
    // The send lease, the cloud job id, and at least one more.
    expect(heartbeats.length).toBeGreaterThan(2);
    expect(heartbeats.at(-1)).toMatchObject({ sent: 'yes', cloudJob: { id: expect.any(String) } });
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
    await postArrives(target);
    underWay.cancel();
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
    await postArrives(target);
    underWay.shutDown();
    const ended = failed(await underWay.ended);
    const [job] = await bench.control.accepted(target.instanceId);
    expect(ended).toMatchObject({
      name: 'WorkerStopped',
      retryable: true,
      state: { sent: 'yes', cloudJob: { id: job?.cloudJobId } },
    });
    expect(ended.heartbeats.at(-1)).toMatchObject({ sent: 'yes', cloudJob: { id: job?.cloudJobId } });
  });

  it('do not wait for the desired state after a cancel if the run does not need it', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, converges: false });
    const underWay = bench.begin({ action: restart, target, before, verifyAfterCancel: false });
    await until(async () => (await bench.accepted(target)).length === 1);
    underWay.cancel();
    const result = resultOf(await underWay.ended);
    expect(result.trail.at(-1)).toMatchObject({ note: 'not verified: the run was cancelled' });
  });
});
