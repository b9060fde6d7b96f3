/** Lists of runs: what is asked of the visibility store, how much of a long list is read, and what is left out. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { listRuns, type ListOptions } from '../../../src/client/list-runs.js';
import { queryOf } from '../../../src/client/run-query.js';
import { targetReport } from '../../../src/domain/report/target-report.js';
import { anObservation, aStepReport } from '../../support/build.js';

interface Stored {
  readonly workflowId: string;
  readonly type?: string;
  readonly runId?: string;
  readonly status?: string;
  readonly outcome?: string;
  readonly targets?: readonly string[];
  readonly state?: string;
  readonly requestedBy?: string;
  readonly reportedBy?: string;
  /** Targets of its report. */
  readonly reported?: readonly unknown[];
  /** How many targets its report does not name. */
  readonly dropped?: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** The schedule that started it. */
  readonly scheduledBy?: string;
  /** The workflow that started it. */
  readonly parent?: string;
  /** What its start arguments are; read only while it has no targets. */
  readonly input?: unknown;
}

interface StoreOptions {
  /** What describing a workflow id returns. */
  readonly newestRunId?: string;
  readonly lacksState?: boolean;
}

const cutOf = (dropped?: number) => (dropped === undefined ? {} : { cut: { targets: 0, gates: 0, dropped } });

/** A store that counts what is read. */
function storeOf(stored: Iterable<Stored>, { newestRunId, lacksState = false }: StoreOptions = {}) {
  const queries: string[] = [];
  const reads = { listed: 0, pages: 0, inputs: 0, described: 0, pageSize: 0 };
  const inputs = new Map<string, unknown>();
  const list = async function* ({ pageSize, query }: { pageSize: number; query: string }) {
    reads.pageSize = pageSize;
    queries.push(query);
    if (lacksState && query.includes('RunbookState'))
      throw Object.assign(new Error('invalid query'), { code: 3, details: '', metadata: {} });
    for (const {
      workflowId,
      outcome,
      targets = ['a/b/c'],
      requestedBy,
      reportedBy,
      reported,
      dropped,
      startedAtMs = 1_000,
      endedAtMs = 5_000,
      state,
      scheduledBy,
      parent,
      ...run
    } of stored) {
      // The one query with this condition asks for later runs that succeeded.
      if (query.includes("RunbookOutcome = 'succeeded'") && outcome !== 'succeeded') continue;
      if (reads.listed++ % pageSize === 0) reads.pages++;
      const { status = outcome === undefined ? 'RUNNING' : 'COMPLETED', type = 'restart', runId = workflowId } = run;
      inputs.set(workflowId, run.input);
      const report = { reportVersion: 1, outcome, requestedBy: reportedBy, targets: reported, ...cutOf(dropped) };
      yield {
        ...{ type, workflowId, runId, status: { name: status }, startTime: new Date(startedAtMs) },
        closeTime: status === 'RUNNING' ? undefined : new Date(endedAtMs),
        memo: {
          ...(requestedBy === undefined ? {} : { requestedBy }),
          ...(reportedBy === undefined && reported === undefined ? {} : { report }),
        },
        searchAttributes: {
          ...(targets.length === 0 ? {} : { RunbookTarget: targets }),
          ...(outcome === undefined ? {} : { RunbookOutcome: [outcome] }),
          ...(state === undefined ? {} : { RunbookState: [state] }),
          ...(scheduledBy === undefined ? {} : { TemporalScheduledById: [scheduledBy] }),
        },
        ...(parent === undefined ? {} : { parentExecution: { workflowId: parent, runId: 'r' } }),
      };
    }
  };
  const payloadOf = (value: unknown) => ({ data: value });
  const client = {
    options: {
      namespace: 'n',
      loadedDataConverter: {
        payloadCodecs: [],
        payloadConverter: { fromPayload: ({ data }: { data: unknown }) => data },
      },
    },
    workflow: {
      list: (options: { pageSize: number; query: string }) => list(options),
      getHandle: (id: string) => ({
        describe: async () => {
          reads.described++;
          if (newestRunId === 'deleted') throw new WorkflowNotFoundError('not found', id, undefined);
          return { runId: newestRunId ?? id };
        },
      }),
    },
    connection: {
      workflowService: {
        getWorkflowExecutionHistory: async ({ execution }: { execution: { workflowId: string } }) => {
          reads.inputs++;
          const payloads = [payloadOf(inputs.get(execution.workflowId))];
          return { history: { events: [{ workflowExecutionStartedEventAttributes: { input: { payloads } } }] } };
        },
      },
    },
  } as unknown as Client;
  const run = (options: ListOptions = {}) =>
    listRuns(
      { client, workflows: client.workflow, taskQueue: 'runbooks', nowMs: 10_000, within: (call) => call() },
      options,
    );
  return { reads, queries, run };
}

function* tenThousand(): Generator<Stored> {
  for (let index = 0; index < 10_000; index++)
    yield {
      workflowId: `run-${index}`,
      outcome: index % 997 === 0 ? 'indeterminate' : 'succeeded',
      requestedBy: index === 1_500 ? 'rare' : 'usual',
    };
}

describe('a list of 10,000 runs', () => {
  it('is read only as far as it is shown', async () => {
    const { reads, run } = storeOf(tenThousand());
    const { runs, more } = await run();
    expect(runs.map(({ workflowId }) => workflowId)).toEqual(Array.from({ length: 50 }, (_, index) => `run-${index}`));
    expect(more).toBe(true);
    // One more than the limit shows that there are more.
    expect(reads).toMatchObject({ listed: 51, pages: 3, inputs: 0, described: 0 });
  });

  it('has at most a thousand lines', async () => {
    const { runs, more } = await storeOf(tenThousand()).run({ limit: 5_000 });
    expect(runs).toHaveLength(1_000);
    expect(more).toBe(true);
  });

  it('is searched for a requester, which has no index, only so far, and then has more', async () => {
    const { reads, run } = storeOf(tenThousand());
    const found = await run({ requestedBy: 'rare' });
    expect(found.runs.map(({ workflowId }) => workflowId)).toEqual(['run-1500']);
    expect(found.more).toBe(true);
    expect(reads.listed).toBe(2_000);
    expect(await storeOf(tenThousand()).run({ requestedBy: 'unknown' })).toEqual({ runs: [], more: true });
  });

  it('that is shorter than the limit has no more', async () => {
    const { runs, more } = await storeOf([{ workflowId: 'one', outcome: 'failed' }]).run({ limit: 1 });
    expect(runs).toHaveLength(1);
    expect(more).toBe(false);
  });
});

describe('a listed run', () => {
  it('has the schedule or the alarm rule that started it as its requester, also while it is open', async () => {
    const { run } = storeOf([
      { workflowId: 'scheduled', scheduledBy: 'prod/nightly' },
      { workflowId: 'alarmed', parent: 'runbook-alarm-rule/prod/hung' },
      { workflowId: 'inside another workflow', parent: 'somebody-else' },
      { workflowId: 'both', outcome: 'succeeded', scheduledBy: 'prod/nightly', reportedBy: 'schedule prod/nightly' },
      { workflowId: 'by hand' },
    ]);
    const { runs } = await run();
    expect(runs.map(({ requestedBy }) => requestedBy)).toEqual([
      'schedule prod/nightly',
      'alarm rule prod/hung',
      null,
      'schedule prod/nightly',
      null,
    ]);
  });

  it('has what the store and its memo say', async () => {
    const { run } = storeOf([
      { workflowId: 'a', requestedBy: 'alice' },
      { workflowId: 'b', outcome: 'failed', requestedBy: 'from its start', reportedBy: 'from its report' },
    ]);
    const { runs } = await run();
    expect(runs[0]).toEqual({
      ...{ workflowId: 'a', runId: 'a', runbook: 'restart', targets: ['a/b/c'], status: 'RUNNING', open: true },
      ...{ outcome: null, startedAtMs: 1_000, endedAtMs: null, requestedBy: 'alice', attention: null, left: [] },
    });
    expect(runs[1]).toMatchObject({ open: false, outcome: 'failed', endedAtMs: 5_000, requestedBy: 'from its report' });
  });

  it('that plans is distinguished from a dry run by its start arguments', async () => {
    const { runs } = await storeOf([
      { workflowId: 'dry', targets: [], input: { dryRun: true } },
      { workflowId: 'planning', targets: [], input: { requestedBy: 'carol' } },
      { workflowId: 'odd', targets: [], input: 'text' },
    ]).run();
    expect(runs.map(({ workflowId, requestedBy }) => [workflowId, requestedBy])).toEqual([
      ['planning', 'carol'],
      ['odd', null],
    ]);
  });

  it('needs a person by its outcome, its state, or because it left no report', async () => {
    const stored = [
      { workflowId: 'fine', outcome: 'succeeded' },
      { workflowId: 'unclear', outcome: 'indeterminate' },
      { workflowId: 'waits', state: 'waitingForApproval' },
      { workflowId: 'lost', status: 'TERMINATED' },
    ];
    const { runs } = await storeOf(stored).run({ needsAttention: true });
    expect(runs.map(({ workflowId, attention }) => [workflowId, attention])).toEqual([
      ['unclear', 'indeterminate'],
      ['waits', 'waitingForApproval'],
      ['lost', 'noReport'],
    ]);
    expect((await storeOf(stored).run({ needsAttention: true, attentionMs: 1_000 })).runs).toHaveLength(1);
  });

  it('that a reset has continued left no report, and needs no one', async () => {
    const { run, reads } = storeOf([{ workflowId: 'reset', runId: 'old', status: 'TERMINATED' }], {
      newestRunId: 'new',
    });
    expect((await run()).runs).toMatchObject([{ workflowId: 'reset', attention: null }]);
    expect(reads.described).toBe(1);
    expect((await run({ needsAttention: true })).runs).toEqual([]);
  });
});

it('a run that the server deletes while it is listed is left out', async () => {
  const stored = [
    { workflowId: 'lost', status: 'TERMINATED' },
    { workflowId: 'kept', outcome: 'failed' },
  ];
  const { runs } = await storeOf(stored, { newestRunId: 'deleted' }).run();
  expect(runs.map(({ workflowId }) => workflowId)).toEqual(['kept']);
});

describe('a run that ended badly', () => {
  const leftStopped = (path: string) =>
    targetReport(
      { path, instanceId: 'i', leaseId: 'l', outcome: 'failed' },
      {
        steps: [aStepReport({ action: { action: 'stop' }, sent: 'yes' })],
        captured: anObservation(),
        lastSeen: anObservation({ status: 'STOPPED' }),
      },
    );
  const failed: Stored = {
    ...{ workflowId: 'failed', outcome: 'failed', status: 'FAILED', targets: ['a/b/c', 'a/b/d'] },
    reported: [leftStopped('a/b/c')],
  };
  const later = (change: Partial<Stored>): Stored => ({
    ...{ workflowId: 'later', outcome: 'succeeded', targets: ['a/b/c'], startedAtMs: 6_000, endedAtMs: 7_000 },
    ...change,
  });
  const needing = async (...stored: Stored[]) => {
    const { runs } = await storeOf(stored).run({ needsAttention: true });
    return runs.map(({ workflowId, attention }) => `${workflowId} ${attention}`);
  };

  it('needs a person if it left an instance changed, and shows what', async () => {
    const { runs } = await storeOf([failed, { workflowId: 'plain', outcome: 'failed' }]).run({ needsAttention: true });
    expect(runs).toMatchObject([
      { attention: 'leftChanged', left: [{ path: 'a/b/c', what: 'status STOPPED (RUNNING before)' }] },
    ]);
  });

  it('needs no one once a later run has succeeded on the targets that it left', async () => {
    expect(await needing(failed, later({}))).toEqual([]);
    expect(await needing({ ...failed, outcome: 'indeterminate' }, later({}))).toEqual([]);
  });

  it.each([
    ['one that began before it had ended', { startedAtMs: 4_999 }],
    ['one on another target', { targets: ['a/b/d'] }],
    ['one that did not succeed', { outcome: 'compensated' }],
  ])('still needs one after %s', async (_what, change) => {
    expect(await needing(failed, later(change))).toEqual(['failed leftChanged']);
  });

  it('needs one until each of its targets is made good', async () => {
    const both = { ...failed, reported: [leftStopped('a/b/c'), leftStopped('a/b/d')] };
    expect(await needing(both, later({}))).toEqual(['failed leftChanged']);
    expect(await needing(both, later({}), later({ workflowId: 'other', targets: ['a/b/d'] }))).toEqual([]);
  });

  it('needs one until each target that is indeterminate, or whose undo failed, is made good', async () => {
    const undoFailed = { ...leftStopped('a/b/d'), outcome: 'compensationFailed' };
    const unclear = { ...leftStopped('a/b/c'), outcome: 'indeterminate' };
    const both = { ...failed, outcome: 'indeterminate', reported: [unclear, undoFailed] };
    expect(await needing(both, later({}))).toEqual(['failed indeterminate']);
    expect(await needing(both, later({ targets: ['a/b/c', 'a/b/d'] }))).toEqual([]);
  });

  it('needs one for as long as its report does not name all targets', async () => {
    expect(await needing({ ...failed, dropped: 1 }, later({}))).toEqual(['failed leftChanged']);
  });

  it('without a report needs no one once its targets are made good, also those that have only a key', async () => {
    const lost: Stored = { workflowId: 'lost', status: 'TERMINATED', targets: ['a/b/c', '#0', '+1 more'] };
    expect(await needing(lost, later({ targets: ['a/b/c', '#1', '+1 more'] }))).toEqual(['lost noReport']);
    expect(await needing(lost, later({ targets: ['a/b/c', '#0'] }))).toEqual([]);
  });

  it('is asked about only until what is known shows that it is made good', async () => {
    const flapping = Array.from({ length: 100 }, (_none, index): Stored => ({ ...failed, workflowId: `f${index}` }));
    const succeeded = Array.from({ length: 500 }, (_none, index) => later({ workflowId: `s${index}` }));
    const { run, queries, reads } = storeOf([...flapping, ...succeeded]);
    expect((await run({ needsAttention: true })).runs).toEqual([]);
    expect(queries).toHaveLength(2);
    expect(reads.listed).toBe(601);
  });

  it('on many targets is not asked about', async () => {
    const paths = Array.from({ length: 6 }, (_none, index) => `a/b/${index}`);
    const many = { ...failed, targets: paths, reported: paths.map(leftStopped) };
    const { queries, run } = storeOf([many]);
    expect((await run({ needsAttention: true })).runs).toHaveLength(1);
    expect(queries).toHaveLength(1);
  });

  it('is asked about with others in one query, and the list stays as long as is asked', async () => {
    const all = Array.from({ length: 30 }, (_none, index): Stored => ({
      ...failed,
      ...{ workflowId: `f${index}`, targets: [`a/b/${index}`], reported: [leftStopped(`a/b/${index}`)] },
    }));
    const { run, queries } = storeOf([...all, later({ targets: ['a/b/1', 'a/b/3'] })]);
    const { runs, more } = await run({ needsAttention: true, limit: 10 });
    expect(runs.map(({ workflowId }) => workflowId)).toEqual([
      'f0',
      'f2',
      ...[4, 5, 6, 7, 8, 9, 10, 11].map((n) => `f${n}`),
    ]);
    expect(more).toBe(true);
    expect(queries).toHaveLength(2);
    expect(queries[1]).toMatch(
      /^WorkflowType != 'targetRun' AND RunbookOutcome = 'succeeded' AND StartTime > '1970-01-01T00:00:05.000Z' AND RunbookTarget IN \('a\/b\/0', '#\w{11}', /,
    );
  });
});

describe('a namespace without the search attribute of states', () => {
  it('refuses a query for it, and is asked again without it', async () => {
    const { run, queries } = storeOf([{ workflowId: 'unclear', outcome: 'indeterminate' }], { lacksState: true });
    expect((await run({ needsAttention: true })).runs).toHaveLength(1);
    expect(queries.map((query) => query.includes('RunbookState'))).toEqual([true, false, false]);
  });
});

describe('the query', () => {
  const base =
    "WorkflowType != 'targetRun' AND WorkflowType != 'alarmRule' AND (RunbookTarget IS NOT NULL OR RunbookOutcome IS NOT NULL OR (CloseTime IS NULL AND TaskQueue = 'runbooks'))";

  it('leaves out leases, alarm rules and other workflows', () => {
    expect(queryOf({}, 'runbooks', 0, true)).toBe(base);
  });

  it('has one condition for each filter', () => {
    const filter = {
      open: true,
      runbook: 'stop',
      target: 'a/b/c',
      outcomes: ['failed', 'expired'],
      sinceMs: 0,
    } as const;
    const [, conditions = ''] = queryOf(filter, 'runbooks', 0, true).split(`${base} AND `);
    expect(conditions).toMatch(
      /^CloseTime IS NULL AND WorkflowType = 'stop' AND RunbookTarget IN \('a\/b\/c', '#\w{11}'\) AND RunbookOutcome IN \('failed', 'expired'\) AND StartTime >= '1970-01-01T00:00:00.000Z'$/,
    );
  });

  it('for runs that need a person has their states only where the namespace has them', () => {
    const ended =
      "(CloseTime >= '1970-01-01T00:00:00.005Z' AND (RunbookOutcome IN ('indeterminate', 'compensationFailed', 'failed', 'cancelled', 'compensated') OR RunbookOutcome IS NULL))";
    const waiting = '(CloseTime IS NULL AND RunbookState IS NOT NULL)';
    expect(queryOf({ needsAttention: true }, 'runbooks', 5, true)).toBe(`${base} AND (${waiting} OR ${ended})`);
    expect(queryOf({ needsAttention: true }, 'runbooks', 5, false)).toBe(`${base} AND (${ended})`);
  });

  it('cannot be changed by a name', () => {
    const text = queryOf({ runbook: "x' OR '1'='1", target: '\\' }, "q' OR TRUE", 0, true);
    expect(text).toContain("WorkflowType = 'x'' OR ''1''=''1'");
    expect(text).toContain("TaskQueue = 'q'' OR TRUE'");
    expect(text).toContain(String.raw`RunbookTarget IN ('\\', `);
  });
});
