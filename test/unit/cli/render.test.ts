import { describe, expect, it } from 'vitest';
import { guardLines } from '../../../src/cli/render-gates.js';
import { renderList, renderOccurrences } from '../../../src/cli/render-schedules.js';
import { createColors } from '../../../src/cli/colors.js';
import { eventsBetween, lateEvents } from '../../../src/cli/render-events.js';
import { renderPlan } from '../../../src/cli/render-plan.js';
import { renderReport } from '../../../src/cli/render-report.js';
import type { RunSnapshot } from '../../../src/client/report-snapshot.js';
import type { Action } from '../../../src/domain/target/actions.js';
import { failureRecord, FAILURES } from '../../../src/domain/failures.js';
import type { UsualDuration } from '../../../src/domain/durations/usual-duration.js';
import type { Plan } from '../../../src/domain/plan/plan.js';
import type { GateReport, RunReport } from '../../../src/domain/report/report.js';
import type { StepProgress } from '../../../src/domain/report/progress.js';
import { renderProgress } from '../../support/live.js';
import { anObservation, aStep, aStepReport, aTarget, defaultLimits } from '../../support/build.js';

const plain = createColors(false);
const down = anObservation({ status: 'DOWN', availableReplicaCount: 0 });

const report: RunReport = {
  reportVersion: 1,
  runbook: 'recover',
  workflowId: 'incident-1',
  runId: 'r',
  outcome: 'failed',
  summary: 's',
  planHash: 'h',
  requestedBy: 'alice',
  reason: 'disk full',
  startedAtMs: 0,
  endedAtMs: 90_000,
  notStarted: ['shop/checkout/prod-2'],
  targets: [
    {
      path: 'shop/checkout/prod-1',
      instanceId: 'i',
      leaseId: 'l',
      outcome: 'failed',
      captured: anObservation(),
      lastSeen: down,
      notReached: ['verify'],
      compensations: [],
      remaining: [
        {
          stepId: 'rollback',
          action: { action: 'rollback', version: '1.4.0' },
          why: 'snapshots are cleared',
          kind: 'irreversible',
        },
      ],
      steps: [
        aStepReport(),
        aStepReport({
          id: 'start',
          action: { action: 'start' },
          result: 'failed',
          attempts: 2,
          after: down,
          trail: [{ attempt: 1, atMs: 0, decision: 'leftNoTrace' }],
          failure: failureRecord('NotConverged', 'start: expected RUNNING, saw DOWN 0/2'),
        }),
      ],
    },
  ],
};

describe('a report', () => {
  it('shows the outcome first, then what was seen, what remains, and what to do', () => {
    expect(renderReport(report, plain).split('\n')).toEqual([
      'FAILED  recover: a step failed; see what remains',
      'run incident-1, 1m 30s (1970-01-01T00:00:00Z to 1970-01-01T00:01:30Z)',
      'requested by alice: disk full',
      'plan h',
      '',
      'shop/checkout/prod-1  failed',
      '  before   RUNNING 2/2, version 1.4.1',
      '  ✓ stop: succeeded in 1s (1970-01-01T00:00:01Z to 1970-01-01T00:00:02Z), cloud job JOB-1',
      '      RUNNING 2/2, version 1.4.1 → STOPPED 2/2, version 1.4.1',
      '  ✗ start: failed in 1s (1970-01-01T00:00:01Z to 1970-01-01T00:00:02Z), cloud job JOB-1',
      '      RUNNING 2/2, version 1.4.1 → DOWN 0/2, version 1.4.1',
      '      attempt 1, 1970-01-01T00:00:00Z: leftNoTrace',
      '      NotConverged: start: expected RUNNING, saw DOWN 0/2',
      `      → ${FAILURES.NotConverged.advice}`,
      '  ○ verify: not reached',
      '  now      DOWN 0/2, version 1.4.1',
      '  remains  rollback: irreversible, snapshots are cleared',
      '',
      'Not started: shop/checkout/prod-2',
      '',
      'Next: see the state now, and what a new run would do from the failed step on',
      '  runbook resume incident-1 --plan',
    ]);
  });

  it('claims that all is as before only if that was observed', () => {
    const [failed] = report.targets;
    if (failed === undefined) throw new Error('there is a target');
    const undo = aStepReport({ id: 'undo-scale', action: { action: 'scale', replica: 2 } });
    const after = (lastSeen: typeof down | null) => {
      const target = { ...failed, outcome: 'compensated' as const, remaining: [], compensations: [undo], lastSeen };
      return renderReport({ ...report, outcome: 'compensated', targets: [target] }, plain);
    };
    expect(after(anObservation())).toMatch(/^COMPENSATED .*: a step failed, and its changes were undone\n/);
    const elsewhere = after(anObservation({ replicaCount: 1 }));
    expect(elsewhere.split('\n')[0]).not.toContain('taken back');
    expect(elsewhere).toContain('\n  differs  replicas 1 (2 before)');
    expect(after(null).split('\n')[0]).not.toContain('taken back');
  });

  it('mentions what remains only if something does', () => {
    const [failed] = report.targets;
    if (failed === undefined) throw new Error('there is a target');
    const notSent = aStepReport({ result: 'failed', sent: 'no' });
    const sent = aStepReport({ result: 'failed', sent: 'yes' });
    const meaning = (change: Partial<typeof failed>, more: Partial<RunReport> = {}) => {
      const target = { ...failed, remaining: [], steps: [sent], ...change };
      return /: (.*)/.exec(renderReport({ ...report, targets: [target], ...more }, plain))?.[1];
    };
    expect(meaning({ steps: [notSent] })).toBe('a step failed; nothing was sent');
    expect(meaning({ lastSeen: anObservation() })).toBe('a step failed; the state is as before: RUNNING');
    const stopped = anObservation({ status: 'STOPPED' });
    expect(meaning({ captured: stopped, lastSeen: stopped })).toBe('a step failed; the state is as before: STOPPED');
    expect(meaning({ lastSeen: down })).toBe('a step failed; see the state now: DOWN');
    expect(meaning({ lastSeen: null })).toBe('a step failed; see the state now');
    expect(meaning({ steps: [aStepReport()], lastSeen: down })).toBe('it was not completed; see the state now: DOWN');
    expect(meaning({ steps: [], cut: 'bare' })).toBe('a step failed; see what remains');
    expect(meaning({ remaining: failed.remaining })).toBe('a step failed; see what remains');
  });

  it('claims no verification of a step about which a person decided', () => {
    const [target] = report.targets;
    if (target === undefined) throw new Error('there is a target');
    const decided = (command: 'markSucceeded' | 'skipStep', actor: string) =>
      aStepReport({
        ...{ result: command === 'skipStep' ? 'skipped' : 'succeeded', sent: 'unknown' },
        decisions: [{ command, actor, reason: 'seen', atMs: 5_000 }],
      });
    const head = (...steps: ReturnType<typeof aStepReport>[]) =>
      renderReport(
        { ...report, outcome: 'succeeded', targets: [{ ...target, outcome: 'succeeded', steps }] },
        plain,
      ).split('\n')[0];
    expect(head(aStepReport())).toBe('SUCCEEDED  recover: everything was done and verified');
    expect(head(aStepReport(), decided('markSucceeded', 'ann'))).toBe(
      'SUCCEEDED  recover: done; 1 step counts as done by the decision of ann, not verified',
    );
    expect(head(decided('markSucceeded', 'ann'), decided('markSucceeded', 'bob'), decided('skipStep', 'ann'))).toBe(
      'SUCCEEDED  recover: done; 2 steps count as done by the decision of ann and bob, not verified; 1 step was skipped by the decision of ann',
    );
  });

  it('reports where a run ended with a state that was reached and not held', () => {
    const [target] = report.targets;
    const withLast = (...steps: ReturnType<typeof aStepReport>[]) =>
      renderReport({ ...report, targets: target === undefined ? [] : [{ ...target, steps }] }, plain);
    const reached = aStepReport({ notHeld: true });
    const wait = aStepReport({ id: 'wait', action: null });
    expect(withLast(reached)).toContain('  not held  the state was reached, and no step waited to see it hold');
    expect(withLast(reached, aStepReport({ id: 'start', action: { action: 'start' } }), wait)).not.toContain(
      'not held',
    );
  });

  it('has colours only if requested', () => {
    expect(renderReport(report, plain)).not.toContain('\u001b');
    expect(renderReport(report, createColors(true))).toContain('\u001b');
  });
});

describe('a plan', () => {
  const planOf = (seen: Parameters<typeof anObservation>[0], ...steps: Plan['targets'][number]['steps']): Plan => ({
    ...{
      planVersion: 1,
      runbook: 'x',
      title: 'X',
      requestedBy: null,
      reason: null,
      inputs: {},
      onCancel: 'compensate',
    },
    ...{ deadlineMs: 600_000, limits: defaultLimits, dryRun: true, hash: 'abc' },
    targets: [{ target: aTarget(), seen: anObservation(seen), steps }],
  });

  it('shows how long a state must hold, and nothing where it need not', () => {
    const verify = { withinMs: 60_000, stableMs: 10_000 };
    const steps = [aStep({ action: 'stop' }, { verify, holds: false }), aStep({ action: 'start' }, { verify })];
    const text = renderPlan(planOf({}, ...steps), plain);
    expect(text.match(/at most .*/g)).toEqual([
      'at most 20s; if it fails: compensate',
      'at most 20s, holds 10s; if it fails: compensate',
    ]);
  });

  it('shows which steps are already done', () => {
    const steps = [aStep({ action: 'stop' }), aStep({ action: 'start' }), aStep({ action: 'restart' })];
    const text = renderPlan(planOf({ status: 'STOPPED' }, ...steps), plain);
    expect(text).toContain('  1. stop\n     already done, will be skipped\n  2. start\n     undone by stop\n');
    expect(text.match(/already done/g)).toHaveLength(1);
    expect(renderPlan(planOf({ status: 'STOPPING' }, ...steps), plain)).toContain('a cloud job is in flight');
  });

  it('warns of an undo that leads to another state', () => {
    const undo: Action = { action: 'scale', replica: 2 };
    const step = aStep({ action: 'scale', replica: 6 }, { compensation: { kind: 'action', action: undo } });
    const text = renderPlan(planOf({ replicaCount: 4, availableReplicaCount: 4 }, step), plain);
    expect(text).toContain(
      'undone by scale replica=2, which leads to another state than before the step: replicas 2 (4 before)',
    );
    expect(renderPlan(planOf({}, step), plain)).toContain('undone by scale replica=2\n');
  });

  it('shows from and to, what cannot be undone, and that nothing was touched', () => {
    const plan: Plan = {
      ...{
        planVersion: 1,
        runbook: 'recover',
        title: 'Recover',
        requestedBy: null,
        reason: null,
        inputs: { version: 'previous' },
      },
      ...{
        onCancel: 'compensate',
        deadlineMs: 600_000,
        limits: defaultLimits,
        dryRun: true,
        hash: 'abcdef0123456789ff',
      },
      targets: [
        {
          target: aTarget(),
          seen: anObservation(),
          steps: [
            aStep({ action: 'stop' }),
            aStep({ action: 'rollback', version: '1.4.0' }, { note: 'previous: 1.4.1 → 1.4.0' }),
            { kind: 'wait', id: 'wait', durationMs: 60_000 },
          ],
        },
      ],
    };
    const text = renderPlan(plan, plain);
    for (const part of [
      '1. stop',
      'undone by start',
      'previous: 1.4.1 → 1.4.0',
      'cannot be undone: later snapshots are cleared',
      '3. wait 1m',
      'plan abcdef0123456789',
      'Nothing was changed.',
    ]) {
      expect(text).toContain(part);
    }
  });
});

describe('a usual duration', () => {
  const job = { p50Ms: 12_000, p90Ms: 20_000, jobs: 41, from: 'component' as const };
  const entry = (stepId: string, change: Partial<typeof job> = {}) => ({
    ...{ stepId, job: { ...job, ...change } as UsualDuration, stepP50Ms: 12_000, stepP90Ms: 20_000 },
  });
  const plan = (window?: Plan['guards'], jobs = 41): Plan => ({
    ...{ planVersion: 1, runbook: 'x', title: 'X', requestedBy: null, reason: null, inputs: {}, dryRun: true },
    ...{ onCancel: 'compensate', deadlineMs: 600_000, limits: defaultLimits, hash: 'abc' },
    ...(window === undefined ? {} : { guards: window }),
    targets: [
      {
        target: aTarget(),
        seen: anObservation(),
        steps: [aStep({ action: 'stop' }), aStep({ action: 'start' })],
        usual: [entry('stop', { jobs }), entry('start', { jobs })],
      },
    ],
  });
  const windowOf = (durationMs: number, fit?: false): Plan['guards'] => ({
    window: { opensAtMs: null, durationMs, cutoffMs: 0, ...(fit === undefined ? {} : { fit }) },
    ...{ freeze: [], waitAtMostMs: null, coming: [] },
  });

  it('is in the plan, for each step and for the run', () => {
    const text = renderPlan(plan(), plain);
    expect(
      text.match(/ {5}usually 12s, nine in ten within 20s \(from 41 cloud jobs of this component\)/g),
    ).toHaveLength(2);
    expect(text).toContain('\nthe whole run: usually 24s, nine in ten within 35s\n');
  });

  it('is compared with the window in the plan', () => {
    const lineOf = (given: Plan) =>
      renderPlan(given, plain)
        .split('\n')
        .find((line) => line.includes('fit into'));
    expect(lineOf(plan(windowOf(60_000)))).toBeUndefined();
    expect(lineOf(plan(windowOf(30_000)))).toBe(
      'shop/checkout/prod-1 does not fit into the window: its steps take up to 35s (nine in ten, from 41 cloud jobs), and 30s of the window are left; it is not begun',
    );
    expect(lineOf(plan(windowOf(30_000, false)))).toContain('; it is begun all the same');
    expect(lineOf(plan(windowOf(30_000), 3))).toBe(
      'shop/checkout/prod-1 may not fit into the window: its steps may take 35s (too few cloud jobs were seen to be sure), and 30s of the window are left; it is begun all the same',
    );
  });

  it('is in the report, beside how long each step took', () => {
    const [target] = report.targets;
    if (target === undefined) throw new Error('there is a target');
    const lineOf = (endedAtMs: number, jobs: number) => {
      const steps = [aStepReport({ startedAtMs: 0, endedAtMs, usual: { ...job, jobs } })];
      return renderReport({ ...report, targets: [{ ...target, steps }] }, plain).split('\n')[7];
    };
    expect(lineOf(13_000, 41)).toContain('✓ stop: succeeded in 13s, usually 12s (1970');
    expect(lineOf(31_000, 41)).toContain('✓ stop: succeeded in 31s, usually 12s: unusually late (1970');
    expect(lineOf(31_000, 0)).toContain('✓ stop: succeeded in 31s, about 12s declared (1970');
  });

  const running = (change: Partial<StepProgress> = {}): RunSnapshot => ({
    workflowId: 'w',
    run: {
      ...{ runbook: 'stop', phase: 'running', planHash: 'h', startedAtMs: 0, outcome: null },
      usual: { p50Ms: 12_000, p90Ms: 20_000 },
      targets: [{ path: 'a/b/c', leaseId: 'l', childRunId: 'r', outcome: null }],
    },
    targets: [
      {
        ...{ path: 'a/b/c', phase: 'running', seen: null, compensations: [], outcome: null },
        steps: [
          {
            ...{
              id: 'stop',
              title: 'stop',
              state: 'running',
              startedAtMs: 1_000,
              endedAtMs: null,
              cloudJobId: 'JOB-1',
            },
            ...{ seen: null, failure: null, usual: job },
            ...change,
          },
        ],
      },
    ],
  });

  it('is shown while the step runs, and that it is late', () => {
    const textAt = (nowMs: number) => renderProgress(running(), nowMs, plain);
    expect(textAt(9_000)).toContain('stop w  running, 9s (usually 12s, nine in ten within 20s)');
    expect(textAt(9_000)).toContain('● stop running 8s, usually 12s  [######----]\n      cloud job JOB-1');
    expect(textAt(31_000)).not.toContain('late');
    expect(textAt(42_000)).toContain('● stop running 41s, usually 12s: unusually late  [##########]');
  });

  it('is not called usual before a cloud job was seen', () => {
    const snapshot = running({ usual: { ...job, jobs: 0 } });
    expect(renderProgress(snapshot, 9_000, plain)).toContain('stop w  running, 9s (about 12s declared)');
    expect(renderProgress({ ...snapshot, targets: [] }, 9_000, plain)).toContain('stop w  running, 9s (about 12s)');
  });

  it('gives one line when the step becomes late', () => {
    const late = 'a/b/c: stop is unusually late, 31s so far, usually 12s';
    expect(lateEvents(running(), 30_000, 31_000)).toEqual([]);
    expect(lateEvents(running(), 30_000, 32_000)).toEqual([late]);
    expect(lateEvents(running(), null, 32_000)).toEqual([late]);
    expect(lateEvents(running(), 32_000, 33_000)).toEqual([]);
    expect(lateEvents(running({ state: 'succeeded' }), null, 32_000)).toEqual([]);
  });
});

describe('schedules', () => {
  it('that are paused are marked once in the list', () => {
    const listed = {
      ...{ id: 'a/b', runbook: 'restart', timezone: 'UTC', paused: true, state: 'applied' as const, nextAt: null },
      ...{ runningRuns: [], lastRun: null, skipped: { overlap: 0, late: 0 } },
    };
    const text = (note: string | null) => renderList([{ ...listed, note }], plain);
    expect(text('paused by root: the move')).toBe('a/b  restart  paused by root: the move');
    expect(text('the move')).toBe('a/b  restart  paused: the move');
    expect(text(null)).toBe('a/b  restart  paused');
  });

  it('with an unreadable calendar show at each occurrence that it counts as frozen', () => {
    const text = renderOccurrences(
      {
        ...{ id: 'a/b', summary: 'restart', paused: false, timezone: 'UTC', warnings: [], surprises: [], jitterMs: 0 },
        coming: [{ atMs: 0, localTime: '1970-01-01 00:00', comesTwice: false, freezes: [] }],
        problems: [{ code: 'broken', place: 'a.yaml', found: 'broken', remedy: 'x' }],
      },
      plain,
    );
    expect(text).toContain('1970-01-01T00:00:00Z  a calendar cannot be read, which counts as frozen');
  });
});

describe('gates', () => {
  const freeze = { calendar: 'prod-freeze', name: 'Year end', fromMs: 0, toMs: 3_600_000 };

  it('appear in a plan, with what is frozen', () => {
    const window = { opensAtMs: null, durationMs: 7_200_000, cutoffMs: 1_800_000 };
    const guards = { window, freeze: ['prod-freeze'], waitAtMostMs: 3_600_000, coming: [freeze] };
    expect(guardLines(guards, plain)).toEqual([
      'window of 2h from the start, nothing new in its last 30m',
      'frozen by prod-freeze',
      '  prod-freeze "Year end" 1970-01-01T00:00:00Z to 1970-01-01T01:00:00Z',
      'a start within a freeze waits at most 1h',
    ]);
    expect(
      guardLines({ ...guards, window: { ...window, opensAtMs: 0 }, coming: [], waitAtMostMs: null }, plain),
    ).toEqual([
      'window open 1970-01-01T00:00:00Z to 1970-01-01T02:00:00Z, nothing new after 1970-01-01T01:30:00Z',
      'frozen by prod-freeze',
      '  nothing is frozen in the next 7 days',
      'a start outside the window or within a freeze is refused',
    ]);
    expect(guardLines({ ...guards, window: null, coming: [], unreadable: ['a.yaml:1:1: broken'] }, plain)).toEqual([
      'frozen by prod-freeze',
      '  cannot be read, which counts as frozen: a.yaml:1:1: broken',
      'a start within a freeze waits at most 1h',
    ]);
  });

  it('appear in a report, with their times', () => {
    const closed: GateReport = {
      ...{ target: 'a/b/c', firstLookAtMs: 0, lastLookAtMs: 60_000, looks: 2 },
      failure: 'ChangeFreeze',
      why: 'Changes are frozen',
      opensAtMs: null,
    };
    const opened = { ...closed, firstLookAtMs: 90_000, looks: 1, failure: null, why: null };
    const text = renderReport({ ...report, outcome: 'expired', gates: [closed, opened] }, plain);
    expect(text).toContain('EXPIRED  recover: the time to start ran out; targets that had not started were left alone');
    expect(text).toContain(
      'gate of a/b/c: ChangeFreeze 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z, checked 2 times\n  Changes are frozen\ngate of a/b/c: open again 1970-01-01T00:01:30Z',
    );
  });

  it('are shown while a run waits for them', () => {
    const waiting: RunSnapshot = {
      workflowId: 'w',
      targets: [],
      run: {
        ...{ runbook: 'stop', phase: 'waiting', planHash: 'h', startedAtMs: 0, outcome: null, targets: [] },
        waiting: { why: 'Changes are frozen', looksAgainAtMs: 600_000, givesUpAtMs: 3_600_000 },
      },
    };
    expect(renderProgress(waiting, 0, plain).split('\n')).toEqual([
      'stop w  waiting, 0ms',
      '',
      'Changes are frozen',
      'checks again in 10m, gives up in 1h',
    ]);
    expect(eventsBetween(null, waiting)).toEqual([
      'stop: waiting, Changes are frozen; checks again at 1970-01-01T00:10:00Z, gives up at 1970-01-01T01:00:00Z',
    ]);
    expect(eventsBetween(waiting, waiting)).toEqual([]);
  });
});

describe('a run under way', () => {
  const step = {
    id: 'stop',
    title: 'stop',
    startedAtMs: 0,
    endedAtMs: null,
    cloudJobId: 'JOB-1',
    seen: null,
    failure: null,
  };
  const snapshot = (state: 'running' | 'succeeded', phase: 'running' | 'finished'): RunSnapshot => ({
    workflowId: 'w',
    run: {
      runbook: 'stop',
      phase,
      planHash: 'h',
      startedAtMs: 0,
      outcome: phase === 'finished' ? 'succeeded' : null,
      targets: [{ path: 'a/b/c', leaseId: 'l', childRunId: 'r', outcome: null }],
    },
    targets: [
      {
        path: 'a/b/c',
        phase,
        seen: 'RUNNING 2/2',
        compensations: [],
        outcome: null,
        steps: [{ ...step, state, endedAtMs: state === 'running' ? null : 2_000 }],
      },
    ],
  });

  it('is drawn with steps, cloud jobs and elapsed times', () => {
    expect(renderProgress(snapshot('running', 'running'), 3_000, plain)).toContain(
      '● stop running 3s\n      cloud job JOB-1',
    );
  });

  it('prints one line for each event, the end last', () => {
    expect(eventsBetween(null, snapshot('running', 'running'))).toEqual([
      'stop: running',
      'a/b/c: running, RUNNING 2/2',
      'a/b/c: stop running',
      'a/b/c: stop runs as cloud job JOB-1',
    ]);
    expect(eventsBetween(snapshot('running', 'running'), snapshot('succeeded', 'finished'))).toEqual([
      'a/b/c: stop succeeded in 2s',
      'a/b/c: finished, RUNNING 2/2',
      'stop: finished',
    ]);
    expect(eventsBetween(snapshot('running', 'running'), snapshot('running', 'running'))).toEqual([]);
  });
});
