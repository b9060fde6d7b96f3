import { describe, expect, it } from 'vitest';
import type { Action } from '../../../../src/domain/actions.js';
import {
  clearAtMsOnEntry,
  entryMove,
  isProvenUnsent,
  needsBarrier,
  readingAge,
  type EntryMove,
} from '../../../../src/domain/once/entry.js';
import type { AttemptFacts } from '../../../../src/domain/once/events.js';
import { unseenAttemptMs } from '../../../../src/domain/once/limits.js';
import type { OnceState } from '../../../../src/domain/once/state.js';
import {
  aBaseline,
  aFollowingState,
  anEndedState,
  anObservation,
  anOnceState,
  anUnsentState,
  attemptFacts,
  defaultLimits,
  failedWith,
} from '../../../support/build.js';

/** An attempt that may be tried again after 5 s ended at 10,000 ms. */
const unsent = (change: Partial<OnceState> = {}) => anUnsentState(5_000, { atMs: 10_000, ...change });
/** The latest time at which the attempt after it can have been scheduled. */
const LATEST_MS = 10_000 + 5_000 + defaultLimits.heartbeatTimeoutMs / 2;
const second = (change: Partial<AttemptFacts> = {}) =>
  attemptFacts({ attempt: 2, attemptScheduledAtMs: 15_000, ...change });

describe('nothing was sent before an attempt', () => {
  it.each<[string, AttemptFacts, OnceState | null, boolean]>([
    ['when it is the first of its run', attemptFacts(), null, true],
    ['but not a second one of which nothing was left', second(), null, false],
    ['but not in a reset run', attemptFacts({ decidedInRunId: 'other' }), null, false],
    [
      'but not after an activity reset, which moves its schedule',
      attemptFacts({ attemptScheduledAtMs: 1_001 }),
      null,
      false,
    ],
    ['when the attempt before proved it', second(), unsent(), true],
    [
      'at the latest time a next attempt can have been scheduled',
      second({ attemptScheduledAtMs: LATEST_MS }),
      unsent(),
      true,
    ],
    ['but not later: an attempt between was lost', second({ attemptScheduledAtMs: LATEST_MS + 1 }), unsent(), false],
    ['but not on a proof of an attempt before the last', second({ attempt: 3 }), unsent(), false],
    ['but not on a proof of its own number, after a reset', second(), unsent({ attempt: 2 }), false],
    [
      'but not when the attempt before left nothing more than that it had begun',
      second(),
      anOnceState({ sent: 'no' }),
      false,
    ],
    [
      'but not when the attempt before may have sent',
      second(),
      anEndedState(failedWith('Unanswered', 5_000), { atMs: 10_000 }),
      false,
    ],
    ['but not as attempt 1 with something left', attemptFacts(), anOnceState(), false],
  ])('%s', (_case, facts, previous, expected) => {
    expect(isProvenUnsent(facts, previous, defaultLimits)).toBe(expected);
  });
});

describe('an attempt asks the server before it reads', () => {
  const { lateStartMs } = defaultLimits;
  it.each<[string, OnceState | null, number, boolean]>([
    ['when something was left', anOnceState(), 1_000, true],
    ['when a proof was left', unsent(), 1_000, true],
    ['when it begins late', null, 1_000 + lateStartMs + 1, true],
    ['but not when it begins in time and nothing was left', null, 1_000 + lateStartMs, false],
  ])('%s', (_case, previous, nowMs, expected) => {
    expect(needsBarrier(attemptFacts(), previous, nowMs, defaultLimits)).toBe(expected);
  });
});

describe('on entry, something sent earlier may still appear', () => {
  /** Fence, POST and visibility window. */
  const UNSEEN_MS = unseenAttemptMs(defaultLimits);
  const WINDOW_MS = defaultLimits.visibilityWindowMs;
  const NOW_MS = 16_000;
  const KNOWN_MS = 500_000;
  it.each<[string, AttemptFacts, OnceState | null, number]>([
    ['never, for the first attempt', attemptFacts(), null, 0],
    ['never, after one that proved that nothing was sent', second(), unsent(), 0],
    ['as long as what an attempt that ended said', second(), unsent({ sent: 'unknown', clearAtMs: 20_000 }), 20_000],
    ['for the visibility window after a lost attempt', second(), null, NOW_MS + WINDOW_MS],
    ['for the window after a lost attempt that left something', second(), anOnceState(), NOW_MS + WINDOW_MS],
    ['for the window where an attempt between was lost', second({ attempt: 3 }), unsent(), NOW_MS + WINDOW_MS],
    [
      'for fence, POST and window beside attempt 1 of a reset run',
      attemptFacts({ decidedInRunId: 'other' }),
      null,
      1_000 + UNSEEN_MS,
    ],
    ['for as long after an activity reset', attemptFacts({ attemptScheduledAtMs: 15_000 }), null, 15_000 + UNSEEN_MS],
    ['for as long where the attempt number did not grow', second(), anOnceState({ attempt: 2 }), 15_000 + UNSEEN_MS],
    ['for as long where the attempt number fell', second(), anOnceState({ attempt: 7 }), 15_000 + UNSEEN_MS],
    ['never less than was known, after a lost attempt', second(), anOnceState({ clearAtMs: KNOWN_MS }), KNOWN_MS],
    ['never less than was known, after a reset', attemptFacts(), anOnceState({ clearAtMs: KNOWN_MS }), KNOWN_MS],
    ['never less than was known, after an attempt that ended', second(), unsent({ clearAtMs: KNOWN_MS }), KNOWN_MS],
    [
      'while a cloud job is followed as after any lost attempt',
      second(),
      aFollowingState('JOB-1', 2_000),
      NOW_MS + WINDOW_MS,
    ],
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
    ['no cloud job where there was one', stop, at({ lastJobId: null }), 'stale', 'stale'],
    ['the baseline, moving', stop, at({ status: 'STOPPING' }), 'busy', 'wait'],
    ['the baseline, its cloud job in flight', stop, at({ lastJobStatus: 'RUNNING' }), 'busy', 'wait'],
    ['the baseline, its cloud job unclear', stop, at({ lastJobStatus: 'UNKNOWN' }), 'busy', 'wait'],
    ['the baseline, an unlisted status', stop, at({ status: 'HIBERNATING' }), 'busy', 'wait'],
    ['the baseline at rest, the wish fulfilled', stop, at({ status: 'STOPPED' }), 'skip', 'alreadyDone'],
    ['the baseline at rest, the wish not fulfilled', stop, at({}), 'send', 'quiet'],
    ['an edge action is never skipped', restart, at({}), 'send', 'quiet'],
    ['a new cloud job', stop, at({ lastJobId: 'JOB-9' }), 'changed', 'inspect'],
    ['a new cloud job, the wish fulfilled', stop, at({ lastJobId: 'JOB-9', status: 'STOPPED' }), 'changed', 'inspect'],
    ['a deleted instance', stop, at({ status: 'DELETED' }), 'gone', 'gone'],
    ['a failed instance is at rest', stop, at({ status: 'FAILED', lastJobStatus: 'FAILED' }), 'send', 'quiet'],
  ])('%s', (_case, action, reading, provenUnsent, otherwise) => {
    expect(entryMove(true, action, before, reading)).toBe(provenUnsent);
    expect(entryMove(false, action, before, reading)).toBe(otherwise);
  });

  it('takes an instance that never had a cloud job as its own baseline', () => {
    const fresh = aBaseline({ lastJobId: null, lastJobStatus: null });
    expect(entryMove(true, stop, fresh, anObservation({ lastJobId: null, lastJobStatus: null }))).toBe('send');
    expect(readingAge(fresh, anObservation({ lastJobId: 'JOB-1' }))).toBe('new');
  });
});
