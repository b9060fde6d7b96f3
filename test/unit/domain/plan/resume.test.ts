/** What a run that resumes another one may do: each rule with an example, and properties over drawn reports. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unseenAttemptMs } from '../../../../src/domain/once/limits.js';
import { failureRecord } from '../../../../src/domain/failures.js';
import type { Plan, PlannedStep, TargetPlan } from '../../../../src/domain/plan/plan.js';
import { resumeTarget, type Resumption } from '../../../../src/domain/plan/resume.js';
import {
  resumableRun,
  canBeResumed,
  targetsLeft,
  type ResumableRun,
  type Refusal,
} from '../../../../src/domain/plan/earlier-run.js';
import type { RunReport, StepReport, StepResult, TargetReport } from '../../../../src/domain/report/report.js';
import type { Action } from '../../../../src/domain/target/actions.js';
import { leaseId, type Observation } from '../../../../src/domain/target/target.js';
import { anObservation, aStep, aStepReport, aTarget, quickLimits } from '../../../support/build.js';

const ENDED_MS = 100_000;
const NOW_MS = 10_000_000;
const limits = quickLimits();
const target = aTarget();
const STEPS: readonly PlannedStep[] = [
  aStep({ action: 'stop' }),
  aStep({ action: 'rollback', version: '1.4.0' }),
  aStep({ action: 'start' }),
];
const stopped = (change: Partial<Observation> = {}) =>
  anObservation({ status: 'STOPPED', availableReplicaCount: 0, lastJobId: 'JOB-1', ...change });

function step(id: string, action: Action, change: Partial<StepReport> = {}): StepReport {
  return aStepReport({ id, action, result: 'succeeded', sent: 'yes', endedAtMs: ENDED_MS, ...change });
}
const stopDone = step('stop', { action: 'stop' }, { cloudJobId: 'JOB-1', after: stopped() });
const rollbackFailed = (change: Partial<StepReport> = {}) =>
  step(
    'rollback',
    { action: 'rollback', version: '1.4.0' },
    { result: 'failed', sent: 'no', cloudJobId: null, before: stopped(), ...change },
  );

interface Case {
  readonly steps?: readonly PlannedStep[];
  readonly reported?: readonly StepReport[];
  readonly report?: Partial<TargetReport>;
  readonly run?: Partial<RunReport>;
  readonly seen?: Observation;
  readonly nowMs?: number;
  readonly seenAtPlanning?: Observation;
}

function resumed({ steps = STEPS, reported = [stopDone, rollbackFailed()], ...given }: Case = {}):
  Resumption | Refusal {
  const { report = {}, run = {}, seen = stopped(), nowMs = NOW_MS, seenAtPlanning = anObservation() } = given;
  const targetPlan: TargetPlan = { target, seen: seenAtPlanning, steps };
  const targetReport: TargetReport = {
    ...{ path: target.path, instanceId: target.instanceId, leaseId: leaseId(target), outcome: 'failed' },
    ...{ steps: reported, notReached: steps.slice(reported.length).map(({ id }) => id), compensations: [] },
    ...{ remaining: [], captured: anObservation(), lastSeen: stopped(), ...report },
  };
  return resumeTarget({ run: earlier(targetPlan, { targets: [targetReport], ...run }), targetPlan, seen, nowMs });
}

function earlier(targetPlan: TargetPlan, change: Partial<RunReport>): ResumableRun {
  const plan: Plan = {
    ...{ planVersion: 1, runbook: 'recover', title: 't', requestedBy: null, reason: null, inputs: {}, hash: 'h' },
    ...{ targets: [targetPlan], onCancel: 'compensate', deadlineMs: 1, limits, dryRun: false },
  };
  const report: RunReport = {
    ...{ reportVersion: 1, runbook: 'recover', workflowId: 'run-1', runId: 'r', outcome: 'failed', summary: 's' },
    ...{
      planHash: 'h',
      requestedBy: null,
      reason: null,
      startedAtMs: 0,
      endedAtMs: ENDED_MS,
      targets: [],
      notStarted: [],
    },
    ...change,
  };
  return { workflowId: 'run-1', runId: 'r', runbook: 'recover', open: false, plan, report };
}

const ids = (answer: Resumption | Refusal) => ('steps' in answer ? answer.steps.map(({ id }) => id) : answer.code);

describe('a target whose run failed', () => {
  it('continues from the failed step, with proof of what was done', () => {
    const answer = resumed();
    expect(ids(answer)).toEqual(['rollback', 'start']);
    expect(answer).toMatchObject({
      resumed: {
        plannedFrom: anObservation(),
        done: [{ stepId: 'stop', result: 'succeeded', cloudJobId: 'JOB-1', workflowId: 'run-1', endedAtMs: ENDED_MS }],
      },
    });
  });

  it('keeps the values of the plan, and expects the newest cloud job that was read', () => {
    const answer = resumed();
    expect('steps' in answer && answer.steps[0]).toMatchObject({
      action: { action: 'rollback', version: '1.4.0' },
      expects: { lastJobId: 'JOB-1', replicaCounts: [2] },
    });
    expect('steps' in answer && answer.steps[1]).toMatchObject({ expects: { lastJobId: 'JOB-1', replicaCounts: [] } });
  });

  it.each<[string, Case, string | readonly string[]]>([
    [
      'after a cancel in a wait: from the wait on',
      {
        steps: [STEPS[0]!, { kind: 'wait', id: 'wait', durationMs: 1 }, STEPS[2]!],
        reported: [
          stopDone,
          aStepReport({ id: 'wait', action: null, result: 'cancelled', cloudJobId: null, sent: 'no' }),
        ],
        report: { outcome: 'cancelled' },
      },
      ['wait', 'start'],
    ],
    [
      'from the first step that was not reached',
      { reported: [stopDone], report: { outcome: 'cancelled' } },
      ['rollback', 'start'],
    ],
    ['another cloud job', { seen: stopped({ lastJobId: 'JOB-9' }) }, 'changed-since'],
    ['another version', { seen: stopped({ version: '1.3.2' }) }, 'changed-since'],
    ['another count', { seen: stopped({ replicaCount: 5 }) }, 'changed-since'],
    ['no longer stopped', { seen: stopped({ status: 'RUNNING' }) }, 'changed-since'],
    ['a cloud job in flight', { seen: stopped({ lastJobStatus: 'RUNNING' }) }, 'target-busy'],
    [
      'somebody acted during the run',
      {
        reported: [stopDone, rollbackFailed()],
        report: { lastSeen: stopped({ lastJobId: 'JOB-9' }) },
        seen: stopped({ lastJobId: 'JOB-9' }),
      },
      'changed-since',
    ],
    ['it succeeded', { report: { outcome: 'succeeded' } }, 'already-succeeded'],
    ['it was compensated', { report: { outcome: 'compensated', compensations: [stopDone] } }, 'steps-undone'],
    ['an undo failed', { report: { outcome: 'compensationFailed' } }, 'steps-undone'],
    ['a cancel undid its steps', { report: { outcome: 'cancelled', compensations: [stopDone] } }, 'steps-undone'],
    ['its steps are lost', { report: { cut: 'bare' }, reported: [] }, 'no-report'],
    ['its report is lost', { run: { targets: [] } }, 'no-report'],
    ['its workflow left no report', { reported: [], report: { outcome: 'indeterminate' } }, 'no-report'],
    [
      'every step was done before a cancel',
      {
        reported: [stopDone, rollbackFailed({ result: 'succeeded' }), step('start', { action: 'start' })],
        report: { outcome: 'cancelled' },
      },
      'nothing-to-resume',
    ],
  ])('%s', (_what, given, expected) => {
    expect(ids(resumed(given))).toEqual(expected);
  });

  it('its own cloud job that has ended well since is not a change: the step is planned and will be skipped', () => {
    const failed = rollbackFailed({ sent: 'yes', cloudJobId: 'JOB-2' });
    const seen = stopped({ lastJobId: 'JOB-2', version: '1.4.0' });
    expect(ids(resumed({ reported: [stopDone, failed], seen }))).toEqual(['rollback', 'start']);
    expect(ids(resumed({ reported: [stopDone, failed], seen: { ...seen, version: '1.3.2' } }))).toBe('changed-since');
  });
});

describe('a restart', () => {
  const steps = [aStep({ action: 'restart' }), aStep({ action: 'scale', replica: 4 })];
  const restart = (change: Partial<StepReport>) =>
    step('restart', { action: 'restart' }, { result: 'failed', cloudJobId: 'JOB-1', ...change });
  const seen = anObservation({ lastJobId: 'JOB-1' });
  const report = { lastSeen: anObservation({ lastJobId: 'JOB-1' }) };

  it('is not sent again if its own cloud job has ended well since', () => {
    const answer = resumed({ steps, reported: [restart({})], report, seen });
    expect(ids(answer)).toEqual(['scale']);
    expect(answer).toMatchObject({ resumed: { done: [{ stepId: 'restart', result: 'foundDone' }] } });
    expect(ids(resumed({ steps: steps.slice(0, 1), reported: [restart({})], report, seen }))).toBe('nothing-to-resume');
  });

  it('is not sent again if settling saw its cloud job end well, and a later step followed another one', () => {
    const later = anObservation({ lastJobId: 'JOB-2', replicaCount: 4, availableReplicaCount: 4 });
    const scaled = step('scale', { action: 'scale', replica: 4 }, { cloudJobId: 'JOB-2' });
    const given = { steps, report: { lastSeen: later }, seen: later };
    const overdue = (after: Observation) => restart({ failure: failureRecord('CloudJobOverdue', 'late'), after });
    expect(ids(resumed({ ...given, reported: [overdue(seen), scaled] }))).toEqual(['scale']);
    const unended = { ...seen, lastJobStatus: 'RUNNING' };
    expect(ids(resumed({ ...given, reported: [overdue(unended), scaled] }))).toEqual(['restart', 'scale']);
  });

  it('is sent again if its cloud job failed', () => {
    const failed = { ...seen, lastJobStatus: 'FAILED' };
    expect(ids(resumed({ steps, reported: [restart({})], report, seen: failed }))).toEqual(['restart', 'scale']);
  });

  it('that was sent after the failed step keeps the run from being resumed', () => {
    const reported = [
      step('scale', { action: 'scale', replica: 4 }, { result: 'failed', sent: 'no', cloudJobId: null }),
      restart({ result: 'succeeded' }),
    ];
    expect(ids(resumed({ steps: [...steps].reverse(), reported, report, seen }))).toBe('sent-already');
  });
});

describe('an indeterminate step', () => {
  const unclear = (change: Partial<StepReport> = {}) => ({
    reported: [stopDone, rollbackFailed({ result: 'indeterminate', sent: 'unknown', ...change })],
    report: { outcome: 'indeterminate' as const },
  });

  it('is resumed once readings prove that it was not sent', () => {
    expect(ids(resumed(unclear()))).toEqual(['rollback', 'start']);
  });

  it.each<[string, Case]>([
    ['while what was sent may be unseen', { ...unclear(), nowMs: ENDED_MS + unseenAttemptMs(limits) - 1 }],
    ['if its state is another one', { ...unclear(), seen: stopped({ version: '1.4.0' }) }],
    ['if it was sent', unclear({ sent: 'yes' })],
    ['if a cloud job may be its own', unclear({ cloudJobId: 'JOB-2' })],
  ])('is refused %s', (_what, given) => {
    expect(ids(resumed(given))).toBe('step-indeterminate');
  });

  it('is resumed if its own cloud job has ended since', () => {
    const given = unclear({ sent: 'yes', cloudJobId: 'JOB-2' });
    const seen = stopped({ lastJobId: 'JOB-2', lastJobStatus: 'FAILED' });
    expect(ids(resumed({ ...given, seen }))).toEqual(['rollback', 'start']);
    expect(ids(resumed({ ...given, seen: { ...seen, lastJobStatus: 'RUNNING' } }))).toBe('step-indeterminate');
    const found = { cloudJobId: 'JOB-2', instanceId: null, jobType: null, createdBy: null };
    const evidence = { ...found, firstTaskAtMs: 1, scheduledAtMs: 1, createdByUs: true };
    const adopted = unclear({ sent: 'yes', cloudJobId: 'JOB-2', evidence });
    expect(ids(resumed({ ...adopted, seen }))).toBe('step-indeterminate');
  });

  it('is refused if a cloud job has appeared', () => {
    expect(ids(resumed({ ...unclear(), seen: stopped({ lastJobId: 'JOB-2' }) }))).toBe('changed-since');
  });
});

describe('a target that was not started', () => {
  const run = { targets: [], notStarted: [target.path] };
  it('is planned whole, if it is as it was', () => {
    expect(ids(resumed({ run, seen: anObservation() }))).toEqual(['stop', 'rollback', 'start']);
  });
  it('is refused if the version that was resolved may be wrong now', () => {
    expect(ids(resumed({ run, seen: anObservation({ version: '1.5.0' }) }))).toBe('changed-since');
  });
});

describe('a run', () => {
  const run = (change: Partial<RunReport>) => earlier({ target, seen: anObservation(), steps: STEPS }, change);
  const failed: TargetReport = {
    ...{ path: target.path, instanceId: 'i', leaseId: 'l', outcome: 'failed', steps: [stopDone, rollbackFailed()] },
    ...{ notReached: ['start'], compensations: [], remaining: [], captured: null, lastSeen: null },
  };

  it.each<[string, Partial<ResumableRun>, string]>([
    ['that is open', { open: true }, 'run-still-open'],
    ['that succeeded', run({ outcome: 'succeeded' }), 'nothing-to-resume'],
    ['that did nothing', run({ outcome: 'refused' }), 'nothing-to-resume'],
  ])('%s is not resumed', (_what, change, code) => {
    expect(resumableRun({ ...run({ targets: [failed] }), ...change })).toMatchObject({ code });
  });

  it('without a report or a plan is not resumed', () => {
    expect(resumableRun({ ...run({ targets: [failed] }), report: null })).toMatchObject({ code: 'no-report' });
    expect(resumableRun({ ...run({ targets: [failed] }), plan: null })).toMatchObject({ code: 'no-report' });
  });

  it('leaves out the targets that succeeded', () => {
    const { report } = run({
      targets: [{ ...failed, path: 'a/b/c', outcome: 'succeeded' }, failed],
      notStarted: ['a/b/d'],
    });
    expect(targetsLeft(report)).toEqual([target.path, 'a/b/d']);
    expect(canBeResumed(report)).toBe(true);
    expect(canBeResumed({ ...report, targets: [{ ...failed, outcome: 'compensated' }] })).toBe(false);
  });
});

describe('whatever the report holds', () => {
  const RESULTS: readonly StepResult[] = ['succeeded', 'skipped', 'failed', 'indeterminate', 'cancelled'];
  const ACTIONS: readonly Action[] = [
    { action: 'stop' },
    { action: 'start' },
    { action: 'restart' },
    { action: 'scale', replica: 4 },
    { action: 'rollback', version: '1.4.0' },
  ];
  const observation = fc
    .record({
      status: fc.constantFrom('RUNNING', 'STOPPED', 'FAILED', 'STARTING'),
      version: fc.constantFrom('1.4.0', '1.4.1', null),
      replicaCount: fc.constantFrom(2, 4, null),
      lastJobId: fc.constantFrom('JOB-0', 'JOB-1', 'JOB-2', null),
      lastJobStatus: fc.constantFrom('SUCCEEDED', 'FAILED', 'RUNNING', null),
    })
    .map(anObservation);
  const drawn = fc
    .array(
      fc.record({
        action: fc.constantFrom(...ACTIONS),
        result: fc.constantFrom(...RESULTS),
        sent: fc.constantFrom('no' as const, 'yes' as const, 'unknown' as const),
        cloudJobId: fc.constantFrom('JOB-1', 'JOB-2', null),
        before: observation,
      }),
      { minLength: 1, maxLength: 5 },
    )
    .chain((all) =>
      fc.record({
        all: fc.constant(all),
        reported: fc.nat({ max: all.length }),
        seen: observation,
        lastSeen: observation,
        outcome: fc.constantFrom('failed' as const, 'cancelled' as const, 'indeterminate' as const, 'refused' as const),
        nowMs: fc.nat({ max: NOW_MS }),
      }),
    );

  it('only a last part of the plan is left, never with a cloud job that the run did not know, never with a restart that is done', () => {
    let answered = 0;
    fc.assert(
      fc.property(drawn, ({ all, reported, seen, lastSeen, outcome, nowMs }) => {
        const steps = all.map(({ action }, index) => aStep(action, { id: `s${index}` }));
        const reports = all
          .slice(0, reported)
          .map((each, index) => aStepReport({ id: `s${index}`, endedAtMs: ENDED_MS, ...each }));
        const answer = resumed({ steps, reported: reports, report: { outcome, lastSeen }, seen, nowMs });
        if (!('steps' in answer)) return;
        answered++;
        const left = answer.steps.map(({ id }) => id);
        expect(left).toEqual(steps.slice(-left.length).map(({ id }) => id));
        expect(left.length + answer.resumed.done.length).toBe(steps.length);
        const known = ['JOB-0', ...reports.map(({ cloudJobId }) => cloudJobId)];
        expect(known).toContain(seen.lastJobId);
        expect(seen.status).not.toBe('STARTING');
        expect(seen.lastJobStatus).not.toBe('RUNNING');
        for (const { id, result, sent, action, cloudJobId } of reports) {
          if (!left.includes(id)) continue;
          const isDone = result === 'succeeded' || result === 'skipped';
          if (action?.action === 'restart') expect(isDone && sent !== 'no').toBe(false);
          const isOwn = sent === 'yes' && cloudJobId === seen.lastJobId && cloudJobId !== null;
          if (result === 'indeterminate' && id === left[0])
            expect(isOwn || (sent !== 'yes' && cloudJobId === null)).toBe(true);
        }
      }),
      { numRuns: 20_000 },
    );
    expect(answered).toBeGreaterThan(200);
  });
});
