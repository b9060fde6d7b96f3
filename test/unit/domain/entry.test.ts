import { describe, expect, it } from 'vitest';
import type { Action } from '../../../src/domain/actions.js';
import {
  entryMove,
  isFirstLike,
  needsBarrier,
  predecessorUntilMs,
  readingAge,
  type AttemptFacts,
  type EntryMove,
} from '../../../src/domain/once/entry.js';
import { unseenAttemptMs } from '../../../src/domain/once/limits.js';
import { aBaseline, anObservation, defaultLimits, someDetails } from '../../support/build.js';

function facts(change: Partial<AttemptFacts> = {}): AttemptFacts {
  return {
    attempt: 1,
    runId: 'r',
    originalRunId: 'r',
    scheduledAtMs: 100,
    attemptScheduledAtMs: 100,
    enteredAtMs: 200,
    details: null,
    ...change,
  };
}

describe('an attempt is first-like', () => {
  const notSent = (attempt: number, atMs = 1_000) =>
    someDetails({ kind: 'notSent', retryDelayMs: 5_000 }, attempt, atMs);
  const latest = 1_000 + 5_000 + defaultLimits.heartbeatTimeoutMs / 2;
  it.each<[string, Partial<AttemptFacts>, boolean]>([
    ['when it is the first of its run', {}, true],
    ['but not a second one without details', { attempt: 2, attemptScheduledAtMs: 500 }, false],
    ['but not in a reset run', { originalRunId: 'other' }, false],
    ['but not after an activity reset, which moves its schedule', { attemptScheduledAtMs: 101 }, false],
    ['when the attempt before left notSent', { attempt: 2, attemptScheduledAtMs: 6_000, details: notSent(1) }, true],
    [
      'at the latest time a next attempt can have been scheduled',
      { attempt: 2, attemptScheduledAtMs: latest, details: notSent(1) },
      true,
    ],
    [
      'but not later: an attempt between was lost',
      { attempt: 2, attemptScheduledAtMs: latest + 1, details: notSent(1) },
      false,
    ],
    [
      'but not on a notSent of an attempt before the last',
      { attempt: 3, attemptScheduledAtMs: 6_000, details: notSent(1) },
      false,
    ],
    [
      'but not on its own number after a reset',
      { attempt: 2, attemptScheduledAtMs: 6_000, details: notSent(2) },
      false,
    ],
    [
      'but not when the attempt before had entered',
      { attempt: 2, details: someDetails({ kind: 'entered' }, 1) },
      false,
    ],
    ['but not as attempt 1 with details', { details: someDetails({ kind: 'entered' }, 1) }, false],
  ])('%s', (_case, change, expected) => {
    expect(isFirstLike(facts(change), defaultLimits)).toBe(expected);
  });
});

describe('an attempt asks the server before it reads', () => {
  it.each<[string, Partial<AttemptFacts>, boolean]>([
    ['when it finds details', { attempt: 2, details: someDetails({ kind: 'entered' }) }, true],
    ['when it begins late', { enteredAtMs: 100 + defaultLimits.lateStartMs + 1 }, true],
    ['but not when it begins in time without details', { enteredAtMs: 100 + defaultLimits.lateStartMs }, false],
  ])('%s', (_case, change, expected) => {
    expect(needsBarrier(facts(change), defaultLimits)).toBe(expected);
  });
});

describe('an attempt from before a reset', () => {
  // Fence, POST and visibility window: 75 s after this attempt was scheduled.
  const after = 100 + unseenAttemptMs(defaultLimits);
  const entered = someDetails({ kind: 'entered' }, 1);
  it.each<[string, Partial<AttemptFacts>, boolean, number | null]>([
    ['may be alive beside attempt 1 of a reset run', { originalRunId: 'earlier' }, false, after],
    [
      'may be alive when the attempt number did not grow',
      { attempt: 2, details: someDetails({ kind: 'entered' }, 2) },
      false,
      after,
    ],
    ['is not there after an ordinary retry', { attempt: 2, details: entered }, false, null],
    ['is not there for a first-like attempt', {}, true, null],
    [
      'is not forgotten by the attempts after it',
      { attempt: 2, details: { ...entered, predecessorUntilMs: 70_000 } },
      false,
      70_000,
    ],
  ])('%s', (_case, change, firstLike, expected) => {
    expect(predecessorUntilMs(facts(change), firstLike, defaultLimits)).toBe(expected);
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
  ])('%s', (_case, action, reading, firstLike, otherwise) => {
    expect(entryMove(true, action, before, reading)).toBe(firstLike);
    expect(entryMove(false, action, before, reading)).toBe(otherwise);
  });

  it('takes an instance that never had a cloud job as its own baseline', () => {
    const fresh = aBaseline({ lastJobId: null, lastJobStatus: null });
    expect(entryMove(true, stop, fresh, anObservation({ lastJobId: null, lastJobStatus: null }))).toBe('send');
    expect(readingAge(fresh, anObservation({ lastJobId: 'JOB-1' }))).toBe('new');
  });
});
