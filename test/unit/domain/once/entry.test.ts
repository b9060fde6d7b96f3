import { describe, expect, it } from 'vitest';
import type { Action } from '../../../../src/domain/target/actions.js';
import {
  clearAtMsOnEntry,
  entryMove,
  isProvenUnsent,
  isUnleasedOnEntry,
  needsBarrier,
  readingAge,
  type EntryMove,
} from '../../../../src/domain/once/entry.js';
import type { AttemptFacts } from '../../../../src/domain/once/events.js';
import { unseenAttemptMs } from '../../../../src/domain/once/limits.js';
import { asHeartbeat, type OnceState, type Phase } from '../../../../src/domain/once/state.js';
import {
  aBaseline,
  aFollowingState,
  anEndedState,
  anObservation,
  anOnceState,
  anUnsentState,
  aSendingState,
  attemptFacts,
  defaultLimits,
  failedWith,
} from '../../../support/build.js';

/** Proved unsent, at 10,000 ms, and tried again after 5 s. */
const unsent = (change: Partial<OnceState> = {}) => anUnsentState(5_000, { atMs: 10_000, ...change });
const second = (change: Partial<AttemptFacts> = {}) =>
  attemptFacts({ attempt: 2, attemptScheduledAtMs: 15_000, ...change });
const inResetRun = attemptFacts({ decidedInRunId: 'other' });
/** An activity reset moves the schedule of the attempt, and so does an unpause. */
const reset = attemptFacts({ attemptScheduledAtMs: 15_000 });

/** The latest schedule of the next attempt: the server may have waited for a worker, or for the heartbeat time-out. */
const LATEST_MS = 10_000 + 5_000 + defaultLimits.heartbeatTimeoutMs;
/** The server acknowledged this state. */
const atBarrier = (phase: Phase = { name: 'barrier', askedAtMs: 10_000, leftNothing: false }) =>
  anOnceState({ sent: 'no', atMs: 10_000, phase });

/** From this phase on nothing can be sent. */
const verifyingState = () =>
  aFollowingState('JOB-1', 2_000, {
    phase: { name: 'verifying', untilMs: 60_000, readings: 1, heldSinceMs: null, wasSeen: true },
  });

describe('nothing was sent before an attempt', () => {
  it.each<[string, AttemptFacts, OnceState | null, boolean]>([
    ['when it is the first of its run', attemptFacts(), null, true],
    // Only the server knows whether they were lost, or heartbeats were cleared by a reset.
    ['but not when the attempts before it left nothing', second(), null, false],
    ['when the attempt before proved it', second(), unsent(), true],
    ['when it was scheduled as late as a retry can be', second({ attemptScheduledAtMs: LATEST_MS }), unsent(), true],
    ['when the attempt before was lost at the barrier, with that proof', second(), atBarrier(), true],
    [
      'but not when it was scheduled later: an attempt between was lost',
      second({ attemptScheduledAtMs: LATEST_MS + 1 }),
      unsent(),
      false,
    ],
    ['but not when an attempt before the last proved it', second({ attempt: 3 }), unsent(), false],
    ['but not when an attempt of its own number proved it, before a reset', second(), unsent({ attempt: 2 }), false],
    [
      'when it was lost while it asked whether it is still the current attempt',
      second(),
      atBarrier({ name: 'unleased', askedAtMs: 10_000, failure: 'Unreachable', why: '503' }),
      true,
    ],
    ['but not when it was lost at the barrier long ago', second({ attemptScheduledAtMs: 60_000 }), atBarrier(), false],
    ['but not in a reset run', inResetRun, null, false],
    ['but not after an activity reset', reset, null, false],
    ['but not when the attempt before got a send lease', second(), aSendingState(), false],
    [
      'but not when the attempt before left no more than a heartbeat',
      second(),
      asHeartbeat(anOnceState({ sent: 'no' })),
      false,
    ],
    ['but not when the attempt before may have sent', second(), anEndedState(failedWith('Unanswered', 5_000)), false],
    ['but not when a cloud job is known', second(), aFollowingState('JOB-1', 2_000), false],
  ])('%s', (_case, facts, previous, expected) => {
    expect(isProvenUnsent(facts, previous, defaultLimits)).toBe(expected);
  });
});

describe('an attempt asks the server before it reads', () => {
  const { lateStartMs } = defaultLimits;
  it.each<[string, AttemptFacts, OnceState | null, number, boolean]>([
    ['when something was left', second(), aSendingState(), 15_000, true],
    ['when a proof was left', second(), unsent(), 15_000, true],
    ['in a reset run', inResetRun, null, 1_000, true],
    ['after an activity reset', reset, null, 15_000, true],
    ['when it begins late', attemptFacts(), null, 1_000 + lateStartMs + 1, true],
    ['but not when it begins in time and nothing was left', attemptFacts(), null, 1_000 + lateStartMs, false],
    ['when the attempts before it left nothing', second(), null, 15_000, true],
  ])('%s', (_case, facts, previous, nowMs, expected) => {
    expect(needsBarrier(facts, previous, nowMs, defaultLimits)).toBe(expected);
  });
});

describe('on entry, something sent earlier may still appear', () => {
  /** Heartbeat time-out and visibility window. */
  const UNSEEN_MS = unseenAttemptMs(defaultLimits);
  const WINDOW_MS = defaultLimits.visibilityWindowMs;
  const KNOWN_MS = 500_000;
  const NOW_MS = 16_000;
  const mayHaveSent = { sent: 'unknown' } as const;
  it.each<[string, AttemptFacts, OnceState | null, number]>([
    ['never, for the first attempt', attemptFacts(), null, 0],
    ['never, after one that proved that nothing was sent', second(), unsent(), 0],
    ['for heartbeat time-out and window when nothing was left', second(), null, NOW_MS + UNSEEN_MS],
    [
      'until the time that an attempt reported when it ended',
      second(),
      unsent({ ...mayHaveSent, clearAtMs: 20_000 }),
      20_000,
    ],
    ['never, after one that was lost while it verified', second(), verifyingState(), 0],
    [
      'for the visibility window after one that was lost with a send lease',
      second(),
      aSendingState(),
      15_000 + WINDOW_MS,
    ],
    [
      'equally long after one that was lost in a phase of a newer version',
      second(),
      anOnceState({ ...mayHaveSent, phase: { name: 'a phase of a newer version' } as unknown as Phase }),
      15_000 + WINDOW_MS,
    ],
    ['for heartbeat time-out and window beside attempt 1 of a reset run', inResetRun, null, NOW_MS + UNSEEN_MS],
    ['equally long after an activity reset', reset, null, NOW_MS + UNSEEN_MS],
    ['equally long when the attempt number did not grow', second(), aSendingState({ attempt: 2 }), NOW_MS + UNSEEN_MS],
    ['equally long when the attempt number fell', second(), aSendingState({ attempt: 7 }), NOW_MS + UNSEEN_MS],
    ['equally long when a proof is too old to be believed', second({ attempt: 3 }), unsent(), NOW_MS + UNSEEN_MS],
    ['never less than was known, after a lost attempt', second(), aSendingState({ clearAtMs: KNOWN_MS }), KNOWN_MS],
    ['never less than was known, after a reset', attemptFacts(), aSendingState({ clearAtMs: KNOWN_MS }), KNOWN_MS],
    ['never less than was known, after a proof', second(), unsent({ clearAtMs: KNOWN_MS }), KNOWN_MS],
  ])('%s', (_case, facts, previous, expected) => {
    expect(clearAtMsOnEntry(facts, previous, NOW_MS, defaultLimits)).toBe(expected);
  });
});

describe('the entry table', () => {
  const stop: Action = { action: 'stop' };
  const restart: Action = { action: 'restart' };
  const before = aBaseline({ lastJobId: 'JOB-1' }, ['JOB-0', 'JOB-1']);
  const at = (change: Parameters<typeof anObservation>[0]) => anObservation({ lastJobId: 'JOB-1', ...change });
  it.each<[string, Action, ReturnType<typeof anObservation>, EntryMove, EntryMove]>([
    ['an older known cloud job', stop, at({ lastJobId: 'JOB-0' }), 'stale', 'stale'],
    ['no cloud job although there was one', stop, at({ lastJobId: null }), 'stale', 'stale'],
    ['the baseline, moving', stop, at({ status: 'STOPPING' }), 'busy', 'busy'],
    ['the baseline, its cloud job in flight', stop, at({ lastJobStatus: 'RUNNING' }), 'busy', 'busy'],
    ['the baseline, its cloud job unclear', stop, at({ lastJobStatus: 'UNKNOWN' }), 'busy', 'busy'],
    ['the baseline, an unlisted status', stop, at({ status: 'HIBERNATING' }), 'busy', 'busy'],
    ['the baseline at rest, the desired state reached', stop, at({ status: 'STOPPED' }), 'skip', 'alreadyDone'],
    ['the baseline at rest, the desired state not reached', stop, at({}), 'send', 'quiet'],
    ['an edge action is never skipped', restart, at({}), 'send', 'quiet'],
    ['a new cloud job', stop, at({ lastJobId: 'JOB-9' }), 'changed', 'inspect'],
    [
      'a new cloud job, the desired state reached',
      stop,
      at({ lastJobId: 'JOB-9', status: 'STOPPED' }),
      'changed',
      'inspect',
    ],
    ['a deleted instance', stop, at({ status: 'DELETED' }), 'deleted', 'deleted'],
    ['a failed instance is at rest', stop, at({ status: 'FAILED', lastJobStatus: 'FAILED' }), 'send', 'quiet'],
  ])('%s', (_case, action, reading, provenUnsent, otherwise) => {
    expect(entryMove(true, action, before, reading)).toBe(provenUnsent);
    expect(entryMove(false, action, before, reading)).toBe(otherwise);
  });

  it('accepts an instance without any cloud job as the baseline', () => {
    const fresh = aBaseline({ lastJobId: null, lastJobStatus: null });
    expect(entryMove(true, stop, fresh, anObservation({ lastJobId: null, lastJobStatus: null }))).toBe('send');
    expect(readingAge(fresh, anObservation({ lastJobId: 'JOB-1' }))).toBe('new');
  });
});

describe('an end that may hide a lease', () => {
  const isUnleased = (facts: AttemptFacts, previous: OnceState) => isUnleasedOnEntry(facts, previous, defaultLimits);
  const unleased = unsent({ attempt: 2, isUnleased: true });

  it('was received late and belongs to the attempt directly before', () => {
    const third = attemptFacts({ attempt: 3, attemptScheduledAtMs: LATEST_MS });
    expect(isUnleased(third, unleased)).toBe(true);
    expect(isUnleased({ ...third, attemptScheduledAtMs: LATEST_MS + 1 }, unleased)).toBe(false);
  });

  it('was received late before a reset, which numbers attempts from 1 again', () => {
    expect(isUnleased(attemptFacts({ attemptScheduledAtMs: LATEST_MS }), unleased)).toBe(true);
    expect(isUnleased(attemptFacts({ attemptScheduledAtMs: LATEST_MS + 1 }), unleased)).toBe(false);
  });

  it('is not old for that reason if attempts after it were lost without a heartbeat', () => {
    expect(isUnleased(attemptFacts({ attempt: 4, attemptScheduledAtMs: LATEST_MS + 1 }), unleased)).toBe(true);
  });
});
