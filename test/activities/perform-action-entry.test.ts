/**
 * `performAction` until it sends, against the simulator over real HTTP. What its readings lead to:
 * `test/unit/domain/once`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/target/actions.js';
import { unseenAttemptMs } from '../../src/domain/once/limits.js';
import { ServiceStageError } from '../../src/servicestage/errors.js';
import type { ServiceStage } from '../../src/servicestage/service-stage.js';
import { aFollowingState, anUnsentState, aSendingState, quickLimits } from '../support/build.js';
import { failed, resultOf, startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const stop: Action = { action: 'stop' };
const restart: Action = { action: 'restart' };
const succeeded = { phase: { ending: { kind: 'succeeded' } } };
const skipped = { phase: { ending: { kind: 'skipped' } } };
/** Left by an attempt that is tried again, and proved that nothing was sent. */
const unsent = { sent: 'no', phase: { name: 'ended', ending: { kind: 'failed', retryInMs: expect.any(Number) } } };
/** A second attempt after one that was lost once it had its send lease. */
const later = { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0, previous: aSendingState() };

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

  it('writes the send lease, then the cloud job id, before anything else', async () => {
    const { target, before } = await bench.instance();
    const { heartbeats } = await bench.perform({ action: stop, target, before });
    // On a slow machine some of the timer's come before.
    const leased = heartbeats.findIndex(({ phase }) => phase.name === 'leasing');
    expect(heartbeats[leased]).toMatchObject({ sent: 'unknown', cloudJob: null });
    expect(heartbeats[leased + 1]).toMatchObject({ sent: 'yes', phase: { name: 'following' } });
  });

  it('skips with the reading as proof where the desired state holds', async () => {
    const { target, before } = await bench.instance({ status: 'STOPPED' });
    const result = resultOf(await bench.perform({ action: stop, target, before }));
    expect(result).toMatchObject({ ...skipped, sent: 'no', cloudJob: null, seen: { status: 'STOPPED' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is TargetBusy, unsent, while a known cloud job is in flight', async () => {
    const { target } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, neverEnds: true });
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({ name: 'TargetBusy', retryable: true, state: { sent: 'no' } });
    expect(ended.heartbeats.at(-1)).toMatchObject(unsent);
    expect(await bench.accepted(target)).toEqual([]);
  });

  it('is TargetChanged, unsent, when a new cloud job appeared', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, neverEnds: true });
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const ended = failed(await bench.perform({ action: stop, target, before }));
    expect(ended).toMatchObject({
      name: 'TargetChanged',
      retryable: false,
      state: { sent: 'no', seen: { status: 'RESTARTING' } },
    });
    expect(await bench.accepted(target)).toEqual([]);
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
    await bench.control.outcome({ instanceId: target.instanceId, neverEnds: true });
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

  it('is renewed by the next attempt, without a pause', async () => {
    const { target, before } = await bench.instance();
    const serviceStage = expired(bench.serviceStage);
    const ended = failed(await bench.perform({ action: stop, target, before, serviceStage }));
    expect(ended).toMatchObject({ name: 'Unreachable', retryable: true, nextRetryDelayMs: 1, state: { sent: 'no' } });
    expect(ended.heartbeats.at(-1)?.retrying).toMatchObject({ failures: 1, tokenExpired: true });
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
    const result = resultOf(await bench.performToTheEnd({ action: restart, target, before, ...later }));
    expect(result).toMatchObject({ sent: 'yes', cloudJob: { id: cloudJobId, evidence: { createdByUs: true } } });
    expect(result.trail.map(({ decision }) => decision)).toContain('adopted');
    expect(await bench.accepted(target)).toEqual(['restart']);
  });

  it('is Indeterminate beside a new cloud job of somebody else', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const ended = failed(await bench.performToTheEnd({ action: stop, target, before, ...later }));
    expect(ended).toMatchObject({ name: 'Indeterminate', retryable: false, state: { sent: 'unknown' } });
    expect(await bench.accepted(target)).toEqual([]);
  });

  it.each([
    ['a workflow reset', { resetRun: true }],
    ['an activity reset (story 6a)', { attempt: 1, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 }],
  ])('waits for a predecessor that may be alive after %s (story 9)', async (_case, chosen) => {
    const { target, before } = await bench.instance();
    const resetAtMs = Date.now();
    expect(resultOf(await bench.performToTheEnd({ action: stop, target, before, ...chosen }))).toMatchObject(succeeded);
    const [sent] = await bench.control.accepted(target.instanceId);
    expect((sent?.atMs ?? 0) - resetAtMs).toBeGreaterThanOrEqual(unseenAttemptMs(quickLimits()));
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

  it('inspects a new cloud job again that the API does not know yet', async () => {
    const { target, before } = await bench.instance();
    const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
    const { cloudJobId } = await reservation.submitAction(target, restart, { timeoutMs: 500 });
    const fault = { kind: 'status', status: 404, code: 'SVCSTG.00100404' };
    await bench.control.fault({ on: { route: 'job' }, fault });
    const result = resultOf(await bench.performToTheEnd({ action: restart, target, before, ...later }));
    expect(result).toMatchObject({ ...succeeded, sent: 'yes', cloudJob: { id: cloudJobId } });
    expect((await bench.control.faults()).at(-1)?.hits).toBe(1);
    await bench.control.clearFaults();
  });

  it.each([
    ['is superseded', 'superseded'],
    // It stops waiting for the server's answer after the time limit of a read.
    ['cannot find out whether it is', new Promise<never>(() => {})],
  ] as const)('ends silently when it %s', async (_case, standing) => {
    const { target, before } = await bench.instance();
    const ended = await bench.perform({
      action: stop,
      target,
      before,
      ...later,
      standing,
    });
    expect(ended.kind).toBe('leftSilently');
    expect(await bench.accepted(target)).toEqual([]);
  });
});

describe('the barrier', () => {
  it.each([
    ['nothing sent, if that is proved', anUnsentState(100), 'no'],
    ['what may have been sent', aSendingState(), 'unknown'],
  ] as const)('ends the attempt as cancelled if the server reports a cancel, with %s', async (_case, left, sent) => {
    const { target, before } = await bench.instance();
    const previous = { ...left, atMs: Date.now() };
    const ended = failed(
      await bench.perform({ action: stop, target, before, ...later, previous, standing: 'cancelled' }),
    );
    expect(ended).toMatchObject({ name: 'cancelled', state: { sent, cloudJob: null, attempt: 2 } });
    expect(ended.state.trail.at(-1)).toMatchObject({ decision: 'stopped', note: 'cancel requested' });
    expect(await bench.accepted(target)).toEqual([]);
  });
});
