/** A report that was stored cut is completed from the results of the run and of its targets. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunNotFound, ServerUnreachable } from '../../../src/temporal/errors.js';
import { wholeReport, withWholeTarget, type ReadResult } from '../../../src/client/read-report.js';
import { storedReport } from '../../../src/domain/report/cut-report.js';
import type { RunReport } from '../../../src/domain/report/report.js';
import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES } from '../../../src/domain/sizes.js';
import { anObservation, aStepReport } from '../../support/build.js';
import { anyRunReport } from '../../support/large-reports.js';

const failed = (report: RunReport) =>
  new WorkflowFailedError('failed', ApplicationFailure.create({ details: [report] }), 'NON_RETRYABLE_FAILURE');

/** A server that keeps what the run and its targets returned. */
function keeps(
  report: RunReport,
  change: { result?: boolean; targets?: boolean } = {},
): ReadResult & { asked: string[] } {
  const asked: string[] = [];
  const read = async (workflowId: string, runId: string) => {
    asked.push(workflowId);
    const own = report.targets.find((target) => target.leaseId === workflowId && target.childRunId === runId);
    if (own !== undefined && change.targets !== false) return own;
    if (workflowId !== report.workflowId || change.result === false) throw new RunNotFound(workflowId);
    const stored = storedReport(report, RESULT_REPORT_BYTES);
    if (report.outcome === 'succeeded') return stored;
    throw failed(stored);
  };
  return Object.assign(read, { asked });
}

function aReport(targets: number, steps: number): RunReport {
  return {
    reportVersion: 1,
    runbook: 'wide',
    workflowId: 'wide-1',
    runId: 'run-1',
    outcome: 'failed',
    summary: 'wide: failed',
    planHash: null,
    requestedBy: null,
    reason: null,
    startedAtMs: 1,
    endedAtMs: 2,
    targets: Array.from({ length: targets }, (_item, index) => ({
      path: `shop/checkout/prod-${index}`,
      instanceId: `instance-${index}`,
      leaseId: `runbook-target/project/instance-${index}`,
      outcome: 'failed',
      steps: Array.from({ length: steps }, (_step, at) => aStepReport({ id: `step-${at}` })),
      notReached: [],
      compensations: [],
      remaining: [],
      captured: anObservation(),
      lastSeen: null,
      childRunId: `child-${index}`,
    })),
    notStarted: [],
  };
}

describe('the whole report', () => {
  it('is the stored one if nothing is cut, without a call', async () => {
    const report = aReport(2, 3);
    const server = keeps(report);
    expect(await wholeReport(report, server)).toBe(report);
    expect(server.asked).toEqual([]);
  });

  it("comes from the run's own result if it fits there", async () => {
    const report = aReport(10, 30);
    const server = keeps(report);
    expect(await wholeReport(storedReport(report, MEMO_REPORT_BYTES), server)).toEqual(report);
    expect(server.asked).toEqual(['wide-1']);
  });

  it('comes from the results of the targets if nothing fits into that of the run', async () => {
    const report = aReport(100, 50);
    const server = keeps(report);
    expect(await wholeReport(storedReport(report, MEMO_REPORT_BYTES), server)).toEqual(report);
    expect(new Set(server.asked).size).toBe(101);
  });

  it('stays cut, and shows how much, if the namespace no longer keeps the targets', async () => {
    const stored = storedReport(aReport(100, 50), MEMO_REPORT_BYTES);
    const report = await wholeReport(stored, keeps(aReport(100, 50), { result: false, targets: false }));
    expect(report).toEqual(stored);
    expect(report.cut?.targets).toBe(100);
  });

  it('is not returned while the server is unreachable', async () => {
    const stored = storedReport(aReport(100, 50), MEMO_REPORT_BYTES);
    const away: ReadResult = async () => {
      throw new ServerUnreachable('away');
    };
    await expect(wholeReport(stored, away)).rejects.toThrow(ServerUnreachable);
  });

  it('contains what the workflow of every target reported, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(anyRunReport(8, 4), async (given) => {
        const targets = given.targets.map((target, index) => ({
          ...target,
          leaseId: `runbook-target/project/${index}`,
          childRunId: `child-${index}`,
        }));
        const report = { ...given, targets, workflowId: 'run' };
        const whole = await wholeReport(storedReport(report, MEMO_REPORT_BYTES), keeps(report));
        fc.pre((whole.cut?.dropped ?? 0) === 0);
        expect(whole.targets).toEqual(targets);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the whole of one target', () => {
  const FIRST = 'runbook-target/project/instance-0';
  const cutsIn = (report: RunReport, leaseId: string) =>
    report.targets.filter((target) => target.leaseId === leaseId).map(({ cut, steps }) => [cut, steps.length]);

  it('is that of the memo if it is not cut there, without a call', async () => {
    const report = aReport(40, 3);
    const stored = storedReport(report, MEMO_REPORT_BYTES);
    const server = keeps(report);
    const uncut = stored.targets.filter(({ cut }) => cut === undefined);
    expect([uncut.length > 0, uncut.length < 40]).toEqual([true, true]);
    expect(await withWholeTarget(stored, uncut.at(-1)?.leaseId ?? '', server)).toBe(stored);
    expect(await withWholeTarget(stored, 'runbook-target/project/another', server)).toBe(stored);
    expect(server.asked).toEqual([]);
  });

  it("is read from the run's result, then from its own workflow, and from no other", async () => {
    const report = aReport(100, 5);
    const stored = storedReport(report, MEMO_REPORT_BYTES);
    const server = keeps(report);
    expect(cutsIn(stored, FIRST)).toEqual([['bare', 0]]);
    expect(cutsIn(await withWholeTarget(stored, FIRST, server), FIRST)).toEqual([[undefined, 5]]);
    expect(server.asked.filter((id) => id !== report.workflowId && id !== FIRST)).toEqual([]);
  });

  it("is that of the run's result if its own workflow no longer exists", async () => {
    const report = aReport(100, 5);
    const whole = await withWholeTarget(
      storedReport(report, MEMO_REPORT_BYTES),
      FIRST,
      keeps(report, { targets: false }),
    );
    expect(cutsIn(whole, FIRST)[0]?.[0]).not.toBe('bare');
  });

  it('stays cut if the namespace keeps neither', async () => {
    const report = aReport(100, 5);
    const empty = keeps(report, { targets: false, result: false });
    const stored = storedReport(report, MEMO_REPORT_BYTES);
    expect(await withWholeTarget(stored, FIRST, empty)).toEqual(stored);
  });
});
