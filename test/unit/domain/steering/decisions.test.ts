/** What a decision makes of a blocked step: what the next one starts from, what the report has, and what an undo may touch. */
import { describe, expect, it } from 'vitest';
import { owedUndos } from '../../../../src/domain/report/compensation.js';
import type { CommandRecord, StepReport } from '../../../../src/domain/report/report.js';
import { stepOutcome } from '../../../../src/domain/report/step-outcome.js';
import {
  baselineOfReading,
  decidedStep,
  describeFound,
  doneOf,
  isBlocking,
  recordOf,
  recordOfRetry,
  retriedStep,
  undecidedStep,
  type BlockedStep,
} from '../../../../src/domain/steering/decisions.js';
import type { ActionStep, OnFailure } from '../../../../src/domain/plan/plan.js';
import type { OnceState } from '../../../../src/domain/once/state.js';
import { aBaseline, anEndedState, anObservation, aStep, failedWith } from '../../../support/build.js';

const RUN = 'run-1';
const scale = aStep({ action: 'scale', replica: 4 });
const baseline = { ...aBaseline({ replicaCount: 2, lastJobId: 'J1' }, ['J0', 'J1']), readInRunId: RUN };
const indeterminate = (change: Partial<OnceState> = {}) =>
  anEndedState({ kind: 'indeterminate', failure: 'Indeterminate', message: 'm' }, { sent: 'unknown', ...change });
const times = { startedAtMs: 10, endedAtMs: 20 };

function blocked(state: OnceState, step: ActionStep = scale): BlockedStep {
  const found = isBlocking(step, stepOutcome(step, baseline, state, times), 1);
  if (found === null) throw new Error('It does not block');
  return found;
}
const reading = (replicaCount: number, lastJobId: string | null, readInRunId = RUN) => ({
  observation: anObservation({ replicaCount, lastJobId, observedAtMs: 100 }),
  readInRunId,
});
const decision: CommandRecord = { command: 'retryStep', actor: 'ann', reason: 'r', atMs: 30, step: scale.id };

describe('a step blocks its target', () => {
  const failed = (onFailure: OnFailure, sent: OnceState['sent'], failure: 'CloudJobFailed' | 'ChangeFreeze') =>
    isBlocking(
      { ...scale, onFailure },
      stepOutcome(
        scale,
        baseline,
        anEndedState({ kind: 'failed', failure, message: 'm', retryInMs: null }, { sent }),
        times,
      ),
      1,
    );

  it('if it is indeterminate and somebody may be waited for', () => {
    const outcome = stepOutcome(scale, baseline, indeterminate(), times);
    expect(isBlocking(scale, outcome, 1)).not.toBeNull();
    expect(isBlocking(scale, outcome, 0)).toBeNull();
  });

  it('if it failed and the runbook has pause, but not for a gate that has closed', () => {
    expect(failed('pause', 'yes', 'CloudJobFailed')).not.toBeNull();
    expect(failed('compensate', 'yes', 'CloudJobFailed')).toBeNull();
    expect(failed('pause', 'no', 'ChangeFreeze')).toBeNull();
  });
});

describe('the next decision', () => {
  it('starts from the fresh reading and knows every cloud job', () => {
    const step = blocked(indeterminate({ seen: anObservation({ lastJobId: 'X' }) }));
    expect(baselineOfReading(step, reading(2, 'Y'))).toMatchObject({
      observation: { observedAtMs: 100 },
      lastJobId: 'Y',
      knownCloudJobIds: ['J0', 'J1', 'X', 'Y'],
      readInRunId: RUN,
    });
  });

  it('takes no reading that shows an older cloud job for news', () => {
    expect(baselineOfReading(blocked(indeterminate()), reading(2, 'J0'))).toMatchObject({ lastJobId: 'J1' });
    expect(baselineOfReading(blocked(indeterminate()), reading(2, null))).toMatchObject({ lastJobId: 'J1' });
  });

  it('after a reset belongs to the run before it, which may have carried it out', () => {
    const step = blocked(indeterminate({ seen: anObservation({ lastJobId: 'X' }) }));
    expect(baselineOfReading(step, reading(4, 'Y', 'run-2'))).toEqual({
      ...step.outcome.baseline,
      lastJobId: 'X',
      knownCloudJobIds: ['J0', 'J1', 'X'],
    });
  });
});

describe('the report of a decision', () => {
  it('shows what was found, and keeps how the step had ended', () => {
    const step = blocked(indeterminate());
    expect(describeFound(step, reading(2, 'J1').observation)).toMatch(/newest cloud job J1, as before$/);
    expect(describeFound(step, reading(2, 'Y').observation)).toMatch(
      /Y, not proved to be of this run, and may hide one that is$/,
    );
    expect(recordOf(decision, step, 'found')).toMatchObject({
      ...decision,
      found: 'found',
      was: { result: 'indeterminate', sent: 'unknown', endedAtMs: 20, failure: { name: 'Indeterminate' } },
    });
  });

  it.each(['skipStep', 'markSucceeded'] as const)('has no failure left after %s', (command) => {
    const { report } = decidedStep(blocked(indeterminate()), command, reading(2, 'J1'), [decision]).outcome;
    expect(report).not.toHaveProperty('failure');
    expect(report).toMatchObject({
      result: command === 'skipStep' ? 'skipped' : 'succeeded',
      sent: 'unknown',
      endedAtMs: 100,
      decisions: [decision],
    });
  });

  it('of a retry covers both decisions', () => {
    const step = blocked(indeterminate({ attempt: 3 }));
    const at = { startedAtMs: 200, endedAtMs: 300 };
    const skipped = stepOutcome(
      scale,
      baselineOfReading(step, reading(4, 'J1')),
      anEndedState({ kind: 'skipped' }, { sent: 'no', attempt: 1 }),
      at,
    );
    const { report } = retriedStep(step, reading(4, 'J1'), skipped as never, [decision]).outcome;
    expect(report).toMatchObject({
      result: 'skipped',
      sent: 'unknown',
      startedAtMs: 10,
      endedAtMs: 300,
      attempts: 4,
    } satisfies Partial<StepReport>);
  });
});

describe('a retry that is cancelled before it has sent anything', () => {
  it('leaves the step as unclear as it was', () => {
    const step = blocked(indeterminate({ attempt: 3 }));
    const cancelled = stepOutcome(
      scale,
      baselineOfReading(step, reading(2, 'J1')),
      anEndedState({ kind: 'cancelled', message: 'm' }, { sent: 'no', attempt: 1 }),
      { startedAtMs: 200, endedAtMs: 300 },
    );
    const { report } = retriedStep(step, reading(2, 'J1'), cancelled as never, [decision]).outcome;
    expect(report).toMatchObject({
      result: 'indeterminate',
      sent: 'unknown',
      failure: { name: 'Indeterminate' },
      endedAtMs: 300,
      attempts: 4,
      decisions: [decision],
    });
  });

  it('is undone by what its reading shows, if an effect of the step came late', () => {
    const left = anEndedState(
      { kind: 'failed', failure: 'NotConverged', message: 'm', retryInMs: null },
      { sent: 'yes', seen: anObservation({ replicaCount: 2, lastJobId: 'J1' }) },
    );
    const step = blocked(left, { ...scale, onFailure: 'pause' });
    const cancelled = stepOutcome(
      scale,
      baselineOfReading(step, reading(4, 'J1')),
      anEndedState({ kind: 'cancelled', message: 'm' }, { sent: 'no' }),
      { startedAtMs: 200, endedAtMs: 300 },
    );
    const retried = retriedStep(step, reading(4, 'J1'), cancelled as never, [decision]);
    expect(retried.outcome.report).toMatchObject({ result: 'failed', sent: 'yes', after: { replicaCount: 4 } });
    expect(owedUndos(doneOf(retried)).undos).toMatchObject([{ action: { action: 'scale', replica: 2 } }]);
  });
});

describe('a retry that fails before it has sent anything', () => {
  const busy = (step: BlockedStep, seen = reading(2, 'J2')) =>
    stepOutcome(
      scale,
      baselineOfReading(step, reading(2, 'J1')),
      anEndedState(
        { kind: 'failed', failure: 'TargetBusy', message: 'busy', retryInMs: null },
        { sent: 'no', attempt: 2, seen: seen.observation, trail: [{ attempt: 1, atMs: 250, decision: 'entered' }] },
      ),
      { startedAtMs: 200, endedAtMs: 300 },
    ) as BlockedStep['outcome'];
  const retried = (step: BlockedStep, seen?: ReturnType<typeof reading>) =>
    retriedStep(step, reading(2, 'J1'), busy(step, seen), [decision]);

  it('leaves the step indeterminate, and gives both reasons', () => {
    const step = retried(blocked(indeterminate({ attempt: 3 })));
    expect(step.outcome.report).toMatchObject({
      result: 'indeterminate',
      sent: 'unknown',
      failure: { name: 'Indeterminate', message: 'm. The retry sent nothing: TargetBusy: busy' },
      after: { lastJobId: 'J2' },
      endedAtMs: 300,
      attempts: 5,
      decisions: [decision],
      trail: [{ decision: 'entered' }],
    });
    expect(isBlocking(scale, step.outcome, 1)).not.toBeNull();
  });

  it('gives the reason once, however often it is retried', () => {
    const { report } = retried(retried(retried(blocked(indeterminate())))).outcome;
    expect(report.failure?.message).toBe('m. The retry sent nothing: TargetBusy: busy');
  });

  it('knows the cloud jobs that its attempts saw', () => {
    expect(baselineOfReading(retried(blocked(indeterminate())), reading(2, 'J1'))).toMatchObject({
      lastJobId: 'J1',
      knownCloudJobIds: ['J0', 'J1', 'J2'],
    });
  });

  it('fails where the step had failed, and in runs from before', () => {
    const failed = blocked(
      anEndedState({ kind: 'failed', failure: 'CloudJobFailed', message: 'm', retryInMs: null }, { sent: 'yes' }),
      { ...scale, onFailure: 'pause' },
    );
    expect(retried(failed).outcome.report).toMatchObject({ result: 'failed', failure: { name: 'TargetBusy' } });
    const step = blocked(indeterminate());
    expect(retriedStep(step, reading(2, 'J1'), busy(step), [decision], false).outcome.report).toMatchObject({
      result: 'failed',
      sent: 'unknown',
    });
  });

  it.each([
    ['skipStep', [], ['notUndone']],
    ['markSucceeded', [{ action: 'scale', replica: 2 }], []],
  ] as const)(
    'and then %s: an effect under an unknown cloud job counts as ours only by that decision',
    (command, ...owed) => {
      const first = blocked(indeterminate());
      const step = retriedStep(first, reading(4, 'Y'), busy(first, reading(4, 'Y')), [decision]);
      const { undos, remaining } = owedUndos(doneOf(decidedStep(step, command, reading(4, 'Y'), [])));
      expect([undos.map(({ action }) => action), remaining.map(({ kind }) => kind)]).toEqual(owed);
    },
  );
});

describe('the late effect of a send that a failed retry left unclear', () => {
  const retriedInVain = (state: OnceState, seen: ReturnType<typeof reading>) => {
    const step = blocked(state, { ...scale, onFailure: 'pause' });
    const retry = stepOutcome(
      scale,
      baselineOfReading(step, seen),
      anEndedState(failedWith('TargetBusy'), { sent: 'no', seen: seen.observation }),
      { startedAtMs: 200, endedAtMs: 300 },
    );
    return retriedStep(step, seen, retry as BlockedStep['outcome'], [decision]);
  };
  const owed = (step: BlockedStep) => {
    const { undos, remaining } = owedUndos(doneOf(step));
    return [undos.map(({ action }) => action), remaining.map(({ kind }) => kind)];
  };
  const restored = [{ action: 'scale', replica: 2 }];

  it.each([
    ['markSucceeded', 'Y', [restored, []]],
    ['skipStep', 'Y', [[], ['notUndone']]],
    ['markSucceeded', 'J1', [restored, []]],
    ['skipStep', 'J1', [restored, []]],
  ] as const)('is undone, or listed, after %s and newest cloud job %s', (command, newest, expected) => {
    const step = retriedInVain(indeterminate(), reading(2, 'J1'));
    expect(owed(decidedStep(step, command, reading(4, newest), []))).toEqual(expected);
  });

  it('is listed, and the state before the next retry is not counted as ours', () => {
    const step = retriedInVain(indeterminate(), reading(2, 'J1'));
    const seen = reading(4, 'Y');
    const skipped = stepOutcome(
      scale,
      baselineOfReading(step, seen),
      anEndedState({ kind: 'skipped' }, { sent: 'no', seen: seen.observation }),
      { startedAtMs: 400, endedAtMs: 500 },
    );
    expect(owed(retriedStep(step, seen, skipped as BlockedStep['outcome'], []))).toEqual([[], ['notUndone']]);
  });

  it('is undone if its cloud job was followed', () => {
    const followed = anEndedState(failedWith('NotConverged'), {
      ...{ sent: 'yes', cloudJob: { id: 'J5', submittedAtMs: 15 } },
      seen: anObservation({ replicaCount: 2, lastJobId: 'J1' }),
    });
    const step = retriedInVain(followed, reading(2, 'J1'));
    expect(owed(decidedStep(step, 'skipStep', reading(4, 'J5'), []))).toEqual([restored, []]);
  });
});

it('a step that no one decided about stays known to be sent, whatever a reset has cut off', () => {
  const failed = anEndedState(failedWith('CloudJobFailed'), {
    ...{ sent: 'yes', cloudJob: { id: 'J5', submittedAtMs: 15 }, seen: anObservation({ lastJobId: 'J5' }) },
  });
  const step = blocked(failed, { ...scale, onFailure: 'pause' });
  const cutOff = stepOutcome(scale, step.outcome.baseline, indeterminate(), times);
  expect(undecidedStep(step, cutOff).outcome.report).toMatchObject({
    result: 'indeterminate',
    sent: 'yes',
    cloudJobId: 'J5',
    failure: { name: 'Indeterminate' },
  });
});

describe('the record of a retry', () => {
  it('keeps what the attempts before it decided, within its size', () => {
    const entry = (atMs: number) => ({ attempt: atMs, atMs, decision: 'failed' as const, note: 'x'.repeat(250) });
    const trail = Array.from({ length: 12 }, (_none, index) => entry(index + 1));
    const kept = recordOfRetry(decision, blocked(indeterminate({ trail })), 'found').was?.trail ?? [];
    expect(kept[0]).toEqual(trail[0]);
    expect(kept.at(-1)).toEqual(trail.at(-1));
    expect(JSON.stringify(kept).length).toBeLessThanOrEqual(2_000);
  });

  it('has none where none was decided', () => {
    expect(recordOfRetry(decision, blocked(indeterminate({ trail: [] })), 'found').was).not.toHaveProperty('trail');
  });
});

describe('an undo after a decision', () => {
  const owed = (step: BlockedStep) => {
    const { undos, remaining } = owedUndos(doneOf(step));
    return { undos: undos.map(({ action }) => action), remaining: remaining.map(({ kind }) => kind) };
  };
  const restored = [{ action: 'scale', replica: 2 }];

  it('reverses what was seen under a known cloud job, or was decided to be ours', () => {
    expect(owed(decidedStep(blocked(indeterminate()), 'skipStep', reading(4, 'J1'), []))).toEqual({
      undos: restored,
      remaining: [],
    });
    expect(owed(decidedStep(blocked(indeterminate()), 'markSucceeded', reading(4, 'Y'), []))).toEqual({
      undos: restored,
      remaining: [],
    });
  });

  it('leaves what may be the effect of somebody else, and lists it', () => {
    expect(owed(decidedStep(blocked(indeterminate()), 'skipStep', reading(4, 'Y'), []))).toEqual({
      undos: [],
      remaining: ['notUndone'],
    });
  });

  it('touches nothing that nothing was sent for', () => {
    const busy = anEndedState(failedWith('TargetBusy'), { sent: 'no' });
    const step = blocked(busy, { ...scale, onFailure: 'pause' });
    expect(owed(decidedStep(step, 'skipStep', reading(4, 'Y'), []))).toEqual({ undos: [], remaining: [] });
  });

  it.each([
    ['J1', restored, []],
    ['Y', [{ action: 'scale', replica: 3 }], ['notUndone']],
  ])(
    'of a retry goes back to before the first decision only if what is seen is ours (%s)',
    (newest, undos, remaining) => {
      const step = blocked(indeterminate());
      const after = anObservation({ replicaCount: 4, lastJobId: 'Z' });
      const sent = anEndedState(
        { kind: 'succeeded' },
        { sent: 'yes', cloudJob: { id: 'Z', submittedAtMs: 150 }, seen: after },
      );
      const retry = stepOutcome(scale, baselineOfReading(step, reading(3, newest)), sent, {
        startedAtMs: 110,
        endedAtMs: 300,
      });
      expect(owed(retriedStep(step, reading(3, newest), retry as never, []))).toEqual({ undos, remaining });
    },
  );
});
