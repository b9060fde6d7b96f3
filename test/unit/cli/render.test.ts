import { describe, expect, it } from 'vitest';
import { paintFor } from '../../../src/cli/paint.js';
import { eventsBetween, renderProgress } from '../../../src/cli/render-progress.js';
import { renderPlan, renderReport } from '../../../src/cli/render-report.js';
import type { RunSnapshot } from '../../../src/client/report-snapshot.js';
import { failureRecord } from '../../../src/domain/failures.js';
import type { Plan } from '../../../src/domain/plan.js';
import type { RunReport } from '../../../src/domain/report.js';
import { anObservation, aStep, aStepReport, aTarget, defaultLimits } from '../../support/build.js';

const plain = paintFor(false);
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
          failure: failureRecord('NotConverged', 'start: wished for RUNNING, saw DOWN 0/2'),
        }),
      ],
    },
  ],
};

describe('a report', () => {
  it('says the outcome first, then what was seen, what remains, and what to do', () => {
    expect(renderReport(report, plain).split('\n')).toEqual([
      'FAILED  recover: a step failed; see what remains',
      'run incident-1, 1m 30s, ended 1970-01-01T00:01:30.000Z',
      'requested by alice: disk full',
      '',
      'shop/checkout/prod-1  failed',
      '  before   RUNNING 2/2, version 1.4.1',
      '  ✓ stop: succeeded in 1s, cloud job JOB-1',
      '      RUNNING 2/2, version 1.4.1 → STOPPED 2/2, version 1.4.1',
      '  ✗ start: failed in 1s, cloud job JOB-1',
      '      RUNNING 2/2, version 1.4.1 → DOWN 0/2, version 1.4.1',
      '      attempt 1, 00:00:00: leftNoTrace',
      '      NotConverged: start: wished for RUNNING, saw DOWN 0/2',
      "      → Look at the instance's events and logs: it does not become healthy.",
      '  ○ verify: not reached',
      '  now      DOWN 0/2, version 1.4.1',
      '  remains  rollback: irreversible, snapshots are cleared',
      '',
      'Not started: shop/checkout/prod-2',
    ]);
  });

  it('has colour only where it is wanted', () => {
    expect(renderReport(report, plain)).not.toContain('\u001b');
    expect(renderReport(report, paintFor(true))).toContain('\u001b');
  });
});

describe('a plan', () => {
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
      'Nothing was touched.',
    ]) {
      expect(text).toContain(part);
    }
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
    expect(renderProgress(snapshot('running', 'running'), 3_000, plain)).toContain('● stop running 3s  JOB-1');
  });

  it('gives one line for each thing that happened, the end last', () => {
    expect(eventsBetween(null, snapshot('running', 'running'))).toEqual([
      'stop: running',
      'a/b/c: running, RUNNING 2/2',
      'a/b/c: stop running',
      'a/b/c: stop is followed as cloud job JOB-1',
    ]);
    expect(eventsBetween(snapshot('running', 'running'), snapshot('succeeded', 'finished'))).toEqual([
      'a/b/c: stop succeeded in 2s',
      'a/b/c: finished, RUNNING 2/2',
      'stop: finished',
    ]);
    expect(eventsBetween(snapshot('running', 'running'), snapshot('running', 'running'))).toEqual([]);
  });
});
