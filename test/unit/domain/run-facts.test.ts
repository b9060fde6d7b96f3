import { describe, expect, it } from 'vitest';
import { explainSilence, isPolled, type ActivityFacts, type RunFacts } from '../../../src/domain/run-facts.js';

const NOW = 1_000_000;
const poller = (agoMs: number, identity = '42@host') => ({ identity, lastAccessAtMs: NOW - agoMs });
const activity = (change: Partial<ActivityFacts> = {}): ActivityFacts => ({
  ...{ name: 'performAction', attempt: 1, state: 'taken', atMs: NOW - 60_000, heartbeatAtMs: NOW - 5_000 },
  ...{ heartbeatTimeoutMs: 65_000, worker: '42@host', lastFailure: null },
  ...change,
});
const facts = (change: Partial<RunFacts> = {}, activities: readonly ActivityFacts[] = []): RunFacts => ({
  ...{ workflowId: 'run-1', status: 'RUNNING', taskQueue: 'runbooks', startedAtMs: 0, planned: true },
  workflows: [{ workflowId: 'run-1', turn: null, activities }],
  pollers: [poller(1_000)],
  ...change,
});
const waiting = (agoMs: number, taken = false): Partial<RunFacts> => ({
  workflows: [{ workflowId: 'run-1', turn: { sinceMs: NOW - agoMs, taken }, activities: [] }],
});
const keyOf = (given: RunFacts) => explainSilence(given, NOW)?.key ?? null;

describe('a run of which nothing is heard', () => {
  it.each<[string, RunFacts, string | null]>([
    ['goes on', facts(), null],
    ['goes on at a worker', facts({}, [activity()]), null],
    ['waits for its turn a moment', facts(waiting(1_000)), null],
    ['is taken a moment ago', facts(waiting(1_000, true)), null],
    ['waits for a worker', facts(waiting(8_000)), 'untaken run-1'],
    ['is with a worker that has not answered', facts(waiting(9_500, true)), 'unanswered run-1'],
    ['waits where nobody ever polled', facts({ ...waiting(8_000), pollers: [] }), 'untaken run-1,abandoned'],
    [
      'waits where nobody polls any more',
      facts({ ...waiting(8_000), pollers: [poller(120_000)] }),
      'untaken run-1,abandoned',
    ],
    ['waits where the server names no pollers', facts({ ...waiting(8_000), pollers: null }), 'untaken run-1'],
    ['sleeps where nobody polls any more', facts({ pollers: [poller(120_000)] }), 'abandoned'],
    ['is paused', facts({ status: 'PAUSED' }), 'paused'],
    [
      'has a step that no worker has taken',
      facts({}, [activity({ state: 'waiting', atMs: NOW - 9_000 })]),
      'untaken performAction 1',
    ],
    [
      'has a step whose worker is silent',
      facts({}, [activity({ heartbeatAtMs: NOW - 40_000 })]),
      'quiet performAction 1',
    ],
    ['has a step whose worker never spoke', facts({}, [activity({ heartbeatAtMs: null })]), 'quiet performAction 1'],
    [
      'is at the next attempt',
      facts({}, [activity({ atMs: NOW - 2_000, attempt: 4, lastFailure: 'Throttled: 429' })]),
      'retry performAction',
    ],
    ['has got over its failures', facts({}, [activity({ attempt: 4, lastFailure: 'Throttled: 429' })]), null],
    [
      'tries a step again',
      facts({}, [activity({ state: 'backingOff', atMs: NOW + 9_000, attempt: 4, lastFailure: 'Throttled: 429' })]),
      'retry performAction',
    ],
  ])('%s', (_name, given, key) => expect(keyOf(given)).toBe(key));

  it('says who asked last, since when, and what to type', () => {
    const lines = explainSilence(
      facts({ ...waiting(8_000), pollers: [poller(90_000, 'a'), poller(200_000, 'b')] }),
      NOW,
    )?.lines;
    expect(lines?.[0]).toBe('No worker has taken run-1 for 8s (since 1970-01-01T00:16:32Z)');
    expect(lines?.[1]).toMatch(
      /^No worker polls any more: the last, a asked the task queue "runbooks" for work 1m 30s ago\. Start one with: runbook worker/,
    );
  });

  it('says when another worker takes over', () => {
    const lines = explainSilence(facts({}, [activity({ heartbeatAtMs: NOW - 40_000 })]), NOW)?.lines;
    expect(lines?.[0]).toBe(
      'The worker 42@host sent its last heartbeat for performAction 40s ago; another worker takes over at 1970-01-01T00:17:05Z',
    );
  });

  it('keeps its key while only the time goes on, and says why a step is tried again', () => {
    const given = facts({}, [
      activity({ state: 'backingOff', atMs: NOW + 9_000, attempt: 4, lastFailure: 'Throttled: 429' }),
    ]);
    expect(explainSilence(given, NOW + 4_000)?.key).toBe(keyOf(given));
    expect(explainSilence(given, NOW)?.lines).toEqual([
      'performAction is tried again at 1970-01-01T00:16:49Z (attempt 4): Throttled: 429',
    ]);
  });

  it('has a worker only where one has polled within its minute', () => {
    expect(
      [[], [poller(120_000)], [poller(60_000)], [poller(120_000), poller(0)]].map((list) => isPolled(list, NOW)),
    ).toEqual([false, false, true, true]);
  });
});
