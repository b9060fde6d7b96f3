/** An attempt before it sends, in virtual time: what its readings lead to, and how long it takes. */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../../../src/domain/actions.js';
import { sendableUntilMs, unseenAttemptMs } from '../../../../src/domain/once/limits.js';
import {
  aBaseline,
  aCloudJob,
  aFollowingState,
  anEndedState,
  anObservation,
  anOnceState,
  anUnsentState,
  defaultLimits as limits,
  failedWith,
} from '../../../support/build.js';
import { act, actAgain, commandKinds, decisions, requestFailed, type World } from './play-once.js';

const restart: Action = { action: 'restart' };
const never: World = { read: () => anObservation() };
const inFlight = anObservation({ lastJobStatus: 'RUNNING' });
/** When the attempt after a lost one begins. */
const AGAIN_MS = 70_000;

describe('the first attempt', () => {
  it('reserves, reads, connects, sends, follows and verifies', () => {
    const played = act();
    expect(commandKinds(played)).toEqual(['reserve', 'read', 'connect', 'send', 'poll', 'read', 'end']);
    expect(decisions(played)).toEqual(['entered', 'sent', 'accepted', 'verified']);
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, seen: { lastJobId: 'JOB-1' } });
    expect(played.ending).toEqual({ kind: 'succeeded' });
  });

  it('waits for nothing before its send', () => {
    expect(act().sentAtMs).toBe(1_000);
  });

  it('records the cloud job at once, and nothing before', () => {
    const { recorded } = act();
    expect(recorded).toHaveLength(1);
    expect(recorded[0]).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, phase: { name: 'following' } });
  });

  it('reads a stale replica four times, then gives way', () => {
    const before = aBaseline({ lastJobId: 'JOB-0' }, ['JOB-old', 'JOB-0']);
    const played = act({ read: () => anObservation({ lastJobId: 'JOB-old' }) }, { before });
    expect(played.ending).toMatchObject({ kind: 'failed', failure: 'TargetBusy', retryInMs: limits.quietMs });
    expect(played.state.sent).toBe('no');
    expect(played.endedAtMs).toBe(1_000 + 3 * limits.quietMs);
  });

  it('does not act on a deleted instance', () => {
    const { ending, state } = act({ read: () => anObservation({ status: 'DELETED' }) });
    expect(ending).toMatchObject({ failure: 'TargetNotFound', retryInMs: null });
    expect(state.sent).toBe('no');
  });

  it('never skips a restart', () => {
    expect(act({}, { action: restart }).sentAtMs).toBe(1_000);
    const stopped = act({ read: () => anObservation({ status: 'STOPPED' }) });
    expect(stopped).toMatchObject({ sentAtMs: null, ending: { kind: 'skipped' }, state: { sent: 'no' } });
  });

  it('does not believe one reading that does not find the instance, and believes two in a row', () => {
    const missing = requestFailed({ failure: 'TargetNotFound', request: 'no', message: 'not found' });
    const once = act({ read: (atMs, sentAtMs) => (atMs === 1_000 ? missing : stoppedOnceSent(sentAtMs)) });
    expect(once.ending).toEqual({ kind: 'succeeded' });
    expect(once.sentAtMs).toBe(1_000 + limits.quietMs);
    const twice = act({ read: () => missing });
    expect(twice.ending).toMatchObject({ failure: 'TargetNotFound', retryInMs: null });
    expect(twice.state.sent).toBe('no');
  });

  it('counts missing readings in a row only', () => {
    const missing = requestFailed({ failure: 'TargetNotFound', request: 'no' });
    const before = aBaseline({ lastJobId: 'JOB-0' }, ['JOB-old', 'JOB-0']);
    let reads = 0;
    const read: World['read'] = (_atMs, sentAtMs) =>
      [missing, anObservation({ lastJobId: 'JOB-old' }), missing][reads++] ?? stoppedOnceSent(sentAtMs);
    expect(act({ read }, { before }).ending).toEqual({ kind: 'succeeded' });
  });

  it.each([
    ['reserve', 'reserve'],
    ['read', 'read'],
  ] as const)('gives up unsent when %s takes until it may not send any more', (_case, kind) => {
    const played = act({ takesMs: { [kind]: 3_600_000 } });
    expect(played.ending).toMatchObject({ failure: 'Throttled' });
    expect(played.state.sent).toBe('no');
    expect(played.endedAtMs).toBe(sendableUntilMs(1_000, limits));
  });

  it.each([
    ['a reservation that is refused', { reserve: requestFailed({ failure: 'Throttled', request: 'no' }) }, 'Throttled'],
    ['a reading that fails', { read: () => requestFailed() }, 'Unreachable'],
    [
      'a reading that cannot be read',
      { read: () => requestFailed({ failure: 'UnreadableAnswer' }) },
      'UnreadableAnswer',
    ],
  ] as const)('ends unsent at %s, and is tried again', (_case, world, failure) => {
    const { ending, state, recorded } = act(world);
    expect(ending).toMatchObject({ kind: 'failed', failure, retryInMs: expect.any(Number) });
    expect(state).toMatchObject({ sent: 'no', retrying: { failure, failures: 1 } });
    expect(recorded).toEqual([state]);
  });

  it('waits as long as an answer says before it is tried again', () => {
    const { ending } = act({ read: () => requestFailed({ failure: 'Throttled', retryAfterMs: 12_345 }) });
    expect(ending).toMatchObject({ retryInMs: 12_345 });
  });

  it('gives up for good at the fifth attempt whose readings have an unknown shape', () => {
    const read = () => requestFailed({ failure: 'UnreadableAnswer' });
    const facts = { attempt: 5, attemptScheduledAtMs: 20_000 };
    expect(act({ read }, {}, { facts }).ending).toMatchObject({ failure: 'UnreadableAnswer', retryInMs: null });
  });

  it('is tried again without a pause where the token had expired, once', () => {
    const world: World = { read: () => requestFailed({ request: 'no', tokenExpired: true }) };
    const first = act(world);
    expect(first.ending).toMatchObject({ failure: 'Unreachable', retryInMs: 1 });
    const facts = { attempt: 2, attemptScheduledAtMs: first.endedAtMs + 1 };
    expect(act(world, {}, { facts, previous: first.state }).ending).toMatchObject({ retryInMs: 2 * limits.quietMs });
  });

  it('ends for good, with the reason, where the next attempt would come after the deadline', () => {
    const { ending, recorded } = act({ read: () => requestFailed() }, { deadlineAtMs: 1_000 + limits.quietMs });
    expect(ending).toMatchObject({ failure: 'Unreachable', retryInMs: null });
    expect(ending).toMatchObject({ message: '503 (the deadline of the step has passed)' });
    expect(recorded).toEqual([]);
  });

  it('proves nothing any more once it is so old that another attempt may be at work', () => {
    const lateMs = limits.heartbeatTimeoutMs - limits.marginMs + 1;
    const facts = { attemptScheduledAtMs: 1_000 };
    // It begins in time by its own clock: nobody told it that it was frozen.
    const noBarrier = { ...limits, lateStartMs: 3_600_000 };
    const young = act({}, { limits: noBarrier }, { facts, nowMs: 1_000 + lateMs - 1 });
    expect(young.state.sent).toBe('no');
    expect(act({}, { limits: noBarrier }, { facts, nowMs: 1_000 + lateMs }).state.sent).toBe('unknown');
  });
});

describe('an attempt after a lost one', () => {
  it('sends a state-like action only after a whole visibility window of quiet readings', () => {
    const played = actAgain();
    expect(played.sentAtMs).toBe(AGAIN_MS + limits.visibilityWindowMs);
    expect(played.ending).toEqual({ kind: 'succeeded' });
  });

  it('begins the window anew after a reading that was not quiet', () => {
    const movedMs = AGAIN_MS + limits.quietMs;
    const read: World['read'] = (atMs, sentAtMs) => (atMs === movedMs ? inFlight : stoppedOnceSent(sentAtMs));
    expect(actAgain({ read }).sentAtMs).toBe(movedMs + limits.quietMs + limits.visibilityWindowMs);
  });

  it('never sends a restart, and says so only when nothing can appear any more', () => {
    const played = actAgain(never, { action: restart });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', failure: 'Indeterminate' });
    expect(played.endedAtMs).toBe(AGAIN_MS + limits.visibilityWindowMs);
    expect(played.sentAtMs).toBeNull();
  });

  it('takes the desired state for its own work after the window', () => {
    const played = actAgain({ read: () => anObservation({ status: 'STOPPED' }) });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    expect(played.state).toMatchObject({ sent: 'unknown', cloudJob: null });
    expect(decisions(played)).toContain('alreadyDone');
    expect(played.endedAtMs).toBe(AGAIN_MS + limits.visibilityWindowMs);
  });

  it('skips where the desired state held before the step', () => {
    const played = actAgain(
      { read: () => anObservation({ status: 'STOPPED' }) },
      { before: aBaseline({ status: 'STOPPED' }) },
    );
    expect(played.ending).toEqual({ kind: 'skipped' });
    expect(played.state.sent).toBe('unknown');
  });

  it('waits for a known cloud job while it could still send, then lets the next attempt do so', () => {
    const { ending, state, endedAtMs } = actAgain({ read: () => inFlight });
    expect(ending).toMatchObject({ failure: 'TargetBusy', retryInMs: expect.any(Number) });
    expect(state.sent).toBe('unknown');
    expect(endedAtMs).toBeGreaterThan(AGAIN_MS);
    expect(endedAtMs).toBeLessThan(AGAIN_MS + limits.heartbeatTimeoutMs / 2);
  });

  it('adopts a new cloud job whose evidence fits', () => {
    const played = actAgain({ read: () => anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' }) });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1', evidence: { createdByUs: true } } });
    expect(decisions(played)).toEqual(['leftNoTrace', 'entered', 'adopted', 'verified']);
    expect(played.recorded[0]).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' } });
  });

  it('adopts one that shows while it waits for quiet', () => {
    const showsMs = AGAIN_MS + limits.quietMs;
    const read: World['read'] = (atMs) =>
      atMs < showsMs ? anObservation() : anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' });
    expect(actAgain({ read })).toMatchObject({ sentAtMs: null, ending: { kind: 'succeeded' }, state: { sent: 'yes' } });
  });

  it.each([
    ['of somebody else', () => aCloudJob({ createdBy: 'them' })],
    ['that cannot be read', () => requestFailed()],
  ] satisfies [string, World['job']][])('does not send beside a new cloud job %s', (_case, job) => {
    const played = actAgain({ read: () => anObservation({ lastJobId: 'JOB-1' }), job });
    expect(played.ending).toMatchObject({ kind: 'failed' });
    expect(played.state).toMatchObject({ sent: 'unknown', cloudJob: null });
    expect(played.sentAtMs).toBeNull();
  });

  it.each([
    ['that shows no tasks', () => aCloudJob({ tasks: [] })],
    ['that the API does not know', () => null],
  ] satisfies [string, World['job']][])('inspects a new cloud job %s for the visibility window', (_case, job) => {
    const played = actAgain({ read: () => anObservation({ lastJobId: 'JOB-1' }), job });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', message: expect.stringContaining('no tasks') });
    expect(played.endedAtMs).toBe(AGAIN_MS + limits.visibilityWindowMs);
  });

  it('is told Indeterminate only once nothing can appear any more, by a later attempt', () => {
    const world: World = {
      read: () => anObservation({ lastJobId: 'JOB-1' }),
      job: () => aCloudJob({ createdBy: 'them' }),
    };
    const first = actAgain(world);
    expect(first.ending).toMatchObject({ failure: 'Unanswered', retryInMs: limits.visibilityWindowMs });
    const facts = { attempt: 3, attemptScheduledAtMs: first.state.clearAtMs };
    const second = act(world, {}, { facts, previous: first.state });
    expect(second.ending).toMatchObject({ kind: 'indeterminate', failure: 'Indeterminate' });
  });

  it('follows the cloud job that the lost one recorded, without asking anybody', () => {
    const previous = aFollowingState('JOB-1', 1_000);
    const played = act(
      { read: () => anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' }) },
      {},
      {
        facts: { attempt: 2, attemptScheduledAtMs: AGAIN_MS },
        previous,
      },
    );
    expect(commandKinds(played)).toEqual(['poll', 'read', 'end']);
    expect(played.recorded[0]).toMatchObject({ attempt: 2, cloudJob: { id: 'JOB-1' } });
    expect(decisions(played)).toEqual(['entered', 'followed', 'verified']);
    expect(played.ending).toEqual({ kind: 'succeeded' });
  });

  it('names the newest attempts that left no trace, three at most', () => {
    const attempt = 9;
    const { state } = act({ read: () => requestFailed() }, {}, { facts: { attempt, attemptScheduledAtMs: AGAIN_MS } });
    expect(state.trail[0]).toMatchObject({ decision: 'leftNoTrace', attempt: attempt - 3, count: 3 });
  });
});

describe('after a reset', () => {
  const inResetRun = { decidedInRunId: 'an earlier run' };
  const clearAtMs = 1_000 + unseenAttemptMs(limits);

  it('a state-like action is sent by a later attempt, once the attempt before the reset is clear', () => {
    const first = act({}, {}, { facts: inResetRun });
    expect(first.ending).toMatchObject({ failure: 'Unanswered', retryInMs: clearAtMs - first.endedAtMs });
    expect(first.sentAtMs).toBeNull();
    const facts = { ...inResetRun, attempt: 2, attemptScheduledAtMs: clearAtMs };
    const second = act({}, {}, { facts, previous: first.state });
    expect(second.sentAtMs).toBe(clearAtMs + limits.visibilityWindowMs);
    expect(second.ending).toEqual({ kind: 'succeeded' });
  });

  it('a restart becomes Indeterminate only then', () => {
    const first = act(never, { action: restart }, { facts: inResetRun });
    expect(first.ending).toMatchObject({ failure: 'Unanswered', retryInMs: clearAtMs - first.endedAtMs });
    const facts = { ...inResetRun, attempt: 2, attemptScheduledAtMs: clearAtMs };
    const second = act(never, { action: restart }, { facts, previous: first.state });
    expect(second.ending).toMatchObject({ kind: 'indeterminate' });
  });

  it('a later attempt that could not read keeps the time', () => {
    const first = act({ read: () => requestFailed() }, {}, { facts: inResetRun });
    expect(first.state).toMatchObject({ sent: 'unknown', clearAtMs });
    const facts = { ...inResetRun, attempt: 2, attemptScheduledAtMs: first.endedAtMs + limits.quietMs };
    const second = act({}, {}, { facts, previous: first.state });
    expect(second.state.clearAtMs).toBe(clearAtMs);
    expect(second.ending).toMatchObject({ failure: 'Unanswered', retryInMs: clearAtMs - second.endedAtMs });
  });

  it('a cloud job older than the new schedule is ours from when the baseline was read on', () => {
    const before = aBaseline({ observedAtMs: 1_000 });
    const oldJob = aCloudJob({ status: 'SUCCEEDED' });
    const facts = { scheduledAtMs: 500_000, attemptScheduledAtMs: 500_000 };
    const world: World = { read: () => anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' }), job: () => oldJob };
    const reset = act(world, { before, deadlineAtMs: 1_000_000 }, { facts: { ...facts, ...inResetRun } });
    expect(reset.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' } });
    const lost = { ...facts, attempt: 2, attemptScheduledAtMs: 570_000 };
    expect(act(world, { before, deadlineAtMs: 1_000_000 }, { facts: lost }).state.cloudJob).toBeNull();
  });
});

describe('the barrier', () => {
  const previous = anUnsentState(5_000, { atMs: 10_000 });
  const facts = { attempt: 2, attemptScheduledAtMs: 15_000 };

  it('is asked before anything else where something was left', () => {
    const played = act({}, {}, { facts, previous });
    expect(commandKinds(played)).toEqual(['askServer', 'reserve', 'read', 'connect', 'send', 'poll', 'read', 'end']);
    expect(played.ending).toEqual({ kind: 'succeeded' });
  });

  it('starts the age of the attempt anew, from when it asked', () => {
    // Handed out later than an attempt may send.
    const nowMs = 15_000 + 2 * limits.heartbeatTimeoutMs;
    const { sentAtMs, ending } = act({ takesMs: { askServer: 1_000 } }, {}, { facts, previous, nowMs });
    expect(sentAtMs).toBe(nowMs + 1_000);
    expect(ending).toEqual({ kind: 'succeeded' });
    const late = act(
      { takesMs: { askServer: 1_000, read: limits.heartbeatTimeoutMs } },
      {},
      { facts, previous, nowMs },
    );
    expect(late.endedAtMs).toBe(sendableUntilMs(nowMs, limits));
  });

  it.each([
    ['the server names another one', { standing: 'superseded' }],
    ['the server does not answer in time', { takesMs: { askServer: limits.readTimeoutMs + 1 } }],
  ] satisfies [string, World][])('lets an attempt leave without a word where %s', (_case, world) => {
    const played = act(world, {}, { facts, previous });
    expect(played.ending).toEqual({ kind: 'superseded' });
    expect(played.recorded).toEqual([]);
    expect(played.sentAtMs).toBeNull();
  });

  it.each([
    ['nothing was sent, where that is proved', previous, 'no'],
    ['something may have been sent', anOnceState(), 'unknown'],
    [
      'something may have been sent, by an attempt that ended',
      anEndedState(failedWith('Unanswered', 5_000)),
      'unknown',
    ],
  ] as const)('ends the attempt as cancelled where the server says so: %s', (_case, left, sent) => {
    const played = act({ standing: 'cancelled' }, {}, { facts, previous: left });
    expect(played.ending).toMatchObject({ kind: 'cancelled' });
    expect(played.state.sent).toBe(sent);
    expect(played.state.trail.at(-1)).toMatchObject({ decision: 'stopped', note: 'cancel requested' });
  });
});

function stoppedOnceSent(sentAtMs: number | null) {
  return anObservation(sentAtMs === null ? {} : { status: 'STOPPED', lastJobId: 'JOB-1' });
}
