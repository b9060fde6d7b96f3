/** The count to restore, derived from reports: the newest run that changed the count, what remains of its change, and when to refuse. */
import { describe, expect, it } from 'vitest';
import { capturedCount, type CapturedCount, type PastRun } from '../../../../src/domain/plan/captured-count.js';
import type { Action } from '../../../../src/domain/target/actions.js';
import type { Outcome, RunReport, StepReport, TargetReport } from '../../../../src/domain/report/report.js';
import { anObservation, aStepReport } from '../../../support/build.js';

const HOUR_MS = 3_600_000;

/** A step, or an undo, that scaled from → to. */
function scale(from: number | null, to: number | null, change: Partial<StepReport> = {}): StepReport {
  const action: Action = { action: 'scale', replica: to ?? 1 };
  const before = anObservation({ replicaCount: from });
  return aStepReport({ id: 'scale', action, before, after: anObservation({ replicaCount: to }), ...change });
}

const skipped = (count: number) => scale(count, count, { result: 'skipped', sent: 'no', cloudJobId: null });
const failed = (from: number, to: number) => scale(from, to, { result: 'failed' });

interface Story {
  readonly runbook?: string;
  readonly id?: string;
  readonly outcome?: Outcome;
  readonly steps?: readonly StepReport[];
  readonly compensations?: readonly StepReport[];
  readonly change?: Partial<PastRun>;
  readonly instanceId?: string;
  readonly cut?: TargetReport['cut'];
  /** The number of targets missing in the report of the run. */
  readonly dropped?: number;
}

/** A run that began and ended in the given hour. */
function run(hour: number, { runbook = 'down', id = `run-${hour}`, change, dropped, ...target }: Story = {}): PastRun {
  const startedAtMs = hour * HOUR_MS;
  const closedAtMs = startedAtMs + 60_000;
  const cut = dropped === undefined ? {} : { cut: { targets: 0, gates: 0, dropped } };
  return {
    runbook,
    workflowId: id,
    runId: `${id}/${hour}`,
    open: false,
    status: 'COMPLETED',
    startedAtMs,
    closedAtMs,
    report: { targets: [targetReport(startedAtMs, target)], endedAtMs: closedAtMs, ...cut } as unknown as RunReport,
    ...change,
  };
}

function targetReport(startedAtMs: number, story: Omit<Story, 'runbook' | 'id' | 'change' | 'dropped'>): TargetReport {
  const { outcome = 'succeeded', steps = [scale(4, 1)], compensations = [], instanceId = 'inst-1', cut } = story;
  const timed = (step: StepReport) => ({ ...step, startedAtMs: startedAtMs + 1_000, endedAtMs: startedAtMs + 30_000 });
  return {
    instanceId,
    leaseId: 'lease-1',
    ...(cut === undefined ? {} : { cut }),
    outcome,
    steps: steps.map(timed),
    compensations: compensations.map(timed),
  } as unknown as TargetReport;
}

function answerTo(seen: number | null, runs: readonly PastRun[], leaseTakenAtMs: number | null = 100 * HOUR_MS) {
  return capturedCount({ restores: 'down', asking: 'up', instanceId: 'inst-1', seen }, { runs, leaseTakenAtMs });
}

function inWords(answer: CapturedCount): string {
  switch (answer.kind) {
    case 'captured':
      return `${answer.change.from} from ${answer.change.run.workflowId}`;
    case 'changedSince':
      return `changed since ${answer.change.run.workflowId} left ${answer.change.to}${answer.restored === null ? '' : `, restored by ${answer.restored.run.workflowId}`}`;
    case 'nothing':
      return `nothing in ${answer.runs}`;
    case 'open':
      return `${answer.run.workflowId} is open`;
    case 'unclear':
      return `${answer.run.workflowId} is unclear: ${answer.why}`;
  }
}

const undone = { outcome: 'compensated', steps: [failed(4, 1)], compensations: [scale(1, 4)] } as const;
const noReport = { change: { report: null, status: 'TERMINATED' } } as const;

describe('the count to restore', () => {
  it.each<[string, number | null, PastRun[], string]>([
    ['no run', 1, [], 'nothing in 0'],
    ['one run', 1, [run(1)], '4 from run-1'],
    ['one run, and the count is back already', 4, [run(1)], '4 from run-1'],
    ['one run, and the count was changed since', 3, [run(1)], 'changed since run-1 left 1'],
    ['one run, and the current count is unknown', null, [run(1)], 'changed since run-1 left 1'],
    ['two runs that changed it, in any order', 1, [run(2, { steps: [scale(6, 1)] }), run(1)], '6 from run-2'],
    ['two runs that changed it, the older first', 1, [run(1), run(2, { steps: [scale(6, 1)] })], '6 from run-2'],
    ['a second run that found it low already', 1, [run(1), run(2, { steps: [skipped(1)] })], '4 from run-1'],
    ['a second run that sent the same count', 1, [run(1), run(2, { steps: [scale(1, 1)] })], '4 from run-1'],
    ['a run that was refused before any step', 1, [run(1), run(2, { outcome: 'refused', steps: [] })], '4 from run-1'],
    ['a run that expired', 1, [run(1), run(2, { outcome: 'expired', steps: [] })], '4 from run-1'],
    ['a run that was undone', 1, [run(1), run(2, undone)], '4 from run-1'],
    ['only a run that was undone', 4, [run(1, undone)], 'nothing in 1'],
    ['a run cancelled before it began', 1, [run(1), run(2, { outcome: 'cancelled', steps: [] })], '4 from run-1'],
    ['a run cancelled and undone', 4, [run(1, { outcome: 'cancelled', compensations: [scale(1, 4)] })], 'nothing in 1'],
    ['a run cancelled after its step, whose change remains', 1, [run(1, { outcome: 'cancelled' })], '4 from run-1'],
    [
      'a run cancelled in its step, whose change may remain',
      1,
      [run(1, { outcome: 'cancelled', steps: [scale(4, 1, { result: 'cancelled' })] })],
      'run-1 is unclear: it ended cancelled with 4 → 1',
    ],
    [
      'a step that failed and changed nothing',
      4,
      [run(1, { outcome: 'failed', steps: [failed(4, 4)] })],
      'nothing in 1',
    ],
    [
      'a step that failed and changed the count',
      1,
      [run(1, { outcome: 'failed', steps: [failed(4, 1)] })],
      'run-1 is unclear: it ended failed with 4 → 1',
    ],
    [
      'a later step that failed, and the count remains',
      1,
      [run(1, { outcome: 'failed', steps: [scale(4, 1), aStepReport({ id: 'restart', result: 'failed' })] })],
      '4 from run-1',
    ],
    [
      'a run that was indeterminate',
      1,
      [run(1), run(2, { outcome: 'indeterminate' })],
      'run-2 is unclear: it ended indeterminate there',
    ],
    [
      'a run whose undo failed',
      1,
      [run(1), run(2, { outcome: 'compensationFailed' })],
      'run-2 is unclear: it ended compensationFailed there',
    ],
    [
      'a newest run whose target lost its steps when the report was cut',
      1,
      [run(1), run(2, { steps: [], cut: 'bare' })],
      'run-2 is unclear: it ended succeeded there, and its steps are lost: its report was shortened, and the workflow lease-1 that had them no longer exists',
    ],
    [
      'a newest run that was refused there, cut',
      1,
      [run(1), run(2, { outcome: 'refused', steps: [], cut: 'bare' })],
      '4 from run-1',
    ],
    [
      'a newest run whose steps lost their readings',
      1,
      [run(1), run(2, { steps: [scale(6, 1, { before: null, after: null })], cut: 'short' })],
      'run-2 is unclear: its report has no replica counts',
    ],
    [
      'a newest run whose report does not name all of its targets',
      1,
      [run(1), run(2, { instanceId: 'inst-2', dropped: 3 })],
      'run-2 is unclear: its report was too long for all of its targets',
    ],
    ['a newest run on others, cut', 1, [run(1), run(2, { instanceId: 'inst-2', dropped: 0 })], '4 from run-1'],
    ['an unclear run before one that is clear', 1, [run(1, { outcome: 'indeterminate' }), run(2)], '4 from run-2'],
    [
      'counts that the API left out',
      1,
      [run(1, { steps: [scale(null, 1)] })],
      'run-1 is unclear: its report has no replica counts',
    ],
    ['several scales in one run', 1, [run(1, { steps: [scale(8, 4), scale(4, 1)] })], '8 from run-1'],
    [
      'another instance that had the same path',
      1,
      [run(1), run(2, { instanceId: 'inst-0', steps: [scale(9, 1)] })],
      '4 from run-1',
    ],
    [
      'a run that is open',
      1,
      [run(1), run(2, { change: { open: true, report: null, closedAtMs: null } })],
      'run-2 is open',
    ],
  ])('%s', (_story, seen, runs, expected) => {
    expect(inWords(answerTo(seen, runs))).toBe(expected);
  });

  it('depends on when the instance was changed, not on when a run over many targets closed', () => {
    const long = run(1, { id: 'long', change: { closedAtMs: 9 * HOUR_MS } });
    expect(inWords(answerTo(1, [long, run(2, { steps: [scale(6, 1)] })]))).toBe('6 from run-2');
  });
});

describe('a count that was restored before', () => {
  const up = run(2, { runbook: 'up', id: 'up-2', steps: [scale(1, 4)] });

  it.each<[string, number, PastRun[], string]>([
    ['is there already', 4, [run(1), up], '4 from run-1'],
    ['was changed by somebody', 2, [run(1), up], 'changed since run-1 left 1, restored by up-2'],
    ['was brought down by somebody, not by the pair', 1, [run(1), up], 'changed since run-1 left 1, restored by up-2'],
    ['and then captured again', 1, [run(1), up, run(3, { steps: [scale(5, 1)] })], '5 from run-3'],
    ['was not restored: that run was undone', 1, [run(1), run(2, { ...undone, runbook: 'up' })], '4 from run-1'],
    [
      'may be restored again if that run left no report',
      1,
      [run(1), run(2, { runbook: 'up', ...noReport })],
      '4 from run-1',
    ],
  ])('%s', (_story, seen, runs, expected) => {
    expect(inWords(answerTo(seen, runs))).toBe(expected);
  });
});

describe('a run without a report', () => {
  it('is not clear', () => {
    expect(inWords(answerTo(1, [run(1), run(2, noReport)]))).toBe(
      'run-2 is unclear: it ended TERMINATED without a report',
    );
  });

  it('does not matter if it ended before the newest change', () => {
    expect(inWords(answerTo(1, [run(1, noReport), run(2)]))).toBe('4 from run-2');
  });

  it('does not matter if no one acquired the lease after it started: it never held the instance', () => {
    expect(inWords(answerTo(1, [run(1), run(2, noReport)], 1.5 * HOUR_MS))).toBe('4 from run-1');
    expect(inWords(answerTo(1, [run(2, noReport)], null))).toBe('nothing in 0');
  });

  it('is reported by the run that continues after a reset, as far as it knows', () => {
    const before = run(1, { id: 'reset', change: { ...noReport.change, closedAtMs: 1.5 * HOUR_MS } });
    const continued = { ...run(1, { id: 'reset' }), runId: 'reset/2', closedAtMs: 3 * HOUR_MS };
    expect(inWords(answerTo(1, [before, continued]))).toBe('4 from reset');
    const restarted = run(2, { id: 'reset', outcome: 'refused', steps: [] });
    expect(inWords(answerTo(1, [before, restarted]))).toBe('reset is unclear: it ended TERMINATED without a report');
  });
});
