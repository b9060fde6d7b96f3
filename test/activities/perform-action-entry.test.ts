/** `performAction`, the entry table: one test for each row, against the simulator over real HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/actions.js';
import { unseenAttemptMs } from '../../src/domain/limits.js';
import { quickLimits } from '../support/build.js';
import { failed, left, resultOf, startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const stop: Action = { action: 'stop' };
const restart: Action = { action: 'restart' };
/** A second attempt after one that was lost without a trace. */
const later = { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 };

describe('an attempt before which nothing was sent', () => {
  it('sends, follows and verifies', async () => {
    const { target, before } = await bench.instance();
    const result = resultOf(await bench.perform({ action: stop, target, before }));
    const [job] = await bench.control.accepted(target.instanceId);
    expect(result).toMatchObject({
      result: 'succeeded',
      sent: 'yes',
      cloudJobId: job?.cloudJobId,
      after: { status: 'STOPPED', lastJobId: job?.cloudJobId },
    });
    expect(result.trail.map(({ decision }) => decision)).toEqual(['entered', 'sent', 'accepted', 'verified']);
  });

  it('beats the cloud job id before anything else', async () => {
    const { target, before } = await bench.instance();
    const { heartbeats } = await bench.perform({ action: stop, target, before });
    expect(heartbeats[0]?.state).toMatchObject({ kind: 'following' });
  });

  it('skips with the reading as proof where the wished state holds', async () => {
    const { target, before } = await bench.instance({ status: 'STOPPED' });
    const result = resultOf(await bench.perform({ action: stop, target, before }));
    expect(result).toMatchObject({ result: 'skipped', sent: 'no', cloudJobId: null, after: { status: 'STOPPED' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('never skips a restart', async () => {
    const { target, before } = await bench.instance();
    expect(resultOf(await bench.perform({ action: restart, target, before }))).toMatchObject({
      result: 'succeeded',
      sent: 'yes',
    });
    expect(await bench.accepted(target)).toEqual(['restart']);
  });

  it('is TargetBusy, unsent, while a known cloud job is in flight', async () => {
    const { target } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({ name: 'TargetBusy', retryable: true, details: { sent: 'no' } });
    expect(ended.heartbeats.at(-1)?.state).toMatchObject({ kind: 'notSent' });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is TargetChanged, unsent, when a new cloud job appeared', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({
      name: 'TargetChanged',
      retryable: false,
      details: { sent: 'no', lastObservation: { status: 'RESTARTING' } },
    });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('gives way when readings stay older than what is known', async () => {
    const { target } = await bench.instance();
    const before = await bench.baseline(target, ['JOB-old']);
    await bench.control.change(target.instanceId, { lastJobId: 'JOB-old' });
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({ name: 'TargetBusy', details: { sent: 'no' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('does not act on a deleted instance', async () => {
    const { target, before } = await bench.instance();
    await bench.control.change(target.instanceId, { status: 'DELETED' });
    expect(failed(await bench.perform({ action: stop, target, before }))).toMatchObject({
      name: 'TargetNotFound',
      details: { sent: 'no' },
    });
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
      details: left({ kind: 'notSent', retryDelayMs: 50 }, 1, 50),
    });
    // Story 7: the first reading failed, somebody restarted it meanwhile; that is not ours to adopt.
    expect(failed(ended)).toMatchObject({ name: 'TargetChanged', details: { sent: 'no' } });
    expect(ended.heartbeats[0]?.state).toMatchObject({ kind: 'entered' });
  });
});

describe('an attempt before which something may have been sent', () => {
  it('follows the cloud job that was beaten, and never sends', async () => {
    const { target, before } = await bench.instance();
    const [instance] = [target.instanceId];
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, stop, 500);
    const details = left({ kind: 'following', cloudJobId, submittedAtMs: Date.now() });
    const result = resultOf(await bench.perform({ action: stop, target, before, attempt: 2, details }));
    expect(result).toMatchObject({ result: 'succeeded', sent: 'yes', cloudJobId });
    expect(await bench.control.accepted(instance)).toHaveLength(1);
  });

  it('adopts a new cloud job whose evidence fits (story 1)', async () => {
    const { target, before } = await bench.instance();
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, restart, 500);
    const result = resultOf(await bench.perform({ action: restart, target, before, ...later }));
    expect(result).toMatchObject({ sent: 'yes', cloudJobId, evidence: { createdByUs: true } });
    expect(result.trail.map(({ decision }) => decision)).toContain('leftNoTrace');
    expect(await bench.accepted(target)).toEqual(['restart']);
  });

  it.each([
    ['of somebody else', { action: 'restart' }],
    ['that creates the instance', { action: 'restart', jobType: 'PROVISION' }],
  ])('is Indeterminate beside a new cloud job %s', async (_case, foreign) => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, ...foreign });
    const ended = failed(await bench.perform({ action: stop, target, before, ...later }));
    expect(ended).toMatchObject({ name: 'Indeterminate', retryable: false, details: { sent: 'unknown' } });
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
    expect(ended).toMatchObject({ name: 'Indeterminate', details: { sent: 'unknown' } });
    expect(ended.message).toContain('no tasks');
  });

  it('reads until a known cloud job has ended, then goes on', async () => {
    const { target } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    expect(resultOf(await bench.perform({ action: stop, target, before, ...later }))).toMatchObject({
      result: 'succeeded',
    });
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('does not send again where the wished state holds, and counts it as ours (story 5)', async () => {
    const { target, before } = await bench.instance();
    await bench.control.change(target.instanceId, { status: 'STOPPED', availableReplica: 0 });
    const result = resultOf(await bench.perform({ action: stop, target, before, ...later }));
    expect(result).toMatchObject({
      result: 'succeeded',
      sent: 'unknown',
      cloudJobId: null,
      after: { status: 'STOPPED' },
    });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is skipped where the wished state held before the step already', async () => {
    const { target, before } = await bench.instance({ status: 'STOPPED' });
    expect(resultOf(await bench.perform({ action: stop, target, before, ...later }))).toMatchObject({
      result: 'skipped',
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
    const { cloudJobId } = await reservation.submitAction(target, stop, 500);
    await new Promise((resolve) => setTimeout(resolve, 140));
    const result = resultOf(await bench.perform({ action: stop, target, before, ...later }));
    expect(result).toMatchObject({ cloudJobId, sent: 'yes' });
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('sends a state-like action after a quiet window', async () => {
    const { target, before } = await bench.instance();
    const beganAtMs = Date.now();
    expect(resultOf(await bench.perform({ action: stop, target, before, ...later }))).toMatchObject({
      result: 'succeeded',
      sent: 'yes',
    });
    const [sent] = await bench.control.accepted(target.instanceId);
    expect((sent?.atMs ?? 0) - beganAtMs).toBeGreaterThanOrEqual(quickLimits().visibilityWindowMs);
    expect(await bench.accepted(target)).toEqual(['stop']);
  });

  it('never sends a restart again', async () => {
    const { target, before } = await bench.instance();
    const ended = failed(await bench.perform({ action: restart, target, before, ...later }));
    expect(ended).toMatchObject({ name: 'Indeterminate', retryable: false, details: { sent: 'unknown' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it.each([
    ['a workflow reset', { resetRun: true }],
    ['an activity reset (story 6a)', { attempt: 1, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 }],
    [
      'a reset of the same number (story 6b)',
      { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0, details: left({ kind: 'entered' }, 2) },
    ],
  ])('waits for a predecessor that may be alive after %s (story 9)', async (_case, chosen) => {
    const { target, before } = await bench.instance();
    const ended = failed(await bench.perform({ action: stop, target, before, ...chosen }));
    expect(ended).toMatchObject({
      name: 'Unanswered',
      retryable: true,
      nextRetryDelayMs: unseenAttemptMs(quickLimits()),
      details: { sent: 'unknown' },
    });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('leaves without a word when it is superseded', async () => {
    const { target, before } = await bench.instance();
    const ended = await bench.perform({
      action: stop,
      target,
      before,
      ...later,
      details: left({ kind: 'entered' }),
      superseded: true,
    });
    expect(ended.kind).toBe('leftWithoutAWord');
    expect(await bench.accepted(target)).toEqual([]);
  });
});
