/** A report always fits what Temporal stores, and records what it omits. Sizes are those of the real encoding. */
import fc from 'fast-check';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { boundedTargetReport, storedReport, withShortSteps } from '../../../../src/domain/report/cut-report.js';
import type { RunReport, TargetReport } from '../../../../src/domain/report/report.js';
import { MEMO_REPORT_BYTES, RESULT_REPORT_BYTES, targetReportBytes } from '../../../../src/domain/sizes.js';
import { anObservation, aStepReport } from '../../../support/build.js';
import { anyRunReport, anyTargetReport } from '../../../support/large-reports.js';

/** The size as sent. */
const bytesSent = (value: unknown) => defaultPayloadConverter.toPayload(value)?.data?.length ?? Infinity;

function aTargetReport(index: number, steps = 3): TargetReport {
  return {
    path: `shop/checkout/prod-${index}`,
    instanceId: `instance-${index}`,
    leaseId: `runbook-target/project/instance-${index}`,
    outcome: 'succeeded',
    steps: Array.from({ length: steps }, (_item, step) => aStepReport({ id: `step-${step}` })),
    notReached: [],
    compensations: [],
    remaining: [],
    captured: anObservation(),
    lastSeen: anObservation(),
    childRunId: `child-${index}`,
  };
}

function aRunReport(targets: readonly TargetReport[], change: Partial<RunReport> = {}): RunReport {
  return {
    reportVersion: 1,
    runbook: 'wide',
    workflowId: 'wide-1',
    runId: 'run-1',
    outcome: 'succeeded',
    summary: 'wide: succeeded',
    planHash: null,
    requestedBy: null,
    reason: null,
    startedAtMs: 1,
    endedAtMs: 2,
    targets,
    notStarted: [],
    ...change,
  };
}

it('in short form keeps how long each step usually takes, and that its state was not held', () => {
  const usual = { p50Ms: 1, p90Ms: 2, jobs: 41 };
  const step = aStepReport({ usual, notHeld: true });
  expect(withShortSteps({ ...aTargetReport(1), steps: [step] }).steps).toMatchObject([{ usual, notHeld: true }]);
});

describe("a run's report", () => {
  it('is stored unchanged if it fits', () => {
    const report = aRunReport([aTargetReport(1), aTargetReport(2)]);
    expect(storedReport(report, MEMO_REPORT_BYTES)).toBe(report);
  });

  it('takes little time even if it is far too long, because most targets are never serialized completely', () => {
    let written = 0;
    const targets = Array.from({ length: 100 }, (_item, index) => {
      const target = aTargetReport(index, 50);
      // Not enumerable, so that shorter forms of the target do not have it.
      return Object.defineProperty(target, 'toJSON', { value: () => (written++, { ...target }) });
    });
    storedReport(aRunReport(targets), MEMO_REPORT_BYTES);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(20);
  });

  it('with 100 targets of 50 steps names every target and where its steps are, and keeps most of the last one', () => {
    const targets = Array.from({ length: 100 }, (_item, index) => aTargetReport(index, 50));
    const stored = storedReport(aRunReport(targets), MEMO_REPORT_BYTES);
    expect(bytesSent(stored)).toBeLessThanOrEqual(MEMO_REPORT_BYTES);
    expect(stored.targets.map(({ path, childRunId }) => [path, childRunId])).toEqual(
      targets.map(({ path, childRunId }) => [path, childRunId]),
    );
    expect(stored.cut).toEqual({ targets: 100, gates: 0, dropped: 0 });
    const { cut, steps } = stored.targets[99] ?? {};
    expect([cut, steps?.length]).toEqual(['short', 50]);
    expect(stored.targets[0]?.cut).toBe('bare');
    // The result has room for the steps of all but a few.
    const result = storedReport(aRunReport(targets), RESULT_REPORT_BYTES);
    expect(result.targets.filter((target) => target.cut === 'short').length).toBeGreaterThan(10);
  });

  it('keeps unsuccessful targets complete before it keeps more of the successful ones', () => {
    const failed = { ...aTargetReport(99, 5), outcome: 'failed' as const };
    const targets = [...Array.from({ length: 30 }, (_item, index) => aTargetReport(index, 10)), failed];
    const stored = storedReport(aRunReport(targets), MEMO_REPORT_BYTES);
    expect(stored.targets.at(-1)).toEqual(failed);
    expect(stored.targets[0]?.cut).not.toBeUndefined();
  });

  it('that was refused keeps its message as far as it fits', () => {
    const message = `- ${'a problem. '.repeat(20_000)}`;
    const report = aRunReport([], {
      failure: { name: 'InvalidPlan', message, advice: 'Correct it.' },
      summary: message,
    });
    const stored = storedReport(report, MEMO_REPORT_BYTES);
    expect(stored.failure?.message.length).toBeGreaterThan(15_000);
    expect(stored.failure?.message).toMatch(/ … \(\d+ bytes\)$/);
  });

  it('fits and keeps its outcome, whatever happened', () => {
    fc.assert(
      fc.property(anyRunReport(12, 4), fc.constantFrom(MEMO_REPORT_BYTES, RESULT_REPORT_BYTES), (report, maxBytes) => {
        const stored = storedReport(report, maxBytes);
        expect(bytesSent(stored)).toBeLessThanOrEqual(maxBytes);
        const { outcome, runId, workflowId, startedAtMs, endedAtMs } = report;
        expect(stored).toMatchObject({ outcome, runId, workflowId, startedAtMs, endedAtMs });
        const { targets, gates, dropped } = stored.cut ?? { targets: 0, gates: 0, dropped: 0 };
        expect(stored.targets.filter(({ cut }) => cut !== undefined).length).toBe(targets);
        expect((stored.gates ?? []).length + gates).toBe((report.gates ?? []).length);
        const named = report.targets.length + report.notStarted.length;
        expect(stored.targets.length + stored.notStarted.length + dropped).toBe(named);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a target's report", () => {
  it('fits and keeps its outcome and the results of its steps, whatever happened', () => {
    fc.assert(
      fc.property(anyTargetReport(12), fc.constantFrom(100, 1_000), (report, targets) => {
        const maxBytes = targetReportBytes(targets);
        const bounded = boundedTargetReport(report, maxBytes);
        expect(bytesSent(bounded)).toBeLessThanOrEqual(maxBytes);
        expect(bounded.outcome).toBe(report.outcome);
        expect(bounded.childRunId).toBe(report.childRunId);
        if (bytesSent(report) <= maxBytes) expect(bounded).toBe(report);
        else expect(bounded.cut).toBeDefined();
        expect(bounded.steps.map(({ id, result, sent }) => [id, result, sent])).toEqual(
          report.steps.map(({ id, result, sent }) => [id, result, sent]),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('with 400 KB of vendor text loses the text, not the step', () => {
    const after = anObservation({ failDetail: '警'.repeat(130_000) });
    const steps = [aStepReport({ id: 'stop', after }), aStepReport({ id: 'start', before: after })];
    const report = { ...aTargetReport(1), steps };
    const bounded = boundedTargetReport(report, targetReportBytes(100));
    expect(bounded.cut).toBe('trails');
    expect(bounded.steps[0]?.after).toMatchObject({ status: 'RUNNING', replicaCount: 2 });
    expect(bounded.steps[0]?.after?.failDetail).toMatch(/^警+ … \(\d+ bytes\)$/);
  });
});
