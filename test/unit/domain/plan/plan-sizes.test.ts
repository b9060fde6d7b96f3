/** Every accepted plan leads to sizes that Temporal can store. Compares the sizes computed while planning with those of its runs. */
import { defaultPayloadConverter } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedTargetReport, storedReport } from '../../../../src/domain/report/cut-report.js';
import { failureRecord } from '../../../../src/domain/failures.js';
import type { Plan, TargetPlan } from '../../../../src/domain/plan/plan.js';
import { plannedSizes, sizeProblems } from '../../../../src/domain/plan/plan-sizes.js';
import type { RunReport, StepReport, TargetReport } from '../../../../src/domain/report/report.js';
import {
  HISTORY_BYTES,
  HISTORY_EVENTS,
  MEMO_REPORT_BYTES,
  PAYLOAD_BYTES,
  targetReportBytes,
} from '../../../../src/domain/sizes.js';
import { leaseId } from '../../../../src/domain/target/target.js';
import { anObservation, aStep, aTarget, defaultLimits } from '../../../support/build.js';
import { anyObservation, anyPlan } from '../../../support/large-reports.js';

/** The size as sent. */
const bytesSent = (value: unknown) => defaultPayloadConverter.toPayload(value)?.data?.length ?? Infinity;

/** As in `/failing-inputs`: every target has every step. */
function widePlan(targets: number, steps: number, change: Partial<Plan> = {}): Plan {
  const planned = Array.from({ length: steps }, (_item, index) => aStep({ action: 'start' }, { id: `step-${index}` }));
  return {
    planVersion: 1,
    runbook: 'wide',
    title: 'Many steps on many targets',
    requestedBy: null,
    reason: null,
    inputs: {},
    targets: Array.from({ length: targets }, (_item, index): TargetPlan => ({
      target: aTarget({
        path: `${'a'.repeat(64)}/${'b'.repeat(64)}/${'c'.repeat(60)}-${index}`,
        instanceId: `${'i'.repeat(33)}${index}`,
      }),
      seen: anObservation(),
      steps: planned,
    })),
    onCancel: 'compensate',
    deadlineMs: 1,
    limits: defaultLimits,
    dryRun: false,
    hash: 'f'.repeat(64),
    ...change,
  };
}

const over = (plan: Plan) => sizeProblems(plan).map(({ found }) => found.replace(/ could .*/, ''));

describe('the sizes of a plan', () => {
  it.each([
    [1, 1],
    [1, 150],
    [20, 100],
    [100, 3],
    [100, 50],
  ])('are allowed for %i targets with the longest names and %i steps', (targets, steps) => {
    expect(over(widePlan(targets, steps))).toEqual([]);
  });

  it('are allowed for an emergency on 100 targets at once, and count what each pause sends to all of them', () => {
    const people = { operatorWaitMs: 1, notify: [{ webhook: 'w', on: ['late', 'waiting'] as const }] };
    const emergency = widePlan(100, 3, { ...people, emergency: true });
    expect(over(emergency)).toEqual([]);
    const eventsOf = (plan: Plan) =>
      plannedSizes(plan).find(({ what, unit }) => what === 'the history of the run' && unit === 'events')?.size;
    expect(eventsOf(emergency)).toBeGreaterThan(20 * 100 * 5);
    expect(eventsOf(emergency)).toBeGreaterThan(eventsOf(widePlan(100, 3, people)) ?? Infinity);
  });

  it('report what would be too large, with the figures and a remedy', () => {
    const [problem] = sizeProblems(widePlan(100, 90));
    expect(problem).toMatchObject({
      code: 'too-large',
      found: expect.stringMatching(
        /^the plan could reach \d,\d{3},\d{3} bytes, and Temporal can store only 1,500,000$/,
      ),
      remedy: expect.stringMatching(/^Start several runs with fewer targets \(here 100\)/),
    });
  });

  it.each<[string, Plan]>([
    ['the plan', widePlan(100, 3, { inputs: { text: '警'.repeat(600_000) } })],
    ["a target's report in short form", widePlan(1, 1_000)],
    ["the history of a target's workflow", widePlan(1, 300)],
    [
      'the history of the run',
      widePlan(100, 1, {
        guards: {
          window: null,
          freeze: Array.from({ length: 20 }, () => '警'.repeat(200)),
          waitAtMostMs: 7 * 86_400_000,
          coming: [],
        },
      }),
    ],
  ])('refuse a plan that makes %s too large', (what, plan) => {
    expect(over(plan)).toContain(what);
  });

  it('are enough for every run of an accepted plan, whatever happens', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anyPlan(20, 6), anyObservation, textOfFailure, (plan, seen, message) => {
        if (sizeProblems(plan).length > 0) return;
        accepted++;
        for (const { size, atMost } of plannedSizes(plan)) expect(size).toBeLessThanOrEqual(atMost);
        expect(bytesSent(plan)).toBeLessThanOrEqual(PAYLOAD_BYTES);
        const maxBytes = targetReportBytes(plan.targets.length);
        const reports = plan.targets.map((target) => boundedTargetReport(reportOf(target, seen, message), maxBytes));
        for (const report of reports) {
          expect(bytesSent(report)).toBeLessThanOrEqual(maxBytes);
          // It contains every step.
          expect(report.cut).not.toBe('bare');
        }
        const stored = storedReport(runReportOf(plan, reports, message), MEMO_REPORT_BYTES);
        expect(bytesSent(stored)).toBeLessThanOrEqual(MEMO_REPORT_BYTES);
        // It contains every target.
        expect(stored.targets.map(({ path, outcome }) => [path, outcome])).toEqual(
          reports.map(({ path, outcome }) => [path, outcome]),
        );
      }),
      { numRuns: 25 },
    );
    expect(accepted).toBeGreaterThan(5);
  });

  it('stay below the limits of the server with a codec that makes payloads a third longer', () => {
    const megabyte = 1_024 * 1_024;
    expect((PAYLOAD_BYTES * 4) / 3).toBeLessThan(2 * megabyte);
    expect((HISTORY_BYTES * 4) / 3).toBeLessThan(50 * megabyte);
    expect(HISTORY_EVENTS).toBeLessThan(51_200);
    // Memos of a page of 20 in one listing, and a BLOB of MySQL without a codec.
    expect(MEMO_REPORT_BYTES).toBeLessThan(65_535 - 1_000);
  });
});

const textOfFailure = fc.constantFrom('', 'x'.repeat(5_000), '警"\u0001'.repeat(20_000));

/** A report in which every step failed, was undone, and remains. */
function reportOf({ target, steps }: TargetPlan, seen: TargetReport['lastSeen'], message: string): TargetReport {
  const reports = steps.map((step): StepReport => ({
    id: step.id,
    action: step.kind === 'action' ? step.action : null,
    result: 'indeterminate',
    sent: 'unknown',
    cloudJobId: '警'.repeat(200),
    startedAtMs: 1_764_547_200_000,
    endedAtMs: 1_764_547_200_000,
    before: seen,
    after: seen,
    attempts: 443,
    trail: [{ attempt: 443, atMs: 1_764_547_200_000, decision: 'entered', note: message.slice(0, 300) }],
    failure: failureRecord('Indeterminate', message),
  }));
  return {
    path: target.path,
    instanceId: target.instanceId,
    leaseId: leaseId(target),
    childRunId: '00000000-0000-4000-8000-000000000000',
    outcome: 'compensationFailed',
    steps: reports,
    notReached: [],
    compensations: reports.filter(({ action }) => action !== null).map((step) => ({ ...step, id: `undo-${step.id}` })),
    remaining: reports.flatMap(({ id, action }) =>
      action === null ? [] : [{ stepId: id, action, why: message, kind: 'notUndone' as const }],
    ),
    captured: seen,
    lastSeen: seen,
  };
}

function runReportOf(plan: Plan, targets: readonly TargetReport[], message: string): RunReport {
  return {
    reportVersion: 1,
    runbook: plan.runbook,
    workflowId: 'w'.repeat(100),
    runId: '00000000-0000-4000-8000-000000000000',
    outcome: 'compensationFailed',
    summary: message,
    planHash: plan.hash,
    requestedBy: plan.requestedBy,
    reason: plan.reason,
    startedAtMs: 1_764_547_200_000,
    endedAtMs: 1_764_547_200_000,
    targets,
    notStarted: [],
    failure: failureRecord('ChangeFreeze', message),
  };
}
