import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTION_NAMES, ruleOf, desiredStateHolds, type Action } from '../../../../src/domain/target/actions.js';
import { differencesBetween, owedUndos, type DoneStep } from '../../../../src/domain/report/compensation.js';
import { entryMove } from '../../../../src/domain/once/entry.js';
import { expectedCourse } from '../../../../src/domain/plan/expected-course.js';
import type { ActionStep } from '../../../../src/domain/plan/plan.js';
import type { Observation } from '../../../../src/domain/target/target.js';
import { aBaseline, anObservation, aStep } from '../../../support/build.js';

const running = anObservation({ replicaCount: 4, availableReplicaCount: 4 });
const stopped = anObservation({ status: 'STOPPED' });
const courseOf = (seen: typeof running, ...actions: Action[]) =>
  expectedCourse(
    seen,
    actions.map((action) => aStep(action)),
  ).steps.map(({ course }) => course);

const actions: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom<Action>({ action: 'start' }, { action: 'stop' }, { action: 'restart' }),
  fc.integer({ min: 1, max: 3 }).map((replica): Action => ({ action: 'scale', replica })),
  fc.constantFrom('1.4.0', '1.4.1').map((version): Action => ({ action: 'rollback', version })),
);
const seen = fc
  .record({
    status: fc.constantFrom('RUNNING', 'STOPPED', 'DOWN', 'FAILED', 'PARTIALLY_FAILED'),
    version: fc.constantFrom('1.4.0', '1.4.1', null),
    replicaCount: fc.constantFrom(1, 2, 3, null),
    availableReplicaCount: fc.constantFrom(0, 1, 2, 3, null),
  })
  .map(anObservation);

describe('the course of steps', () => {
  it('skips steps that are already done, at first and after earlier steps', () => {
    expect(courseOf(stopped, { action: 'stop' }, { action: 'start' }, { action: 'start' })).toEqual([
      ...['skipped', 'sent', 'skipped'],
    ]);
    expect(
      courseOf(running, { action: 'scale', replica: 4 }, { action: 'stop' }, { action: 'scale', replica: 4 }),
    ).toEqual([...['skipped', 'sent', 'sent']]);
    expect(courseOf(running, { action: 'rollback', version: '1.4.1' })).toEqual(['skipped']);
  });

  it('never skips a restart', () => {
    expect(courseOf(running, { action: 'restart' }, { action: 'restart' })).toEqual(['sent', 'sent']);
  });

  it('is not known while a cloud job is in flight', () => {
    const moving = anObservation({ status: 'STOPPED', lastJobStatus: 'RUNNING' });
    expect(courseOf(moving, { action: 'stop' }, { action: 'restart' })).toEqual(['unknown', 'sent']);
  });

  it('matches the entry table of the run for the same states', () => {
    fc.assert(
      fc.property(seen, fc.array(actions, { minLength: 1, maxLength: 5 }), (first, list) => {
        let state = first;
        const moves = list.map((action) => {
          const move = entryMove(true, action, { ...aBaseline(), observation: state }, state);
          if (move === 'send') state = ruleOf(action).reaches(action, state);
          return move === 'skip' ? 'skipped' : 'sent';
        });
        expect(courseOf(first, ...list)).toEqual(moves);
      }),
    );
  });

  it('covers for every action a state in which its desired state holds', () => {
    fc.assert(
      fc.property(seen, actions, (before, action) => {
        expect(desiredStateHolds(action, ruleOf(action).reaches(action, before))).toBe(true);
      }),
    );
    expect(ACTION_NAMES).toHaveLength(5);
  });
});

describe('the expected undo', () => {
  const undoOf = (step: ActionStep, before = running) => expectedCourse(before, [step]).steps[0]?.undo;
  const declared = (action: Action, undo: Action) => aStep(action, { compensation: { kind: 'action', action: undo } });

  it('that leads to another state shows the differences', () => {
    const undo = undoOf(declared({ action: 'scale', replica: 6 }, { action: 'scale', replica: 2 }));
    expect(undo).toMatchObject({ kind: 'action', differs: [{ what: 'replicas', before: '4', after: '2' }] });
    const onHosts = anObservation({ hosts: ['a', 'b'] });
    const moved = declared(
      { action: 'scale', replica: 3, hosts: ['c'] },
      { action: 'scale', replica: 2, hosts: ['c', 'd'] },
    );
    expect(undoOf(moved, onHosts)).toMatchObject({ differs: [{ what: 'hosts', before: 'a,b', after: 'c,d' }] });
  });

  it('that restores the state shows nothing', () => {
    expect(undoOf(aStep({ action: 'stop' }))).toEqual({ kind: 'action', action: { action: 'start' }, differs: [] });
    expect(undoOf(aStep({ action: 'scale', replica: 6 }))).toMatchObject({ action: { replica: 4 }, differs: [] });
  });

  it('is absent if the run would owe none', () => {
    fc.assert(
      fc.property(seen, actions, (before, action) => {
        const step = aStep(action);
        const after = ruleOf(action).reaches(action, before);
        const done: DoneStep = { step, sent: 'yes', before, after, failedToConverge: false };
        const owed = owedUndos([done]).undos.map(({ action: undo }) => undo);
        const [{ course, undo } = { course: 'unknown', undo: null }] = expectedCourse(before, [step]).steps;
        if (course === 'sent') expect(undo?.kind === 'action' ? [undo.action] : []).toEqual(owed);
      }),
    );
  });
});

describe('the undos once a step fails', () => {
  const declared = (action: Action, undo: Action) => aStep(action, { compensation: { kind: 'action', action: undo } });
  const undoing: fc.Arbitrary<ActionStep['compensation']> = fc.oneof(
    fc.constant({ kind: 'default' as const }),
    fc.constant({ kind: 'none' as const, reason: 'nothing depends on it' }),
    actions.map((action) => ({ kind: 'action' as const, action })),
  );
  const planned = fc
    .array(
      fc.record({
        action: actions,
        compensation: undoing,
        onFailure: fc.constantFrom('compensate' as const, 'abort' as const, 'continue' as const),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((list) => list.map(({ action, ...rest }, index) => aStep(action, { id: `step-${index}`, ...rest })));

  /** Computed with the entry table of the run, not with the code of the plan. */
  const simulated = (first: Observation, steps: readonly ActionStep[]) => {
    let state = first;
    return steps.map((step): DoneStep => {
      const before = state;
      const sent = entryMove(true, step.action, { ...aBaseline(), observation: before }, before) === 'send';
      if (sent) state = ruleOf(step.action).reaches(step.action, before);
      return { step, sent: sent ? 'yes' : 'no', before, after: state, failedToConverge: false };
    });
  };

  it('are those that the run owes at that step, folded, including declared ones', () => {
    fc.assert(
      fc.property(seen, planned, (first, steps) => {
        const done = simulated(first, steps);
        const last = done.findLastIndex(({ sent, step }) => sent === 'yes' && step.onFailure === 'compensate');
        const owed = last < 1 ? [] : owedUndos(done.slice(0, last)).undos.map(({ action }) => action);
        const { undos } = expectedCourse(first, steps);
        expect(undos?.undos ?? []).toEqual(owed);
        if (undos !== null) expect(undos.failing).toBe(last);
      }),
      { numRuns: 500 },
    );
  });

  it('are shown for a step only if the run would send them in the end, else marked as left out', () => {
    fc.assert(
      fc.property(seen, planned, (first, steps) => {
        const sent = new Set(owedUndos(simulated(first, steps)).undos.map(({ step }) => step.id));
        for (const [index, { undo }] of expectedCourse(first, steps).steps.entries())
          expect(undo.kind === 'action', `step ${index}: ${undo.kind}`).toBe(sent.has(`step-${index}`));
      }),
      { numRuns: 500 },
    );
  });

  it('of several scales are the oldest, and the others are marked', () => {
    const steps = [
      declared({ action: 'scale', replica: 2 }, { action: 'scale', replica: 4 }),
      declared({ action: 'scale', replica: 3 }, { action: 'scale', replica: 1 }),
      aStep({ action: 'stop' }),
      aStep({ action: 'scale', replica: 5 }),
    ];
    const course = expectedCourse(running, steps);
    expect(course.undos).toEqual({
      failing: 3,
      undos: [{ action: 'start' }, { action: 'scale', replica: 4 }],
      differs: [],
    });
    expect(course.steps[1]?.undo).toMatchObject({ kind: 'leftOut', by: 0, from: 1, why: 'older' });
    expect(course.steps[3]?.undo).toMatchObject({ kind: 'leftOut', by: 0, from: 3, why: 'older' });
  });

  it('of a stop and a start are none, and both are marked', () => {
    const steps = [
      declared({ action: 'stop' }, { action: 'start' }),
      declared({ action: 'start' }, { action: 'stop' }),
      aStep({ action: 'restart' }),
    ];
    const course = expectedCourse(running, steps);
    expect(course.undos).toEqual({ failing: 2, undos: [], differs: [] });
    expect(course.steps.slice(0, 2).map(({ undo }) => undo)).toMatchObject([
      { kind: 'leftOut', by: 1, from: 1, why: 'cancels' },
      { kind: 'leftOut', by: 0, from: 1, why: 'cancels' },
    ]);
  });

  it('name the resulting state if it differs', () => {
    const steps = [
      declared({ action: 'scale', replica: 6 }, { action: 'scale', replica: 3 }),
      aStep({ action: 'restart' }),
    ];
    expect(expectedCourse(running, steps).undos?.differs).toEqual([{ what: 'replicas', before: '4', after: '3' }]);
  });
});

describe('differences', () => {
  it('concern state, version, replicas and hosts, but not health or values that were not read', () => {
    const before = anObservation({ hosts: ['a', 'b'] });
    expect(
      differencesBetween(before, { ...before, hosts: ['b', 'a'], availableReplicaCount: 0, lastJobId: 'x' }),
    ).toEqual([]);
    const after = anObservation({ status: 'STOPPED', version: '1.4.0', replicaCount: 1, hosts: ['c'] });
    expect(differencesBetween(before, after).map(({ what }) => what)).toEqual([
      'status',
      'version',
      'replicas',
      'hosts',
    ]);
    expect(differencesBetween(anObservation({ replicaCount: null, version: null }), after)).toMatchObject([
      { what: 'status' },
    ]);
    expect(differencesBetween(anObservation({ status: 'DOWN' }), anObservation({ status: 'FAILED' }))).toHaveLength(1);
  });
});
