/** `performAction`, the entry table: one test for each row, against the simulator over real HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/actions.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import { ServiceStageError } from '../../src/servicestage/errors.js';
import type { ServiceStage } from '../../src/servicestage/service-stage.js';
import { aFollowingState, anOnceState, anUnsentState, quickLimits } from '../support/build.js';
import { failed, resultOf, startBench, type Bench, type Chosen } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

const stop: Action = { action: 'stop' };
const restart: Action = { action: 'restart' };
const succeeded = { phase: { ending: { kind: 'succeeded' } } };
const skipped = { phase: { ending: { kind: 'skipped' } } };
/** Left by an attempt that is tried again, and proved that nothing was sent. */
const unsent = { sent: 'no', phase: { name: 'ended', ending: { kind: 'failed', retryInMs: expect.any(Number) } } };
/** A second attempt after one that was lost without a trace. */
const later = { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 };

describe('an attempt before which nothing was sent', () => {
  it('sends, follows and verifies', async () => {
    const { target, before } = await bench.instance();
    const result = resultOf(await bench.perform({ action: stop, target, before }));
    const [job] = await bench.control.accepted(target.instanceId);
    expect(result).toMatchObject({
      ...succeeded,
      sent: 'yes',
      cloudJob: { id: job?.cloudJobId },
      seen: { status: 'STOPPED', lastJobId: job?.cloudJobId },
    });
    expect(result.trail.map(({ decision }) => decision)).toEqual(['entered', 'sent', 'accepted', 'verified']);
  });

  it('beats the cloud job id before anything else', async () => {
    const { target, before } = await bench.instance();
    const { heartbeats } = await bench.perform({ action: stop, target, before });
    expect(heartbeats[0]).toMatchObject({ sent: 'yes', phase: { name: 'following' } });
  });

  it('skips with the reading as proof where the wished state holds', async () => {
    const { target, before } = await bench.instance({ status: 'STOPPED' });
    const result = resultOf(await bench.perform({ action: stop, target, before }));
    expect(result).toMatchObject({ ...skipped, sent: 'no', cloudJob: null, seen: { status: 'STOPPED' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('never skips a restart', async () => {
    const { target, before } = await bench.instance();
    expect(resultOf(await bench.perform({ action: restart, target, before }))).toMatchObject({
      ...succeeded,
      sent: 'yes',
    });
    expect(await bench.accepted(target)).toEqual(['restart']);
  });

  it('is TargetBusy, unsent, while a known cloud job is in flight', async () => {
    const { target } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({ name: 'TargetBusy', retryable: true, state: { sent: 'no' } });
    expect(ended.heartbeats.at(-1)).toMatchObject(unsent);
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is TargetChanged, unsent, when a new cloud job appeared', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({
      name: 'TargetChanged',
      retryable: false,
      state: { sent: 'no', seen: { status: 'RESTARTING' } },
    });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('gives way when readings stay older than what is known', async () => {
    const { target } = await bench.instance();
    const before = await bench.baseline(target, ['JOB-old']);
    await bench.control.change(target.instanceId, { lastJobId: 'JOB-old' });
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({ name: 'TargetBusy', state: { sent: 'no' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('does not act on a deleted instance', async () => {
    const { target, before } = await bench.instance();
    await bench.control.change(target.instanceId, { status: 'DELETED' });
    expect(failed(await bench.perform({ action: stop, target, before }))).toMatchObject({
      name: 'TargetNotFound',
      state: { sent: 'no' },
    });
  });

  it('does not believe one reading that does not find the instance', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'instance', instanceId: target.instanceId },
      fault: { kind: 'status', status: 404, code: 'SVCSTG.00100404' },
    });
    expect(resultOf(await bench.perform({ action: stop, target, before }))).toMatchObject(succeeded);
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('believes two readings in a row that do not find the instance', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'instance', instanceId: target.instanceId },
      times: 2,
      fault: { kind: 'status', status: 404, code: 'SVCSTG.00100404' },
    });
    expect(failed(await bench.perform({ action: stop, target, before }))).toMatchObject({
      name: 'TargetNotFound',
      retryable: false,
      state: { sent: 'no' },
    });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is one that follows an attempt which proved that nothing was sent', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const ended = await bench.perform({
      action: stop,
      target,
      before,
      attempt: 2,
      scheduledAgoMs: 200,
      attemptScheduledAgoMs: 0,
      previous: anUnsentState(50, { atMs: Date.now() - 50 }),
    });
    // Story 7: the first reading failed, somebody restarted it meanwhile; that is not ours to adopt.
    expect(failed(ended)).toMatchObject({ name: 'TargetChanged', state: { sent: 'no' } });
    // The barrier's heartbeat takes the proof back.
    expect(ended.heartbeats[0]).toMatchObject({ attempt: 2, phase: { name: 'barrier' } });
  });
});

describe('a token that has expired', () => {
  const expired = (serviceStage: ServiceStage): ServiceStage => ({
    ...serviceStage,
    reservePost: (options) => serviceStage.reservePost(options),
    readInstance: () =>
      Promise.reject(
        new ServiceStageError({ code: 'TokenExpired', sent: 'no', method: 'GET', path: '/x', reason: 'token expired' }),
      ),
  });
  const retrying = { failure: 'Unreachable', reason: 'away', failures: 3, sinceMs: 1, untilMs: 2 } as const;

  it.each([
    ['after other failures is renewed without a pause', retrying, (delayMs: number) => delayMs === 1],
    ['again is no reason to hurry', { ...retrying, tokenExpired: true as const }, (delayMs: number) => delayMs > 50],
  ])('%s', async (_what, earlier, isRight) => {
    const { target, before } = await bench.instance();
    const serviceStage = expired(bench.serviceStage);
    const previous = anOnceState({ atMs: Date.now(), retrying: earlier });
    const ended = failed(await bench.perform({ action: stop, target, before, attempt: 4, previous, serviceStage }));
    expect(ended).toMatchObject({ name: 'Unreachable', retryable: true });
    expect(ended.nextRetryDelayMs).toSatisfy(isRight);
    expect(ended.heartbeats.at(-1)?.retrying).toMatchObject({ failures: 4, tokenExpired: true });
  });
});

describe('an attempt before which something may have been sent', () => {
  it('follows the cloud job that was beaten, and never sends', async () => {
    const { target, before } = await bench.instance();
    const [instance] = [target.instanceId];
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, stop, { timeoutMs: 500 });
    const previous = aFollowingState(cloudJobId, Date.now());
    const result = resultOf(await bench.perform({ action: stop, target, before, attempt: 2, previous }));
    expect(result).toMatchObject({ ...succeeded, sent: 'yes', cloudJob: { id: cloudJobId } });
    expect(await bench.control.accepted(instance)).toHaveLength(1);
  });

  it('adopts a new cloud job whose evidence fits (story 1)', async () => {
    const { target, before } = await bench.instance();
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, restart, { timeoutMs: 500 });
    const result = resultOf(await bench.perform({ action: restart, target, before, ...later }));
    expect(result).toMatchObject({ sent: 'yes', cloudJob: { id: cloudJobId, evidence: { createdByUs: true } } });
    expect(result.trail.map(({ decision }) => decision)).toContain('leftNoTrace');
    expect(await bench.accepted(target)).toEqual(['restart']);
  });

  it.each([
    ['of somebody else', { action: 'restart' }],
    ['that creates the instance', { action: 'restart', jobType: 'PROVISION' }],
  ])('is Indeterminate beside a new cloud job %s', async (_case, foreign) => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, ...foreign });
    // Ours may still appear after it: that is waited for.
    const ended = failed(await bench.performToTheEnd({ action: stop, target, before, ...later }));
    expect(ended).toMatchObject({ name: 'Indeterminate', retryable: false, state: { sent: 'unknown', attempt: 3 } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is Indeterminate when a new cloud job shows no tasks for the whole window', async () => {
    const { target, before } = await bench.instance();
    await bench.control.switches({ taskCount: 0 });
    await bench.control.console({ instanceId: target.instanceId, action: 'stop' });
    const ended = failed(
      await bench.perform({
        action: stop,
        target,
        before,
        ...later,
        serviceStage: bench.client({ userId: 'c0ffee00c0ffee00c0ffee00c0ffee00' }),
      }),
    );
    await bench.control.switches({ taskCount: 3 });
    expect(ended).toMatchObject({ name: 'Indeterminate', state: { sent: 'unknown' } });
    expect(ended.message).toContain('no tasks');
  });

  it('reads until a known cloud job has ended, then goes on', async () => {
    const { target } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    expect(resultOf(await bench.perform({ action: stop, target, before, ...later }))).toMatchObject({
      ...succeeded,
    });
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('does not send again where the wished state holds, and counts it as ours (story 5)', async () => {
    const { target, before } = await bench.instance();
    await bench.control.change(target.instanceId, { status: 'STOPPED', availableReplica: 0 });
    const result = resultOf(await bench.perform({ action: stop, target, before, ...later }));
    expect(result).toMatchObject({
      ...succeeded,
      sent: 'unknown',
      cloudJob: null,
      seen: { status: 'STOPPED' },
    });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is skipped where the wished state held before the step already', async () => {
    const { target, before } = await bench.instance({ status: 'STOPPED' });
    expect(resultOf(await bench.perform({ action: stop, target, before, ...later }))).toMatchObject({
      ...skipped,
      sent: 'unknown',
    });
  });

  it('adopts when the cloud job shows within the window', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { instanceId: target.instanceId, route: 'action' },
      fault: { kind: 'visibleLate', ms: 200 },
    });
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, stop, { timeoutMs: 500 });
    await new Promise((resolve) => setTimeout(resolve, 140));
    const result = resultOf(await bench.perform({ action: stop, target, before, ...later }));
    expect(result).toMatchObject({ cloudJob: { id: cloudJobId }, sent: 'yes' });
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('sends a state-like action after a quiet window', async () => {
    const { target, before } = await bench.instance();
    const beganAtMs = Date.now();
    expect(resultOf(await bench.perform({ action: stop, target, before, ...later }))).toMatchObject({
      ...succeeded,
      sent: 'yes',
    });
    const [sent] = await bench.control.accepted(target.instanceId);
    expect((sent?.atMs ?? 0) - beganAtMs).toBeGreaterThanOrEqual(quickLimits().visibilityWindowMs);
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('never sends a restart again', async () => {
    const { target, before } = await bench.instance();
    const ended = failed(await bench.perform({ action: restart, target, before, ...later }));
    expect(ended).toMatchObject({ name: 'Indeterminate', retryable: false, state: { sent: 'unknown' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it.each([
    ['a workflow reset', { resetRun: true }],
    ['an activity reset (story 6a)', { attempt: 1, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 }],
    [
      'a reset of the same number (story 6b)',
      { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0, previous: anOnceState({ attempt: 2 }) },
    ],
  ])('waits for a predecessor that may be alive after %s (story 9)', async (_case, chosen) => {
    const { target, before } = await bench.instance();
    const ended = failed(await bench.perform({ action: stop, target, before, ...chosen }));
    expect(ended).toMatchObject({
      name: 'Unanswered',
      retryable: true,
      state: { sent: 'unknown' },
    });
    // What is left of fence, POST and visibility window since the reset, less the visibility window that was read through.
    const { nextRetryDelayMs = 0 } = ended;
    const longestMs = unseenAttemptMs(quickLimits()) - quickLimits().visibilityWindowMs;
    expect(nextRetryDelayMs).toBeLessThanOrEqual(longestMs);
    expect(nextRetryDelayMs).toBeGreaterThan(longestMs / 2);
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('adopts a cloud job that is older than its own schedule in a reset run, since it was decided before', async () => {
    const { target, before } = await bench.instance();
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, restart, { timeoutMs: 500 });
    const ended = async () => (await bench.control.accepted(target.instanceId)).every((job) => job.endedAtMs !== null);
    await until(ended);
    const limits = quickLimits({ clockSkewMs: 20 });
    const result = resultOf(await bench.perform({ action: restart, target, before, resetRun: true, limits }));
    expect(result).toMatchObject({ sent: 'yes', cloudJob: { id: cloudJobId, evidence: { createdByUs: true } } });
    expect(await bench.accepted(target)).toEqual(['restart']);
  });

  it('does not judge a cloud job while IAM does not answer who we are', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'stop' });
    await bench.control.fault({ on: { route: 'credential' }, fault: { kind: 'reset' } });
    // A client of its own: who we are is asked once.
    const serviceStage = bench.client();
    const first = failed(await bench.perform({ action: stop, target, before, ...later, serviceStage }));
    expect(first).toMatchObject({
      name: 'Unreachable',
      retryable: true,
      state: { sent: 'unknown', cloudJob: null },
    });
    const previous = first.heartbeats.at(-1);
    const next = { ...later, attempt: 3, ...(previous === undefined ? {} : { previous }) };
    const second = failed(await bench.performToTheEnd({ action: stop, target, before, ...next, serviceStage }));
    expect(second).toMatchObject({ name: 'Indeterminate', state: { sent: 'unknown', cloudJob: null } });
    expect(second.message).toContain('asked for it');
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('leaves without a word when it is superseded', async () => {
    const { target, before } = await bench.instance();
    const ended = await bench.perform({
      action: stop,
      target,
      before,
      ...later,
      previous: anOnceState(),
      standing: 'superseded',
    });
    expect(ended.kind).toBe('leftWithoutAWord');
    expect(await bench.accepted(target)).toEqual([]);
  });
});

describe('after a reset, the attempt before it', () => {
  const resets: [string, Partial<Chosen>][] = [
    ['a workflow reset', { resetRun: true }],
    ['an activity reset', { scheduledAgoMs: 500, attemptScheduledAgoMs: 0 }],
  ];

  /** The first attempt after the reset could not read; what it left for the second. */
  async function unreadable(chosen: Pick<Chosen, 'action' | 'target' | 'before'>, reset: Partial<Chosen>) {
    await bench.control.fault({
      on: { route: 'instance', instanceId: chosen.target.instanceId },
      fault: { kind: 'status', status: 503 },
    });
    const ended = failed(await bench.perform({ ...chosen, ...reset }));
    expect(ended).toMatchObject({ name: 'Unreachable', retryable: true, state: { sent: 'unknown' } });
    const previous = ended.heartbeats.at(-1);
    if (previous === undefined) throw new Error('It left nothing');
    return { ...reset, attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0, previous };
  }

  it.each(resets)('is still waited for by a second attempt that may send again (%s)', async (_case, reset) => {
    const { target, before } = await bench.instance();
    const second = await unreadable({ action: stop, target, before }, reset);
    const ended = failed(await bench.perform({ action: stop, target, before, ...second }));
    expect(ended).toMatchObject({ name: 'Unanswered', retryable: true, state: { sent: 'unknown' } });
    expect(ended.heartbeats.at(-1)?.clearAtMs).toBe(second.previous.clearAtMs);
    expect(await bench.accepted(target)).toEqual([]);
  });

  it.each(resets)('keeps a restart from being Indeterminate until it is over (%s)', async (_case, reset) => {
    const { target, before } = await bench.instance();
    const second = await unreadable({ action: restart, target, before }, reset);
    const ended = failed(await bench.perform({ action: restart, target, before, ...second }));
    expect(ended).toMatchObject({ name: 'Unanswered', retryable: true, state: { sent: 'unknown' } });
    expect(ended.nextRetryDelayMs).toBeLessThanOrEqual(unseenAttemptMs(quickLimits()));
    // Over while the third attempt reads through its quiet window.
    const previous = { ...second.previous, attempt: 2, clearAtMs: Date.now() + 100 };
    const third = failed(await bench.perform({ action: restart, target, before, ...second, attempt: 3, previous }));
    expect(third).toMatchObject({ name: 'Indeterminate', retryable: false, state: { sent: 'unknown' } });
    expect(await bench.accepted(target)).toEqual([]);
  });
});

describe('the barrier', () => {
  it.each([
    ['nothing sent, where that is proved', anUnsentState(100), 'no'],
    ['what may have been sent', anOnceState(), 'unknown'],
  ] as const)(
    'ends the attempt as cancelled where the server tells of a cancel, with %s',
    async (_case, left, sent) => {
      const { target, before } = await bench.instance();
      const previous = { ...left, atMs: Date.now() };
      const ended = failed(
        await bench.perform({ action: stop, target, before, ...later, previous, standing: 'cancelled' }),
      );
      expect(ended).toMatchObject({ name: 'cancelled', state: { sent, cloudJob: null, attempt: 2 } });
      expect(ended.state.trail.at(-1)).toMatchObject({ decision: 'stopped', note: 'cancel requested' });
      expect(await bench.accepted(target)).toEqual([]);
    },
  );
});
