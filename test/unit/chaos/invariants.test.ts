import { describe, expect, it } from 'vitest';
import { failureRecord } from '../../../src/domain/failures.js';
import type { AdoptionEvidence } from '../../../src/domain/once/state.js';
import type { TrailEntry } from '../../../src/domain/once/trail.js';
import type { Evidence, Settle, Violation } from '../../chaos/evidence.js';
import { violations } from '../../chaos/invariants.js';
import {
  at,
  cloudJob,
  consoleJob,
  disturbance,
  evidence,
  holder,
  running,
  runOf,
  stopped,
  type Act,
  type HolderChange,
} from './build-scene.js';

const found = (of: Evidence): string[] => violations(of).map(({ promise, what }) => `${promise}: ${what}`);

function expectOnly(of: Evidence, promise: Violation['promise'], what: RegExp): void {
  const all = violations(of);
  expect(all.map((violation) => violation.what).join('\n')).toMatch(what);
  expect([...new Set(all.map((violation) => violation.promise))]).toEqual([promise]);
}

const sent = (cloudJobId: string) => ({ sent: 'yes', cloudJobId }) as const;

const STOP: Act = { id: 'stop', action: { action: 'stop' }, fromMs: 1_000, toMs: 2_000, reported: sent('J1') };
const START: Act = {
  id: 'start',
  action: { action: 'start' },
  fromMs: 2_000,
  toMs: 3_000,
  lastJobId: 'J1',
  reported: sent('J2'),
};
const RESTART: Act = { id: 'restart', action: { action: 'restart' }, fromMs: 1_000, toMs: 2_000, reported: sent('J1') };
const J1 = cloudJob('J1', 'stop', 1_100);
const J2 = cloudJob('J2', 'start', 2_100);
const R1 = cloudJob('J1', 'restart', 1_100);

const stopStart = (change: HolderChange = {}) => holder('h1', [STOP, START], change);

it('finds nothing if all went well', () => {
  expect(found(evidence({ holders: [stopStart()], accepted: [J1, J2] }))).toEqual([]);
});

it('finds nothing in a scene without actions', () => {
  expect(found(evidence({}))).toEqual([]);
});

describe('once', () => {
  it('reports a second POST for one decision', () => {
    const twice = [R1, cloudJob('JX', 'restart', 1_700)];
    expectOnly(evidence({ holders: [holder('h1', [RESTART])], accepted: twice }), 'once', /JX .* has no decision/);
  });

  it('accepts two POSTs for two decisions', () => {
    const again: Act = { ...RESTART, id: 'again', fromMs: 2_000, toMs: 3_000, lastJobId: 'J1', reported: sent('J2') };
    const holders = [holder('h1', [RESTART, again])];
    expect(found(evidence({ holders, accepted: [R1, cloudJob('J2', 'restart', 2_100)] }))).toEqual([]);
  });

  it('reports a POST without a decision', () => {
    const accepted = [J1, J2, cloudJob('JX', 'restart', 2_900)];
    expectOnly(evidence({ holders: [stopStart()], accepted }), 'once', /JX .* no run decided it/);
  });

  it('reports a POST with other parameters than were decided', () => {
    const scale: Act = { ...RESTART, id: 'scale', action: { action: 'scale', replica: 3 } };
    const wrong = cloudJob('J1', 'scale', 1_100, { parameters: { replica: 4 }, after: running({ replica: 4 }) });
    const all = found(evidence({ holders: [holder('h1', [scale])], accepted: [wrong] }));
    expect(all.some((line) => line.startsWith('once'))).toBe(true);
  });

  it('accepts a late POST, but not one that is much later', () => {
    const lost: Act = { ...RESTART, failure: 'Indeterminate', reported: { sent: 'unknown' } };
    const late = (ms: number) =>
      evidence({
        holders: [holder('h1', [lost], { closedAtMs: at(9_000), report: { outcome: 'indeterminate' } })],
        accepted: [cloudJob('J1', 'restart', ms)],
        disturbances: [disturbance('actLate', 1_500, 3_000, 'action')],
      });
    expect(found(late(2_800))).toEqual([]);
    expectOnly(late(6_500), 'once', /has no decision/);
  });

  it('counts a decision that a reset schedules again with the same baseline as one', () => {
    const first = holder('h1', [{ ...RESTART, isOpen: true }], { status: 'TERMINATED', report: null });
    const again: Act = {
      ...RESTART,
      fromMs: 2_600,
      toMs: 4_000,
      failure: 'Indeterminate',
      reported: { sent: 'unknown' },
    };
    const second = holder('h2', [again], { originalRunId: 'h1', report: { outcome: 'indeterminate' } });
    const reset = (accepted: Evidence['scenes'][number]['accepted']) =>
      evidence({ holders: [first, second], accepted, disturbances: [disturbance('resetTarget', 2_500)] });
    expect(found(reset([R1]))).toEqual([]);
    expectOnly(reset([R1, cloudJob('JX', 'restart', 3_000)]), 'once', /JX .* has no decision/);
  });

  it('allows a second send after the visibility window for a state action, but not for a restart', () => {
    const unseen = { visibleAtMs: at(9_000) };
    const beyond = (act: Act, action: string) =>
      evidence({
        holders: [holder('h1', [{ ...act, toMs: 6_000, reported: sent('J2') }])],
        accepted: [cloudJob('J1', action, 1_100, unseen), cloudJob('J2', action, 4_000)],
        disturbances: [disturbance('killWorker', 1_200)],
      });
    expect(found(beyond(STOP, 'stop'))).toEqual([]);
    expectOnly(beyond(RESTART, 'restart'), 'once', /J1 .* has no decision/);
  });
});

describe('known', () => {
  it('reports a cloud job that was accepted although the report claims that nothing was sent', () => {
    const denied: Act = { ...RESTART, failure: 'Unreachable', reported: { sent: 'no' } };
    const change = { report: { outcome: 'failed' } } as const;
    expectOnly(
      evidence({ holders: [holder('h1', [denied], change)], accepted: [R1] }),
      'known',
      /reports that nothing was sent, but restart J1/,
    );
    expect(found(evidence({ holders: [holder('h1', [denied], change)] }))).toEqual([]);
  });

  it('reports a cloud job that the simulator does not know', () => {
    expectOnly(evidence({ holders: [holder('h1', [RESTART])] }), 'known', /J1, which the simulator does not know/);
  });

  it('reports a cloud job of the console that a step claims as its own', () => {
    const theirs = consoleJob('J1', 'restart', 1_100);
    expectOnly(evidence({ holders: [holder('h1', [RESTART])], accepted: [theirs] }), 'known', /of the console/);
  });

  it('reports a cloud job that two steps claim', () => {
    const again: Act = { ...START, reported: sent('J1') };
    const all = found(evidence({ holders: [holder('h1', [STOP, again])], accepted: [J1] }));
    expect(all.join('\n')).toMatch(/J1 is claimed by .*stop.* and .*start/);
  });

  it('reports a success without a cloud job that succeeded and reached the desired state', () => {
    const failed = { ...R1, executionStatus: 'FAILED' };
    const down = { ...R1, after: running({ availableReplica: 0 }) };
    const holders = [holder('h1', [RESTART])];
    expectOnly(evidence({ holders, accepted: [failed] }), 'known', /reports succeeded, but .* is FAILED/);
    expectOnly(evidence({ holders, accepted: [down] }), 'known', /reports succeeded, but .* left/);
  });

  it('reports CloudJobFailed if the cloud job succeeded', () => {
    const failing: Act = { ...RESTART, failure: 'CloudJobFailed' };
    const holders = [holder('h1', [failing], { report: { outcome: 'failed' } })];
    expectOnly(evidence({ holders, accepted: [R1] }), 'known', /reports CloudJobFailed, but .* is SUCCEEDED/);
    expect(found(evidence({ holders, accepted: [{ ...R1, executionStatus: 'PARTIALLY_FAILED' }] }))).toEqual([]);
  });

  it('reports a doubt without an explanation, but accepts one that a lost worker explains', () => {
    const doubtful: Act = { ...STOP, reported: { sent: 'unknown', attempts: 2 } };
    const holders = [holder('h1', [doubtful])];
    expectOnly(evidence({ holders, accepted: [J1] }), 'known', /sent: unknown, though nothing happened/);
    expect(found(evidence({ holders, accepted: [J1] }, [disturbance('killWorker', 1_200)]))).toEqual([]);
  });

  it('does not accept a fault that proves nothing was sent as a reason to doubt', () => {
    const doubtful: Act = { ...STOP, reported: { sent: 'unknown', attempts: 2 } };
    const scene = { holders: [holder('h1', [doubtful])], accepted: [J1] };
    const hit = (kind: string) => evidence({ ...scene, disturbances: [disturbance(kind, 1_050, 1_050, 'action')] });
    expect(found(hit('throttle'))).toHaveLength(1);
    expect(found(hit('actThenReset'))).toEqual([]);
  });

  describe('indeterminate', () => {
    const lost: Act = { ...RESTART, toMs: 8_000, failure: 'Indeterminate', reported: { sent: 'unknown', attempts: 2 } };
    const holders = [holder('h1', [lost], { report: { outcome: 'indeterminate' } })];

    it('needs a reason', () => {
      expectOnly(evidence({ holders }), 'known', /indeterminate, though nothing happened/);
      expect(found(evidence({ holders }, [disturbance('killWorker', 1_200)]))).toEqual([]);
    });

    it('is not explained by a killed worker if the step kept its only attempt', () => {
      const kept: Act = { ...lost, reported: { sent: 'unknown', attempts: 1 } };
      const of = holder('h1', [kept], { report: { outcome: 'indeterminate' } });
      const killed = [disturbance('killWorker', 1_200)];
      expectOnly(evidence({ holders: [of] }, killed), 'known', /indeterminate, though nothing happened/);
    });

    it('is explained by a reset after its decision, in all later executions of that run', () => {
      const open: Act = { ...RESTART, isOpen: true };
      const first = holder('h1', [open], { status: 'TERMINATED', report: null });
      const again: Act = { ...lost, fromMs: 12_000, toMs: 14_000, lastJobId: 'J1' };
      const second = (decidedInRunId: string) =>
        holder('h2', [again], { originalRunId: 'h1', decidedInRunId, report: { outcome: 'indeterminate' } });
      const reset = (decidedInRunId: string) =>
        evidence({
          holders: [first, second(decidedInRunId)],
          accepted: [R1],
          disturbances: [disturbance('resetTarget', 2_500)],
        });
      expect(found(reset('h1'))).toEqual([]);
      expectOnly(reset('h2'), 'known', /restart of h2: indeterminate, though nothing happened/);
    });

    it('is explained by a pause of the activity while the step was open, however long before its end', () => {
      const paused = (fromMs: number) => evidence({ holders }, [disturbance('pauseActivity', fromMs, fromMs + 100)]);
      expect(found(paused(1_200))).toEqual([]);
      expectOnly(paused(9_000), 'known', /indeterminate, though nothing happened/);
    });

    it('is explained by an attempt that the history shows as lost', () => {
      const [of] = holders;
      const decisions = of?.decisions.map((decision) => ({ ...decision, lostAttempt: true })) ?? [];
      expect(found(evidence({ holders: of === undefined ? [] : [{ ...of, decisions }] }))).toEqual([]);
    });

    it('is wrong if its own cloud job could be adopted', () => {
      const killed = [disturbance('killWorker', 1_200, 2_000)];
      expectOnly(evidence({ holders, accepted: [R1] }, killed), 'known', /though its cloud job could be adopted/);
    });

    it.each([
      ['a later cloud job hides it', [R1, consoleJob('JX', 'restart', 3_000)], []],
      ['it had only just become visible', [{ ...R1, visibleAtMs: at(7_500) }], []],
      ['the API could not be read', [R1], [disturbance('status', 7_000, 7_000, 'instance')]],
      ['it did not end as desired', [{ ...R1, executionStatus: 'FAILED' }], []],
    ])('is right if %s', (_why, accepted, more) => {
      expect(found(evidence({ holders, accepted }, [disturbance('killWorker', 1_200, 2_000), ...more]))).toEqual([]);
    });

    it('is right if its own cloud job never ends', () => {
      const overdue: Act = { ...RESTART, failure: 'Indeterminate' };
      const endless = { ...R1, executionStatus: 'RUNNING', endedAtMs: null, after: null };
      const of = holder('h1', [overdue], { report: { outcome: 'indeterminate' } });
      expect(found(evidence({ holders: [of], accepted: [endless] }))).toEqual([]);
    });
  });

  it('reports a skipped restart, but accepts a skipped stop', () => {
    const skipped = (act: Act) => evidence({ holders: [holder('h1', [{ ...act, reported: { result: 'skipped' } }])] });
    expectOnly(skipped(RESTART), 'known', /reports skipped, which a restart never is/);
    expect(found(skipped(STOP))).toEqual([]);
  });

  it('reports a restart that succeeded and was never accepted', () => {
    const done: Act = { ...RESTART, reported: { sent: 'unknown', attempts: 2 } };
    const killed = [disturbance('killWorker', 1_200)];
    expectOnly(evidence({ holders: [holder('h1', [done])] }, killed), 'known', /no restart was accepted for it/);
    expect(found(evidence({ holders: [holder('h1', [done])], accepted: [R1] }, killed))).toEqual([]);
  });

  it('reports a restart that is adopted although its creator is unknown', () => {
    const adoption: AdoptionEvidence = {
      cloudJobId: 'J1',
      instanceId: 'i',
      jobType: null,
      createdBy: null,
      firstTaskAtMs: at(1_100),
      scheduledAtMs: at(1_000),
      createdByUs: false,
    };
    const adopted = (act: Act, createdByUs: boolean) =>
      holder('h1', [{ ...act, reported: { ...sent('J1'), evidence: { ...adoption, createdByUs } } }]);
    const restarted = (createdByUs: boolean) => evidence({ holders: [adopted(RESTART, createdByUs)], accepted: [R1] });
    expectOnly(restarted(false), 'known', /adopted restart J1 without knowing/);
    expect(found(restarted(true))).toEqual([]);
    expect(found(evidence({ holders: [adopted(STOP, false)], accepted: [J1] }))).toEqual([]);
  });

  describe('a trail that holds the accepted cloud job', () => {
    const entry = (decision: TrailEntry['decision'], ms: number, note?: string): TrailEntry => ({
      attempt: 1,
      atMs: at(ms),
      decision,
      ...(note === undefined ? {} : { note }),
    });
    const withTrail = (trail: readonly TrailEntry[]) =>
      evidence({ holders: [holder('h1', [{ ...STOP, reported: { ...sent('J1'), trail } }])], accepted: [J1] });
    const accepted = entry('accepted', 1_200, 'J1');
    const adopted = entry('adopted', 1_500, 'J1');

    it('continues with it and adopts nothing', () => {
      expectOnly(
        withTrail([entry('sent', 1_100), accepted, adopted]),
        'known',
        /knew that J1 was accepted and adopted/,
      );
      expect(found(withTrail([entry('sent', 1_100), accepted, entry('followed', 1_500)]))).toEqual([]);
      expect(found(withTrail([entry('sent', 1_100), adopted]))).toEqual([]);
    });

    it('names it', () => {
      const other = [entry('accepted', 1_200, 'JX')];
      expectOnly(withTrail(other), 'known', /knew that JX was accepted and names J1/);
      expect(found(withTrail([accepted]))).toEqual([]);
    });
  });

  describe('a settle', () => {
    const message = 'The step is not clear; settling it did not help: Workflow cancelled';
    const unclear: Act = {
      ...STOP,
      reported: { result: 'indeterminate', sent: 'unknown', failure: failureRecord('Indeterminate', message) },
    };
    const settled = (...settles: readonly Settle[]) =>
      evidence(
        {
          holders: [
            holder('h1', [unclear], { settles, cancelRequestedAtMs: at(1_500), report: { outcome: 'indeterminate' } }),
          ],
        },
        [disturbance('cancel', 1_500)],
      );

    it('comes before a run continues after a step that may have sent', () => {
      const open: Act = { ...STOP, reported: { result: 'cancelled', sent: 'unknown' } };
      const left = (...settles: readonly Settle[]) =>
        evidence(
          {
            holders: [
              holder('h1', [open], { settles, cancelRequestedAtMs: at(1_500), report: { outcome: 'cancelled' } }),
            ],
          },
          [disturbance('cancel', 1_500)],
        );
      expectOnly(left(), 'known', /cancelled and may have sent, but no settle was scheduled/);
      expect(found(left({ scheduledAtMs: at(1_600), end: 'completed' }))).toEqual([]);
    });

    it('is shielded from a cancel', () => {
      expectOnly(settled({ scheduledAtMs: at(1_600), end: 'cancelled' }), 'known', /settle of .* was cancelled/);
      expect(found(settled({ scheduledAtMs: at(1_600), end: 'completed' }))).toEqual([]);
    });

    it('must have been scheduled if a step reports that it did not help', () => {
      expectOnly(settled(), 'known', /reports that settling it did not help, but no settle was scheduled/);
      expectOnly(settled({ scheduledAtMs: at(2_300), end: 'completed' }), 'known', /no settle was scheduled/);
    });
  });

  it('accepts a step that a reset execution reports without deciding it again', () => {
    const open: Act = { ...STOP, isOpen: true };
    const first = holder('h1', [open], { status: 'TERMINATED', report: null });
    const reportedSteps = holder('h1', [
      { ...STOP, fromMs: 3_000, toMs: 4_000, reported: { ...sent('J1'), result: 'cancelled' } },
    ]).report?.steps;
    const second = (originalRunId: string) =>
      holder('h2', [{ ...STOP, fromMs: 3_000, toMs: 4_000 }], {
        originalRunId,
        decisions: [],
        onCancel: 'leave',
        cancelRequestedAtMs: at(2_900),
        report: { outcome: 'cancelled', steps: reportedSteps ?? [] },
      });
    const reset = (originalRunId: string) =>
      evidence({
        holders: [first, second(originalRunId)],
        accepted: [J1],
        disturbances: [disturbance('resetTarget', 2_500)],
      });
    expect(found(reset('h1'))).toEqual([]);
    expectOnly(reset('h2'), 'known', /reports that it may have sent, but was never decided/);
  });

  it('reports TargetChanged unless somebody else acted', () => {
    const changed: Act = { ...START, failure: 'TargetChanged', reported: { sent: 'no' } };
    const compensated = { report: { outcome: 'compensated', compensations: [] } } as const;
    const undo: Act = { ...START, id: 'undo-stop', fromMs: 3_000, toMs: 4_000, isUndo: true };
    const holders = [holder('h1', [STOP, changed, undo], { report: { outcome: 'compensated' } })];
    const accepted = [J1, cloudJob('J2', 'start', 3_100)];
    expectOnly(evidence({ holders, accepted }), 'known', /TargetChanged, but no one else had acted/);
    const drifted = [holder('h1', [STOP, changed], { ...compensated, report: { outcome: 'failed' } })];
    const theirs = consoleJob('JX', 'restart', 1_700);
    expect(found(evidence({ holders: drifted, accepted: [J1, theirs] }))).toEqual([]);
  });

  it('reports a decision that is missing in the report', () => {
    const of = stopStart({ report: { steps: stopStart().report?.steps.slice(0, 1) ?? [] } });
    expectOnly(evidence({ holders: [of], accepted: [J1, J2] }), 'known', /decided start and does not report it/);
  });

  it('reports an outcome that does not follow from the steps', () => {
    const failed: Act = { ...RESTART, failure: 'CloudJobFailed' };
    const accepted = [{ ...R1, executionStatus: 'FAILED' }];
    const withOutcome = (outcome: 'failed' | 'succeeded') =>
      evidence({ holders: [holder('h1', [failed], { report: { outcome } })], accepted });
    expectOnly(withOutcome('succeeded'), 'known', /reports succeeded; by its own steps it is failed/);
    expect(found(withOutcome('failed'))).toEqual([]);
  });

  it('requires the outcome refused if ServiceStage refused the first step', () => {
    const refused: Act = { ...RESTART, failure: 'InvalidStep', reported: {} };
    const withOutcome = (outcome: 'failed' | 'refused') =>
      evidence({ holders: [holder('h1', [refused], { report: { outcome } })] });
    expectOnly(withOutcome('failed'), 'known', /reports failed; by its own steps it is refused/);
    expect(found(withOutcome('refused'))).toEqual([]);
  });

  it('reports a successful rollback without its replicas, unless the instance is stopped', () => {
    const rollback: Act = { ...RESTART, id: 'rollback', action: { action: 'rollback', version: '0.9.0' } };
    const left = (after: Partial<ReturnType<typeof running>>) =>
      evidence({
        holders: [holder('h1', [rollback])],
        accepted: [
          cloudJob('J1', 'rollback', 1_100, {
            parameters: { version: '0.9.0' },
            after: running({ version: '0.9.0', ...after }),
          }),
        ],
      });
    expectOnly(left({ availableReplica: 0 }), 'known', /reports succeeded, but rollback J1 .* left/);
    expect(found(left({ availableReplica: 0, status: 'STOPPED' }))).toEqual([]);
  });

  it('reports a run whose report differs from that of its lease holder', () => {
    const of = stopStart();
    const other = stopStart({ report: { notReached: ['start'] } });
    expectOnly(
      evidence({ holders: [of], runs: [runOf(other)], accepted: [J1, J2] }),
      'known',
      /reports the instance differently/,
    );
  });

  it('reports a run that closed without a report, unless it was terminated', () => {
    const closed = (status: string) =>
      evidence({
        holders: [stopStart()],
        runs: [runOf(stopStart(), { status, report: null })],
        accepted: [J1, J2],
        disturbances: [disturbance('terminateRun', 2_500)],
      });
    expectOnly(closed('FAILED'), 'known', /run run-1 closed FAILED without a report/);
    expect(found(closed('TERMINATED'))).toEqual([]);
  });

  it('reports a run that closes with its own cloud job still in flight', () => {
    const accepted = [J1, { ...J2, endedAtMs: at(9_000) }];
    expectOnly(evidence({ holders: [stopStart()], accepted }), 'known', /closed succeeded with start J2 .* in flight/);
  });
});

describe('ends', () => {
  it('reports a run that does not end', () => {
    const open = runOf(stopStart(), { status: 'RUNNING', closedAtMs: null, report: null });
    expectOnly(evidence({ holders: [stopStart()], runs: [open], accepted: [J1, J2] }), 'ends', /run run-1 did not end/);
  });

  it('accepts a run that waits for an endless cloud job of the console', () => {
    const open = runOf(stopStart(), { status: 'RUNNING', closedAtMs: null, report: null });
    const endless = consoleJob('JX', 'restart', 5_000, { executionStatus: 'RUNNING', endedAtMs: null });
    expect(found(evidence({ holders: [stopStart()], runs: [open], accepted: [J1, J2, endless] }))).toEqual([]);
  });

  it('reports a failed workflow task, unless its worker stopped', () => {
    const failing = (text: string) =>
      evidence({ holders: [stopStart({ workflowTaskFailures: [text] })], accepted: [J1, J2] });
    expectOnly(failing('cause 2: Nondeterminism error'), 'ends', /its workflow task failed/);
    expect(found(failing('cause 24: Worker is shutting down'))).toEqual([]);
    expect(found(failing('cause 14: Script execution timed out after 5000ms'))).toEqual([]);
  });

  it('reports a holder that closes Cancelled, or Terminated without a disturbance', () => {
    const closed = (status: string) => evidence({ holders: [stopStart({ status })], accepted: [J1, J2] });
    expectOnly(closed('CANCELLED'), 'ends', /holder h1 closed CANCELLED/);
    expectOnly(closed('TERMINATED'), 'ends', /terminated, but nothing asked for it/);
  });
});

describe('undone', () => {
  const failing: Act = { ...START, failure: 'NotConverged' };
  const notUp = { ...J2, after: running({ availableReplica: 0 }) };
  const SCALE: Act = { ...STOP, id: 'scale', action: { action: 'scale', replica: 4 } };
  const scaled = cloudJob('J1', 'scale', 1_100, {
    parameters: { replica: 4 },
    after: running({ replica: 4, availableReplica: 4 }),
  });
  const unhealthy: Act = {
    ...RESTART,
    fromMs: 2_000,
    toMs: 3_000,
    lastJobId: 'J1',
    failure: 'CloudJobFailed',
    reported: sent('J2'),
  };
  const failedRestart = cloudJob('J2', 'restart', 2_100, {
    executionStatus: 'FAILED',
    before: running({ replica: 4, availableReplica: 4 }),
    after: running({ replica: 4, availableReplica: 4 }),
  });
  const UNDO: Act = {
    id: 'undo-scale',
    action: { action: 'scale', replica: 2 },
    fromMs: 3_000,
    toMs: 4_000,
    lastJobId: 'J2',
    isUndo: true,
    reported: sent('J3'),
  };
  const scaledBack = cloudJob('J3', 'scale', 3_100, { parameters: { replica: 2 } });

  it('accepts an effect that was undone', () => {
    const holders = [holder('h1', [SCALE, unhealthy, UNDO], { report: { outcome: 'compensated' } })];
    expect(found(evidence({ holders, accepted: [scaled, failedRestart, scaledBack] }))).toEqual([]);
  });

  it('reports an effect that remains unreported', () => {
    const holders = [holder('h1', [SCALE, unhealthy], { report: { outcome: 'failed' } })];
    expectOnly(
      evidence({ holders, accepted: [scaled, failedRestart] }),
      'undone',
      /another replicas and does not report it/,
    );
  });

  it.each([
    [
      'the report names it',
      'compensate',
      [{ stepId: 'scale', action: SCALE.action, why: 'declared', kind: 'declaredNone' }],
    ],
    ['the step that failed asks for no undo', 'abort', []],
  ] as const)('accepts an effect that remains if %s', (_why, onFailure, remaining) => {
    const acts = [SCALE, { ...unhealthy, onFailure }];
    const holders = [holder('h1', acts, { report: { outcome: 'failed', remaining } })];
    expect(found(evidence({ holders, accepted: [scaled, failedRestart] }))).toEqual([]);
  });

  it('requires of a cancel what onCancel configures', () => {
    const cancelled = (onCancel: 'compensate' | 'leave') =>
      evidence({
        holders: [
          holder('h1', [SCALE], { onCancel, cancelRequestedAtMs: at(1_300), report: { outcome: 'cancelled' } }),
        ],
        accepted: [scaled],
      });
    expectOnly(cancelled('compensate'), 'undone', /ended cancelled with another replicas/);
    expect(found(cancelled('leave'))).toEqual([]);
  });

  it('does not require an undo of a switch that the steps themselves reversed', () => {
    const holders = [holder('h1', [STOP, failing], { report: { outcome: 'failed' } })];
    expect(found(evidence({ holders, accepted: [J1, notUp] }))).toEqual([]);
    const stillDown = { ...J2, after: stopped() };
    expectOnly(evidence({ holders, accepted: [J1, stillDown] }), 'undone', /another power/);
  });

  it('requires nothing once the console has acted', () => {
    const holders = [holder('h1', [SCALE, unhealthy], { report: { outcome: 'failed' } })];
    const accepted = [scaled, failedRestart, consoleJob('JX', 'restart', 2_900)];
    expect(found(evidence({ holders, accepted }))).toEqual([]);
  });

  it('reports an undo over a console action that was visible, but accepts it over an invisible one', () => {
    const undo = { ...UNDO, fromMs: 3_000, toMs: 7_000 };
    const holders = [holder('h1', [SCALE, unhealthy, undo], { report: { outcome: 'compensated' } })];
    const back = cloudJob('J3', 'scale', 6_000, { parameters: { replica: 2 } });
    const over = (visibleMs: number) =>
      evidence({
        holders,
        accepted: [scaled, failedRestart, consoleJob('JX', 'restart', 3_000, { visibleAtMs: at(visibleMs) }), back],
      });
    expectOnly(over(3_000), 'undone', /undoes over restart JX/);
    expect(found(over(5_000))).toEqual([]);
  });

  it('reports an undo whose baseline is a cloud job of the console', () => {
    const undo = { ...UNDO, fromMs: 4_000, toMs: 7_000, lastJobId: 'JX' };
    const back = cloudJob('J3', 'scale', 6_000, { parameters: { replica: 2 } });
    const after = (ms: number) =>
      evidence({
        holders: [holder('h1', [SCALE, unhealthy, undo], { report: { outcome: 'compensated' } })],
        accepted: [scaled, failedRestart, consoleJob('JX', 'restart', ms), back].sort((a, b) => a.atMs - b.atMs),
      });
    expectOnly(after(3_000), 'undone', /undoes over restart JX/);
    // A newer cloud job of ours hides theirs from every reading before the undo.
    expect(found(after(1_700))).toEqual([]);
  });

  describe('an undo', () => {
    const switchedOff: Act = { ...STOP, fromMs: 2_000, toMs: 3_000, lastJobId: 'J1', reported: sent('J2') };
    const lastStep: Act = { ...RESTART, fromMs: 3_000, toMs: 4_000, lastJobId: 'J2', failure: 'InvalidStep' };
    const undoStop: Act = { ...START, id: 'undo-stop', isUndo: true, fromMs: 4_000, toMs: 5_000, reported: sent('J3') };
    const undoScale: Act = { ...UNDO, fromMs: 5_000, toMs: 6_000, reported: sent('J4') };
    const accepted = [
      scaled,
      cloudJob('J2', 'stop', 2_100, { before: running({ replica: 4 }), after: stopped({ replica: 4 }) }),
      cloudJob('J3', 'start', 4_100, {
        before: stopped({ replica: 4 }),
        after: running({ replica: 4, availableReplica: 4 }),
      }),
      cloudJob('J4', 'scale', 5_100, { parameters: { replica: 2 } }),
    ];
    const undone = (undos: readonly Act[], change: HolderChange = {}, sceneAccepted = accepted) => ({
      holders: [
        holder('h1', [SCALE, switchedOff, { ...lastStep, reported: {} }, ...undos], {
          ...change,
          report: { outcome: 'compensated', ...change.report },
        }),
      ],
      accepted: sceneAccepted,
    });

    it('of a newer effect comes before the undo of an older one', () => {
      expect(found(evidence(undone([undoStop, undoScale])))).toEqual([]);
      const early: Act = { ...undoScale, fromMs: 4_000, toMs: 5_000, reported: sent('J3') };
      const late: Act = { ...undoStop, fromMs: 5_000, toMs: 6_000, reported: sent('J4') };
      const swapped = [
        ...accepted.slice(0, 2),
        cloudJob('J3', 'scale', 4_100, { parameters: { replica: 2 } }),
        cloudJob('J4', 'start', 5_100),
      ];
      expectOnly(evidence(undone([early, late], {}, swapped)), 'undone', /sent undo-scale before undo-stop/);
    });

    it('has its own time limit', () => {
      // Its deadline is a minute after it began: first the same as that of the run, then not.
      expectOnly(
        evidence(undone([undoStop, undoScale], { deadlineMs: 64_000 })),
        'undone',
        /gave undo-stop 60000 ms: the deadline of the run cut it/,
      );
      expect(found(evidence(undone([undoStop, undoScale], { deadlineMs: 63_000 })))).toEqual([]);
    });

    it('is decided, not given up before it begins', () => {
      const late: Act = { ...undoScale, failure: 'DeadlinePassed', reported: {} };
      const scene = undone([undoStop, late], { report: { outcome: 'compensationFailed' } }, accepted.slice(0, 3));
      const decided = scene.holders.map((of) => ({ ...of, decisions: of.decisions.slice(0, -1) }));
      const all = violations(evidence({ ...scene, holders: decided }));
      expect(all.map(({ what }) => what).join('\n')).toMatch(/reports undo-scale and never decided it/);
    });

    const REMAINS = [{ stepId: 'scale', action: SCALE.action, why: 'its undo failed', kind: 'notUndone' }] as const;
    const failed: Act = { ...undoScale, failure: 'InvalidStep', reported: {} };
    const inVain = (...disturbances: Parameters<typeof evidence>[1] & object) =>
      evidence(
        undone(
          [undoStop, failed],
          { report: { outcome: 'compensationFailed', remaining: REMAINS } },
          accepted.slice(0, 3),
        ),
        disturbances,
      );

    it('fails only with a cause', () => {
      expectOnly(inVain(), 'undone', /undo-scale failed \(InvalidStep\), though nothing happened/);
      expect(found(inVain(disturbance('status', 5_100, 5_100, 'action')))).toEqual([]);
    });

    it('neither fails because of a cancel nor is cancelled', () => {
      expectOnly(inVain(disturbance('cancel', 5_100)), 'undone', /undo-scale failed .* though nothing happened/);
      const cancelled: Act = { ...undoScale, reported: { result: 'cancelled' } };
      const report = { outcome: 'compensationFailed', remaining: REMAINS } as const;
      const scene = undone([undoStop, cancelled], { report }, accepted.slice(0, 3));
      expectOnly(evidence(scene), 'undone', /undo-scale was cancelled/);
    });

    it('may fail if the undo before it failed, or a cloud job of ours failed', () => {
      const report = { outcome: 'compensationFailed', remaining: REMAINS } as const;
      const both = [{ ...undoStop, failure: 'CloudJobFailed' } as const, failed];
      const stillOff = { ...cloudJob('J3', 'start', 4_100), executionStatus: 'FAILED', after: stopped({ replica: 4 }) };
      const remaining = [...REMAINS, { ...REMAINS[0], stepId: 'stop', action: STOP.action }];
      expect(
        found(evidence(undone(both, { report: { ...report, remaining } }, [...accepted.slice(0, 2), stillOff]))),
      ).toEqual([]);
    });
  });
});

describe('alone', () => {
  const first = holder('h1', [{ ...RESTART, isOpen: true, toMs: 1_500 }], { status: 'TERMINATED', report: null });
  const NEXT: Act = { ...STOP, fromMs: 8_000, toMs: 9_000, lastJobId: 'J1', reported: sent('J2') };
  const second = holder('h2', [NEXT], {});
  const next = cloudJob('J2', 'stop', 8_100);
  const terminated = (accepted: Evidence['scenes'][number]['accepted']) =>
    evidence({ holders: [first, second], accepted, disturbances: [disturbance('terminateTarget', 2_000)] });

  it('accepts a late cloud job of a terminated holder within a heartbeat time-out', () => {
    expect(found(terminated([cloudJob('J1', 'restart', 6_000), next]))).toEqual([]);
  });

  it('reports one that came later than that', () => {
    expectOnly(
      terminated([cloudJob('J1', 'restart', 6_500), next]),
      'alone',
      /after its holder h1 had closed TERMINATED/,
    );
  });

  it('reports one that came after the next holder had acted', () => {
    const closed = { ...first, closedAtMs: at(5_000) };
    const early = holder('h2', [{ ...NEXT, fromMs: 5_600, toMs: 6_600 }]);
    const accepted = [cloudJob('J2', 'stop', 5_700, { endedAtMs: at(6_000) }), cloudJob('J1', 'restart', 6_200)];
    const scene = { holders: [closed, early], accepted, disturbances: [disturbance('terminateTarget', 5_000)] };
    expectOnly(evidence(scene), 'alone', /restart J1 .* of h1 came after stop J2 .* of h2/);
  });

  it('reports two holders that are open at the same time, unless one is a reset of the other', () => {
    const other: HolderChange = { workflowId: 'runbook-target/p/i/another' };
    const together = (change: HolderChange) =>
      evidence({
        holders: [
          stopStart(),
          holder('h2', [{ ...NEXT, fromMs: 3_700, lastJobId: 'J2', reported: sent('J3') }], change),
        ],
        accepted: [J1, J2, cloudJob('J3', 'stop', 8_100)],
      });
    expectOnly(together(other), 'alone', /holder h2 \(runbook-target\/p\/i\/another\) began while h1 .* was open/);
    expect(found(together({ ...other, startedAtMs: at(3_500) }))).toEqual([]);
    expect(found(together({ originalRunId: 'h1' }))).toEqual([]);
  });

  it('reports a late cloud job of a holder that had closed normally', () => {
    const lost: Act = { ...RESTART, failure: 'Indeterminate', reported: { sent: 'unknown' } };
    const of = holder('h1', [lost], { report: { outcome: 'indeterminate' } });
    const scene = { holders: [of], disturbances: [disturbance('resetActivity', 1_200)] };
    expectOnly(evidence({ ...scene, accepted: [cloudJob('J1', 'restart', 3_000)] }), 'alone', /had closed COMPLETED/);
    expect(
      found(evidence({ ...scene, accepted: [cloudJob('J1', 'restart', 2_300, { endedAtMs: at(2_400) })] })),
    ).toEqual([]);
  });

  it('reports a POST while our own cloud job is in flight', () => {
    const accepted = [{ ...J1, endedAtMs: at(2_300) }, J2];
    expectOnly(evidence({ holders: [stopStart()], accepted }), 'alone', /start J2 .* while our own stop J1/);
  });

  it('reports a POST beside a visible cloud job of the console, but accepts it beside an invisible one', () => {
    const late: Act = { ...RESTART, toMs: 6_000 };
    const own = cloudJob('J1', 'restart', 5_000);
    const under = (visibleMs: number) =>
      evidence({
        holders: [holder('h1', [late])],
        accepted: [consoleJob('JX', 'restart', 2_000, { visibleAtMs: at(visibleMs), endedAtMs: at(5_200) }), own],
      });
    expectOnly(under(2_000), 'alone', /of the console was in flight/);
    expectOnly(under(2_000), 'alone', /sent past restart JX/);
    expect(found(under(4_000))).toEqual([]);
  });

  it('accepts a POST beside a cloud job of the console that a newer one of ours hides', () => {
    const theirs = consoleJob('JX', 'restart', 900, { visibleAtMs: at(1_300), endedAtMs: at(9_000) });
    const later: Act = { ...START, fromMs: 5_000, toMs: 6_000 };
    const accepted = [theirs, J1, cloudJob('J2', 'start', 5_100)];
    expect(found(evidence({ holders: [holder('h1', [STOP, later])], accepted }))).toEqual([]);
  });
});

it('does not change its input', () => {
  const given = evidence({ holders: [stopStart()], accepted: [J1, J2] });
  const before = JSON.stringify(given);
  violations(given);
  expect(JSON.stringify(given)).toBe(before);
});
