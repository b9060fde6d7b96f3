/** What a workflow concludes from an activity that failed: `sent: no` only if the state in its failure has it. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { smallState, type OnceState } from '../../../src/domain/once/state.js';
import { unseenAttemptMs } from '../../../src/domain/once/limits.js';
import { nothingSent, stateAfter } from '../../../src/domain/once/activity-end.js';
import { activityEnd } from '../../../src/workflows/activity-failure.js';
import {
  aFollowingState,
  anEndedState,
  anObservation,
  anUnsentState,
  defaultLimits as limits,
  failedWith,
} from '../../support/build.js';

const NOW_MS = 500_000;
const decided = { nowMs: NOW_MS, decidedAtMs: 1_000, limits };
const UNSEEN_MS = NOW_MS + unseenAttemptMs(limits);

function ofActivity(cause: Error): ActivityFailure {
  return new ActivityFailure(
    'Activity task failed',
    'performAction',
    '1',
    RetryState.NON_RETRYABLE_FAILURE,
    'w',
    cause,
  );
}

const stateOf = (cause: Error) => stateAfter(activityEnd(ofActivity(cause)), decided);
const applicationFailure = (type: string, details: unknown[] = []) =>
  ApplicationFailure.create({ type, message: 'the reason', details });
const timeout = (heartbeat?: unknown) => new TimeoutFailure('timed out', heartbeat, TimeoutType.SCHEDULE_TO_CLOSE);

/** Anything may have been sent, and may still be about to be. */
const unreported = { sent: 'unknown', cloudJob: null, clearAtMs: UNSEEN_MS, decidedAtMs: 1_000, attempt: 0 };

describe('an activity that failed', () => {
  it('is taken by its state', () => {
    const state = anEndedState(failedWith('TargetChanged'), { sent: 'no', attempt: 4 });
    expect(stateOf(applicationFailure('TargetChanged', [state]))).toEqual(state);
  });

  it('is final when the time of all attempts is over, even if its state expected another attempt', () => {
    const small = smallState(anUnsentState(5_000, { attempt: 4, atMs: NOW_MS }));
    expect(stateOf(applicationFailure('Unreachable', [small]))).toMatchObject({
      sent: 'no',
      attempt: 4,
      phase: { ending: { kind: 'failed', failure: 'Unreachable', message: 'the reason', retryInMs: null } },
    });
  });

  const LONG_AGO_MS = NOW_MS - unseenAttemptMs(limits) - 1;
  it.each([
    ['a failure', (state: OnceState) => applicationFailure('Unreachable', [state])],
    ['a cancellation', (state: OnceState) => new CancelledFailure('the reason', [state])],
  ])('may have sent something if %s is old enough to be that of an older attempt', (_case, of) => {
    const late = anUnsentState(5_000, { attempt: 2, atMs: LONG_AGO_MS });
    expect(stateOf(of(late))).toMatchObject({ sent: 'unknown', clearAtMs: UNSEEN_MS, attempt: 2 });
    expect(stateOf(of({ ...late, atMs: LONG_AGO_MS + 1 }))).toMatchObject({ sent: 'no', clearAtMs: 0 });
  });

  it.each([
    [
      'knows the cloud job',
      'CloudJobFailed',
      anEndedState(failedWith('CloudJobFailed'), { ...aFollowingState('JOB-1', 2_000), atMs: LONG_AGO_MS }),
    ],
    [
      'saw that somebody else acted',
      'TargetChanged',
      anEndedState(failedWith('TargetChanged'), { sent: 'no', atMs: LONG_AGO_MS }),
    ],
  ])('is taken by its state, however late, if it %s', (_case, failure, state) => {
    expect(stateOf(applicationFailure(failure, [state]))).toEqual(state);
  });

  it.each([
    ['without details', applicationFailure('Unreachable'), 'Unreachable'],
    ['whose details are something else', applicationFailure('TargetBusy', ['the reason']), 'TargetBusy'],
    ['by a name that is not ours', applicationFailure('TypeError'), 'Unanswered'],
    ['in another way', new TerminatedFailure('the reason'), 'Unanswered'],
  ])('may have sent something if it failed %s', (_case, cause, failure) => {
    expect(stateOf(cause)).toMatchObject({
      ...unreported,
      phase: { name: 'ended', ending: { kind: 'failed', failure, message: 'the reason', retryInMs: null } },
    });
  });
});

describe('an activity that was cancelled', () => {
  it('before it was scheduled sent nothing', () => {
    const state = stateAfter(activityEnd(new CancelledFailure('the reason')), decided);
    expect(state).toMatchObject({ sent: 'no', clearAtMs: 0, phase: { ending: { kind: 'cancelled' } } });
  });

  it('is taken by its state', () => {
    const state = anEndedState({ kind: 'cancelled', message: 'the reason' }, { sent: 'no', attempt: 2, atMs: NOW_MS });
    expect(stateOf(new CancelledFailure('the reason', [state]))).toEqual(state);
    // At the barrier only the client learns of a cancel, and the server accepts an ordinary failure.
    expect(stateOf(applicationFailure('cancelled', [state]))).toEqual(state);
  });

  it.each([
    ['has no details', new CancelledFailure('the reason')],
    ['has other details', new CancelledFailure('the reason', ['TIMED_OUT'])],
  ])('may have sent something if it %s', (_case, cause) => {
    expect(stateOf(cause)).toMatchObject({
      ...unreported,
      phase: { ending: { kind: 'cancelled', message: 'the reason' } },
    });
  });
});

describe('an activity whose time is over', () => {
  it('has nothing of what its heartbeats only show', () => {
    const tasks = { atMs: 1, total: 3, done: 1, before: 0, shown: [] };
    expect(stateOf(timeout({ ...aFollowingState('JOB-1', 2_000), tasks }))).not.toHaveProperty('tasks');
  });

  it('has the cloud job of its newest heartbeat', () => {
    const heartbeat = aFollowingState('JOB-1', 2_000, { attempt: 3, clearAtMs: 70_000 });
    const { phase: _following, ...known } = heartbeat;
    expect(stateOf(timeout(heartbeat))).toMatchObject({
      ...known,
      phase: { name: 'ended', ending: { kind: 'failed', failure: 'CloudJobOverdue', retryInMs: null } },
    });
  });

  it.each<[string, OnceState]>([
    ['a proof', anUnsentState(5_000)],
    ['no cloud job', anEndedState(failedWith('Unanswered', 5_000))],
  ])('may have sent something if its newest heartbeat contains %s, and keeps its trail', (_case, left) => {
    const heartbeat = {
      ...left,
      attempt: 3,
      seen: anObservation(),
      trail: [{ attempt: 3, atMs: 1, decision: 'entered' }],
    };
    const { trail, seen } = heartbeat;
    expect(stateOf(timeout(heartbeat))).toMatchObject({ ...unreported, attempt: 3, trail, seen });
  });

  it.each([
    ['nothing', undefined],
    ['something else', { attempt: 3 }],
  ])('may have sent something if its newest heartbeat contains %s', (_case, heartbeat) => {
    expect(stateOf(timeout(heartbeat))).toMatchObject({
      ...unreported,
      phase: { name: 'ended', ending: { kind: 'failed', failure: 'Unanswered', retryInMs: null } },
    });
  });
});

it('a step that did not begin sent nothing', () => {
  const state = nothingSent(failedWith('TargetBusy'), { nowMs: NOW_MS, decidedAtMs: NOW_MS });
  expect(state).toMatchObject({ sent: 'no', clearAtMs: 0, attempt: 0, trail: [] });
});
