import { describe, expect, it } from 'vitest';
import {
  cancelLines,
  explainAbsence,
  explainSilence,
  isPolled,
  type ActivityFacts,
  type RunFacts,
} from '../../../../src/domain/run/run-facts.js';

const NOW = 1_000_000;
const poller = (agoMs: number, identity = '42@host project 0123456789abcdef') => ({
  identity,
  lastAccessAtMs: NOW - agoMs,
});
const activity = (change: Partial<ActivityFacts> = {}): ActivityFacts => ({
  ...{ name: 'performAction', attempt: 1, state: 'taken', atMs: NOW - 60_000, heartbeatAtMs: NOW - 5_000 },
  ...{ heartbeatTimeoutMs: 65_000, worker: '42@host project 0123456789abcdef', lastFailure: null },
  ...change,
});
const facts = (change: Partial<RunFacts> = {}, activities: readonly ActivityFacts[] = []): RunFacts => ({
  ...{
    workflowId: 'run-1',
    status: 'RUNNING',
    taskQueue: 'runbooks',
    startedAtMs: 0,
    planned: true,
    cancelRequested: false,
  },
  workflows: [{ workflowId: 'run-1', summary: 'stop on a/b/c', turn: null, activities, pinnedTo: null }],
  pollers: [poller(1_000)],
  ...change,
});
const waiting = (agoMs: number, taken = false): Partial<RunFacts> => ({
  workflows: [
    { workflowId: 'run-1', summary: null, turn: { sinceMs: NOW - agoMs, taken }, activities: [], pinnedTo: null },
  ],
});
const keyOf = (given: RunFacts) => explainSilence(given, NOW)?.key ?? null;

const pinnedTo = { deploymentName: 'runbooks', buildId: '1.4.2' };
const pinned = ({ workflows, ...others }: RunFacts): RunFacts => ({
  ...others,
  workflows: workflows.map((workflow) => ({ ...workflow, pinnedTo })),
});

describe('a run without news', () => {
  it.each<[string, RunFacts, string | null]>([
    ['makes progress', facts(), null],
    ['is at a worker', facts({}, [activity()]), null],
    ['waits briefly for its turn', facts(waiting(1_000)), null],
    ['was taken a moment ago', facts(waiting(1_000, true)), null],
    ['waits for a worker', facts(waiting(8_000)), 'untaken run-1'],
    ['is with a worker that has not answered', facts(waiting(9_500, true)), 'unanswered run-1'],
    [
      'waits on a queue that no worker ever polled',
      facts({ ...waiting(8_000), pollers: [] }),
      'untaken run-1,abandoned',
    ],
    [
      'waits on a queue that no worker polls any more',
      facts({ ...waiting(8_000), pollers: [poller(120_000)] }),
      'untaken run-1,abandoned',
    ],
    ['waits for a worker of its version', pinned(facts(waiting(8_000))), 'untaken run-1,pinned run-1'],
    ['is at a worker of its version', pinned(facts({}, [activity()])), null],
    ['waits while the server names no pollers', facts({ ...waiting(8_000), pollers: null }), 'untaken run-1'],
    ['sleeps while no worker polls any more', facts({ pollers: [poller(120_000)] }), 'abandoned'],
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
    [
      'has a step whose worker sent no heartbeat',
      facts({}, [activity({ heartbeatAtMs: null })]),
      'quiet performAction 1',
    ],
    [
      'is at the next attempt',
      facts({}, [activity({ atMs: NOW - 2_000, attempt: 4, lastFailure: 'Throttled: 429' })]),
      'retry performAction',
    ],
    ['has recovered from its failures', facts({}, [activity({ attempt: 4, lastFailure: 'Throttled: 429' })]), null],
    [
      'tries a step again',
      facts({}, [activity({ state: 'backingOff', atMs: NOW + 9_000, attempt: 4, lastFailure: 'Throttled: 429' })]),
      'retry performAction',
    ],
  ])('%s', (_name, given, key) => expect(keyOf(given)).toBe(key));

  it('names who asked last, since when, and what to type', () => {
    const lines = explainSilence(
      facts({ ...waiting(8_000), pollers: [poller(90_000, 'a'), poller(200_000, 'b')] }),
      NOW,
    )?.lines;
    expect(lines).toEqual([
      'No worker has taken run-1 since 1970-01-01T00:16:32Z',
      'No worker polls any more. The last one, a, asked the task queue "runbooks" for work at 1970-01-01T00:15:10Z. Start one with: runbook worker. The run is safe, and continues as soon as one runs',
    ]);
  });

  it("names a target's workflow by its runbook and path", () => {
    const [summary, turn] = ['restart on shop/checkout/prod-1', { sinceMs: NOW - 8_000, taken: false }];
    const workflows = [{ workflowId: 'runbook-target/p/i', summary, turn, activities: [], pinnedTo: null }];
    expect(explainSilence(facts({ workflows }), NOW)?.lines[0]).toMatch(
      /^No worker has taken restart on shop\/checkout\/prod-1 since/,
    );
  });

  it.each([
    ['runbooks', 'run', 'Start one with: runbook worker. The run is safe, and continues as soon as one runs'],
    ['mine', 'plan', 'Start one with: RUNBOOK_TASK_QUEUE=mine runbook worker. The plan is made as soon as one runs'],
  ] as const)('names the queue %s before the command only if necessary, for a %s', (taskQueue, awaited, words) => {
    const lines = explainSilence(facts({ ...waiting(8_000), taskQueue, pollers: [] }), NOW, awaited)?.lines;
    expect(lines?.[1]).toContain(words);
  });

  it('gives clock times only, which stay true while they are shown', () => {
    const given = [
      facts({ ...waiting(8_000), pollers: [poller(20_000)] }),
      facts(waiting(9_500, true)),
      facts({}, [activity({ heartbeatAtMs: NOW - 40_000 })]),
      facts({}, [activity({ heartbeatAtMs: null })]),
      facts({}, [activity({ state: 'waiting', atMs: NOW - 9_000 })]),
    ];
    for (const each of given) expect(explainSilence(each, NOW)?.lines.join()).not.toMatch(/\bago\b|for \d+s/);
  });

  it('explains what becomes of a run, or of a plan, while Temporal does not answer', () => {
    expect(explainAbsence('run-1', NOW, 'run').lines).toEqual([
      'Temporal has not answered since 1970-01-01T00:16:40Z; the run is not affected. Follow it, once Temporal answers, with: runbook watch run-1',
    ]);
    expect(explainAbsence('run-1', NOW, 'plan').lines.join()).not.toContain('the run');
  });

  it('reports a cancel', () => {
    expect(cancelLines(facts())).toEqual([]);
    expect(cancelLines(facts({ cancelRequested: true })).join()).toMatch(/^The run was cancelled/);
  });

  it('names when another worker takes over', () => {
    const lines = explainSilence(facts({}, [activity({ heartbeatAtMs: NOW - 40_000 })]), NOW)?.lines;
    expect(lines?.[0]).toBe(
      'The worker 42@host sent its last heartbeat for the step of stop on a/b/c at 1970-01-01T00:16:00Z; another worker takes over at 1970-01-01T00:17:05Z',
    );
  });

  it('keeps its key while only time passes, and gives the reason why a step is tried again', () => {
    const given = facts({}, [
      activity({ state: 'backingOff', atMs: NOW + 9_000, attempt: 4, lastFailure: 'Throttled: 429' }),
    ]);
    expect(explainSilence(given, NOW + 4_000)?.key).toBe(keyOf(given));
    expect(explainSilence(given, NOW)?.lines).toEqual([
      'The step of stop on a/b/c is tried again at 1970-01-01T00:16:49Z (attempt 4): Throttled: 429',
    ]);
  });

  it('has a worker only where one has polled within its minute', () => {
    expect(
      [[], [poller(120_000)], [poller(60_000)], [poller(120_000), poller(0)]].map((list) => isPolled(list, NOW)),
    ).toEqual([false, false, true, true]);
  });
});
