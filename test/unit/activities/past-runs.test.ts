/** What earlier runs did to an instance when the newest report was cut to fit; and every call has a deadline. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { temporalAccess } from '../../../src/activities/temporal-access.js';
import { capturedCount } from '../../../src/domain/plan/captured-count.js';
import { storedReport } from '../../../src/domain/report/cut-report.js';
import type { RunReport } from '../../../src/domain/report/report.js';
import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES } from '../../../src/domain/sizes.js';
import { anObservation, aStepReport } from '../../support/build.js';

/** The report of a run that scaled many instances, then restarted them. */
function scaledDown(atMs: number, targets: number, from: number): RunReport {
  const seen = (replicaCount: number) => anObservation({ replicaCount });
  const timed = { startedAtMs: atMs, endedAtMs: atMs + 1 };
  return {
    reportVersion: 1,
    runbook: 'down',
    workflowId: `run-${atMs}`,
    runId: `run-id-${atMs}`,
    outcome: 'succeeded',
    summary: 'done',
    planHash: null,
    requestedBy: null,
    reason: null,
    startedAtMs: atMs,
    endedAtMs: atMs + 10,
    targets: Array.from({ length: targets }, (_, index) => ({
      path: `shop/checkout/prod-${index}`,
      instanceId: `instance-${index}`,
      leaseId: `lease-${index}`,
      childRunId: `child-${atMs}`,
      outcome: 'succeeded',
      steps: [
        aStepReport({ ...timed, action: { action: 'scale', replica: 2 }, before: seen(from), after: seen(2) }),
        aStepReport({ ...timed, before: seen(2), after: seen(2) }),
        aStepReport({ ...timed, before: seen(2), after: seen(2) }),
      ],
      notReached: [],
      compensations: [],
      remaining: [],
      captured: seen(from),
      lastSeen: seen(2),
    })),
    notStarted: [],
  };
}

const OLDER = scaledDown(1_000, 1, 4);
const NEWER = scaledDown(2_000, 100, 6);

/** `undated`: calls without a deadline, which would wait for ever on a server that does not answer. */
function clientOf(kept: { readonly result: boolean; readonly child: boolean }): { client: Client; undated: string[] } {
  let dated = 0;
  const undated: string[] = [];
  const called = (what: string) => {
    if (dated === 0) undated.push(what);
  };
  const described = [NEWER, OLDER].map((report) => ({
    type: report.runbook,
    workflowId: report.workflowId,
    runId: report.runId,
    status: { name: 'COMPLETED' },
    startTime: new Date(report.startedAtMs),
    closeTime: new Date(report.endedAtMs),
    memo: { report: storedReport(report, MEMO_REPORT_BYTES) },
  }));
  const notFound = (id: string) => new WorkflowNotFoundError('not found', id, undefined);
  const client = {
    withDeadline: async (_deadline: number, call: () => Promise<unknown>) => {
      dated++;
      return call().finally(() => dated--);
    },
    workflow: {
      list: async function* () {
        called('list');
        yield* described;
      },
      getHandle: (id: string) => ({
        describe: async () => {
          called(`describe ${id}`);
          const found = described.find(({ workflowId }) => workflowId === id);
          if (found === undefined) throw notFound(id);
          return found;
        },
        result: async () => {
          called(`result ${id}`);
          if (id === NEWER.workflowId && kept.result) return storedReport(NEWER, RESULT_REPORT_BYTES);
          if (id === 'lease-0' && kept.child) return NEWER.targets[0];
          throw notFound(id);
        },
      }),
    },
  };
  return { client: client as unknown as Client, undated };
}

const ASKED = { leaseId: 'lease-0', path: 'shop/checkout/prod-0', runbooks: ['down', 'up'], exceptRunId: null };

describe('the count that the newest run captured, if its report was cut', () => {
  it.each([
    ['from its result', { result: true, child: false }, { kind: 'captured', change: { from: 6, to: 2 } }],
    [
      "from the target's own workflow",
      { result: false, child: true },
      { kind: 'captured', change: { from: 6, to: 2 } },
    ],
    ['from neither: unclear', { result: false, child: false }, { kind: 'unclear', run: { workflowId: 'run-2000' } }],
  ])('is read %s, and never from an older run', async (_where, kept, expected) => {
    expect(storedReport(NEWER, MEMO_REPORT_BYTES).targets[0]?.cut).toBe('bare');
    const past = await temporalAccess(clientOf(kept).client).pastRuns(ASKED);
    // The lease is no longer known either, so the listing decides.
    const question = { restores: 'down', asking: 'up', instanceId: 'instance-0', seen: 2 };
    expect(capturedCount(question, past)).toMatchObject(expected);
  });
});

describe('every call', () => {
  it('for earlier runs has a deadline', async () => {
    const { client, undated } = clientOf({ result: true, child: true });
    await temporalAccess(client).pastRuns(ASKED);
    expect(undated).toEqual([]);
  });

  it('for the runs of an alarm rule has a deadline', async () => {
    const { client, undated } = clientOf({ result: true, child: true });
    await temporalAccess(client)
      .findRuns({ runIds: [NEWER.workflowId], targets: [], sinceMs: 0 })
      .catch(() => []);
    expect(undated).toEqual([]);
  });
});
