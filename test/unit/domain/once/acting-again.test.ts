/** Attempts after which something may have been sent already, in virtual time: after a lost one, after a reset, at the barrier. */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../../../src/domain/target/actions.js';
import { unseenAttemptMs } from '../../../../src/domain/once/limits.js';
import {
  aBaseline,
  aCloudJob,
  aFollowingState,
  anEndedState,
  anObservation,
  anUnsentState,
  aSendingState,
  defaultLimits as limits,
  failedWith,
} from '../../../support/build.js';
import {
  act,
  actAgain,
  actToTheEnd,
  AGAIN_MS,
  commandKinds,
  decisions,
  requestFailed,
  type World,
} from './play-once.js';

const restart: Action = { action: 'restart' };
const never: World = { read: () => anObservation() };
const inFlight = anObservation({ lastJobStatus: 'RUNNING' });
/** What the lost attempt sent was accepted before the second one was scheduled. */
const CLEAR_MS = AGAIN_MS + limits.visibilityWindowMs;
const DEADLINE_MS = 601_000;

describe('an attempt after one that left no heartbeat', () => {
  const facts = { attempt: 2, attemptScheduledAtMs: AGAIN_MS };

  it('may send a restart after the visibility window if the server reports a time-out', () => {
    const played = actToTheEnd({ isAfterTimeout: true }, { action: restart }, { facts });
    expect(played.sentAtMs).toBe(CLEAR_MS);
  });

  it('remembers that when its own send lease is refused', () => {
    const first = actToTheEnd(
      { isAfterTimeout: true, lease: 'unclear' },
      { action: restart, deadlineAtMs: 95_000 },
      { facts },
    );
    expect(first.state).toMatchObject({ sent: 'unknown', isUnleased: true });
  });

  it('never sends a restart if the server reports no time-out', () => {
    const played = actToTheEnd(never, { action: restart }, { facts });
    expect(played).toMatchObject({ sentAtMs: null, ending: { kind: 'indeterminate' } });
  });

  it('otherwise waits until the one before can no longer be alive', () => {
    expect(actToTheEnd({}, {}, { facts }).sentAtMs).toBe(AGAIN_MS + unseenAttemptMs(limits) + limits.quietMs);
  });

  it('in a reset run waits, even after a time-out', () => {
    const inResetRun = { ...facts, decidedInRunId: 'an earlier run' };
    const { sentAtMs } = actToTheEnd({ isAfterTimeout: true }, {}, { facts: inResetRun });
    expect(sentAtMs).toBe(AGAIN_MS + unseenAttemptMs(limits) + limits.quietMs);
  });

  it('names up to three of the attempts before it, the newest ones', () => {
    const attempt = 9;
    const { state } = act({ read: () => requestFailed() }, {}, { facts: { ...facts, attempt } });
    expect(state.trail[0]).toMatchObject({ decision: 'leftNoTrace', attempt: attempt - 3, count: 3 });
  });
});

describe('after an attempt that was lost with a send lease, the next one', () => {
  it('asks the server before anything else', () => {
    expect(commandKinds(actAgain())[0]).toBe('askServer');
  });

  it('sends a state action only once nothing more can appear', () => {
    expect(actAgain()).toMatchObject({ sentAtMs: CLEAR_MS, ending: { kind: 'succeeded' } });
  });

  it('believes no reading that was asked for before that, however late its answer is read', () => {
    const previous = anEndedState(failedWith('WorkerStopped', 1), {
      attempt: 2,
      sent: 'unknown',
      atMs: CLEAR_MS - 5_000,
      clearAtMs: CLEAR_MS,
      seen: anObservation({ observedAtMs: CLEAR_MS - 10_000 }),
    });
    const facts = { attempt: 3, attemptScheduledAtMs: CLEAR_MS - 4_900 };
    // The latest moment at which it can show: the lease and the POST were as slow as they may be.
    const read: World['read'] = (atMs) =>
      atMs < CLEAR_MS - limits.marginMs ? anObservation() : anObservation({ lastJobId: 'JOB-1', status: 'STOPPED' });
    const played = actToTheEnd({ read, latencyMs: { read: 4_950 } }, {}, { facts, previous });
    expect(played).toMatchObject({
      sentAtMs: null,
      ending: { kind: 'succeeded' },
      state: { cloudJob: { id: 'JOB-1' } },
    });
  });

  it('sends only after two quiet readings', () => {
    const restMs = CLEAR_MS + 1;
    const read: World['read'] = (atMs, sentAtMs) => (atMs < restMs ? inFlight : stoppedOnceSent(sentAtMs));
    const { sentAtMs, commands } = actAgain({ read });
    const atRest = commands.find(({ state }) => state.seen?.lastJobStatus === 'SUCCEEDED')?.atMs;
    expect(sentAtMs).toBe((atRest ?? 0) + limits.quietMs);
  });

  it('never sends a restart, and reports Indeterminate only when nothing more can appear', () => {
    const played = actAgain(never, { action: restart });
    expect(played.ending).toMatchObject({ kind: 'indeterminate', failure: 'Indeterminate' });
    expect(played).toMatchObject({ endedAtMs: CLEAR_MS, sentAtMs: null });
  });

  it('counts the desired state as its own work, but not before that', () => {
    const played = actAgain({ read: () => anObservation({ status: 'STOPPED' }) });
    expect(played).toMatchObject({ ending: { kind: 'succeeded' }, endedAtMs: CLEAR_MS });
    expect(played.state).toMatchObject({ sent: 'unknown', cloudJob: null });
    expect(decisions(played)).toContain('alreadyDone');
  });

  it('skips the action if the desired state held before the step', () => {
    const before = aBaseline({ status: 'STOPPED' });
    const played = actAgain({ read: () => anObservation({ status: 'STOPPED' }) }, { before });
    expect(played).toMatchObject({ ending: { kind: 'skipped' }, state: { sent: 'unknown' } });
  });

  it('waits for a known cloud job, at most until the deadline', () => {
    const { ending, state, endedAtMs } = actAgain({ read: () => inFlight });
    expect(ending).toMatchObject({ failure: 'TargetBusy', retryInMs: null });
    expect(state.sent).toBe('unknown');
    expect(endedAtMs).toBeGreaterThan(DEADLINE_MS - 3 * limits.quietMs);
    expect(endedAtMs).toBeLessThanOrEqual(DEADLINE_MS);
  });

  it('adopts a new cloud job whose evidence fits', () => {
    const played = actAgain({ read: () => anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' }) });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1', evidence: { createdByUs: true } } });
    expect(decisions(played)).toEqual(['entered', 'entered', 'adopted', 'verified']);
    expect(played.recorded[0]).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' } });
  });

  it('adopts one that shows while it waits for quiet', () => {
    const showsMs = AGAIN_MS + limits.quietMs;
    const read: World['read'] = (atMs) =>
      atMs < showsMs ? anObservation() : anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' });
    expect(actAgain({ read })).toMatchObject({ sentAtMs: null, ending: { kind: 'succeeded' }, state: { sent: 'yes' } });
  });

  it.each([
    ['of somebody else', () => aCloudJob({ createdBy: 'them' }), 'them asked for it', CLEAR_MS],
    // Its tasks may show as late as it does.
    ['that shows no tasks', () => aCloudJob({ tasks: [] }), 'no tasks', CLEAR_MS + limits.visibilityWindowMs],
    ['that the API does not know', () => null, 'no tasks', CLEAR_MS + limits.visibilityWindowMs],
  ] satisfies [string, World['job'], string, number][])(
    'is Indeterminate beside a new cloud job %s, once nothing more can appear',
    (_case, job, why, endedAtMs) => {
      const played = actAgain({ read: () => anObservation({ lastJobId: 'JOB-1' }), job });
      expect(played.ending).toMatchObject({ kind: 'indeterminate', message: expect.stringContaining(why) });
      expect(played.state).toMatchObject({ sent: 'unknown', cloudJob: null });
      expect(played).toMatchObject({ sentAtMs: null, endedAtMs });
    },
  );

  it('concludes nothing when a new cloud job cannot be read', () => {
    const played = actAgain({ read: () => anObservation({ lastJobId: 'JOB-1' }), job: () => requestFailed() });
    expect(played.ending).toMatchObject({ kind: 'failed', failure: 'Unreachable', retryInMs: null });
    expect(played.state).toMatchObject({ sent: 'unknown', cloudJob: null });
    expect(played.sentAtMs).toBeNull();
  });
});

describe('an attempt after one that followed a cloud job', () => {
  it('follows it without asking the server', () => {
    const played = act(
      { read: () => anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' }) },
      {},
      { facts: { attempt: 2, attemptScheduledAtMs: AGAIN_MS }, previous: aFollowingState('JOB-1', 1_000) },
    );
    expect(commandKinds(played)).toEqual(['poll', 'read', 'end']);
    expect(played.recorded[0]).toMatchObject({ attempt: 2, cloudJob: { id: 'JOB-1' } });
    expect(decisions(played)).toEqual(['entered', 'followed', 'verified']);
    expect(played.ending).toEqual({ kind: 'succeeded' });
  });
});

describe('after a reset', () => {
  const unseenMs = unseenAttemptMs(limits);
  const inResetRun = { decidedInRunId: 'an earlier run' };

  it.each([
    ['of the workflow', inResetRun, 1_000 + unseenMs],
    ['of the activity', { attemptScheduledAtMs: AGAIN_MS }, AGAIN_MS + unseenMs],
  ])('%s, nothing is concluded while an earlier attempt may be alive', (_case, facts, clearAtMs) => {
    // A reading from before `clearAtMs` proves nothing: something may have been accepted after it.
    const concludedMs = clearAtMs + limits.quietMs;
    expect(actToTheEnd({}, {}, { facts }).sentAtMs).toBe(concludedMs);
    const restarted = actToTheEnd(never, { action: restart }, { facts });
    expect(restarted).toMatchObject({ ending: { kind: 'indeterminate' }, endedAtMs: concludedMs, sentAtMs: null });
  });

  it('of the activity, an earlier time-out proves nothing', () => {
    // Attempt 1 timed out, attempt 2 got the send lease, and the reset cleared its heartbeat.
    const facts = { attempt: 1, attemptScheduledAtMs: AGAIN_MS };
    const { sentAtMs } = actToTheEnd({ isAfterTimeout: true }, {}, { facts });
    expect(sentAtMs).toBe(AGAIN_MS + unseenMs + limits.quietMs);
  });

  it('a later attempt keeps the time when an earlier one could not read', () => {
    const clearAtMs = 1_000 + unseenMs;
    const first = act({ read: () => requestFailed() }, {}, { facts: inResetRun });
    expect(first.state).toMatchObject({ sent: 'unknown', clearAtMs });
    const facts = { ...inResetRun, attempt: 2, attemptScheduledAtMs: first.endedAtMs + limits.quietMs };
    const { sentAtMs } = actToTheEnd({}, {}, { facts, previous: first.state });
    expect(sentAtMs).toBe(clearAtMs + limits.quietMs);
  });

  it('a cloud job older than the new schedule can be ours if it began after the baseline was read', () => {
    const rules = { before: aBaseline({ observedAtMs: 1_000 }), deadlineAtMs: 1_000_000 };
    const facts = { scheduledAtMs: 500_000, attemptScheduledAtMs: 500_000 };
    const world: World = { read: () => anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' }) };
    const reset = act(world, rules, { facts: { ...facts, ...inResetRun } });
    expect(reset.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' } });
    const lost = { ...facts, attempt: 2, attemptScheduledAtMs: 570_000 };
    expect(act(world, rules, { facts: lost, previous: aSendingState() }).state.cloudJob).toBeNull();
  });
});

describe('the barrier', () => {
  const previous = anUnsentState(5_000, { atMs: 10_000 });
  const facts = { attempt: 2, attemptScheduledAtMs: 15_000 };

  it('is asked first when the attempt before left a proof', () => {
    const played = act({}, {}, { facts, previous });
    expect(commandKinds(played).slice(0, 3)).toEqual(['askServer', 'reserve', 'read']);
    expect(played.ending).toEqual({ kind: 'succeeded' });
  });

  it('counts the silence of a late attempt from when it asked', () => {
    const nowMs = 1_000 + 2 * limits.heartbeatTimeoutMs;
    const read = () => anObservation({ status: 'STOPPED' });
    const skips = (readLatencyMs: number) =>
      act({ read, isFrozen: true, latencyMs: { askServer: 1_000, read: readLatencyMs } }, {}, { nowMs }).state.sent;
    const leftMs = limits.heartbeatTimeoutMs - limits.marginMs - 1_000;
    expect(skips(leftMs)).toBe('no');
    expect(skips(leftMs + 1)).toBe('unknown');
  });

  it.each([
    ['the server names another one', { standing: 'superseded' }],
    ['the server cannot be asked', { standing: 'unclear' }],
    ['the server does not answer in time', { latencyMs: { askServer: limits.readTimeoutMs + 1 } }],
  ] satisfies [string, World][])('ends an attempt silently when %s', (_case, world) => {
    const played = act(world, {}, { facts, previous });
    expect(played).toMatchObject({ ending: { kind: 'superseded' }, recorded: [], sentAtMs: null });
  });

  it.each([
    ['nothing was sent, which is proved', previous, 'no'],
    ['something may have been sent', aSendingState(), 'unknown'],
    ['something may have been sent, by one that ended', anEndedState(failedWith('Unanswered', 5_000)), 'unknown'],
  ] as const)('ends the attempt as cancelled if the run was cancelled: %s', (_case, left, sent) => {
    const played = act({ standing: 'cancelled' }, {}, { facts, previous: left });
    expect(played.ending).toMatchObject({ kind: 'cancelled' });
    expect(played.state.sent).toBe(sent);
    expect(played.state.trail.at(-1)).toMatchObject({ decision: 'stopped', note: 'cancel requested' });
  });
});

function stoppedOnceSent(sentAtMs: number | null) {
  return anObservation(sentAtMs === null ? {} : { status: 'STOPPED', lastJobId: 'JOB-1' });
}
