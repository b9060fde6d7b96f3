import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTION_NAMES, ruleOf, wishedStateHolds, type Action } from '../../../src/domain/actions.js';
import { differencesBetween, owedUndos, type DoneStep } from '../../../src/domain/compensation.js';
import { entryMove } from '../../../src/domain/entry.js';
import { expectedCourse } from '../../../src/domain/expected-course.js';
import type { ActionStep } from '../../../src/domain/plan.js';
import { aBaseline, anObservation, aStep } from '../../support/build.js';

const running = anObservation({ replicaCount: 4, availableReplicaCount: 4 });
const stopped = anObservation({ status: 'STOPPED' });
const courseOf = (seen: typeof running, ...actions: Action[]) =>
  expectedCourse(
    seen,
    actions.map((action) => aStep(action)),
  ).map(({ course }) => course);

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
  it('skips what is so already, at first and after the steps before', () => {
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

  it('is what the entry table of the run decides from the same states', () => {
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

  it('knows for every action a state in which its wished state holds', () => {
    fc.assert(
      fc.property(seen, actions, (before, action) => {
        expect(wishedStateHolds(action, ruleOf(action).reaches(action, before))).toBe(true);
      }),
    );
    expect(ACTION_NAMES).toHaveLength(5);
  });
});

describe('the expected undo', () => {
  const undoOf = (step: ActionStep, before = running) => expectedCourse(before, [step])[0]?.undo;
  const declared = (action: Action, undo: Action) => aStep(action, { compensation: { kind: 'action', action: undo } });

  it('that leads elsewhere says what will differ', () => {
    const undo = undoOf(declared({ action: 'scale', replica: 6 }, { action: 'scale', replica: 2 }));
    expect(undo).toMatchObject({ kind: 'action', differs: [{ what: 'replicas', before: '4', after: '2' }] });
    const onHosts = anObservation({ hosts: ['a', 'b'] });
    const moved = declared(
      { action: 'scale', replica: 3, hosts: ['c'] },
      { action: 'scale', replica: 2, hosts: ['c', 'd'] },
    );
    expect(undoOf(moved, onHosts)).toMatchObject({ differs: [{ what: 'hosts', before: 'a,b', after: 'c,d' }] });
  });

  it('that leads back says nothing', () => {
    expect(undoOf(aStep({ action: 'stop' }))).toEqual({ kind: 'action', action: { action: 'start' }, differs: [] });
    expect(undoOf(aStep({ action: 'scale', replica: 6 }))).toMatchObject({ action: { replica: 4 }, differs: [] });
  });

  it('is none where the run would owe none', () => {
    fc.assert(
      fc.property(seen, actions, (before, action) => {
        const step = aStep(action);
        const after = ruleOf(action).reaches(action, before);
        const done: DoneStep = { step, sent: 'yes', before, after, failedToConverge: false };
        const owed = owedUndos([done]).undos.map(({ action: undo }) => undo);
        const [{ course, undo } = { course: 'unknown', undo: null }] = expectedCourse(before, [step]);
        if (course === 'sent') expect(undo?.kind === 'action' ? [undo.action] : []).toEqual(owed);
      }),
    );
  });
});

describe('differences', () => {
  it('are of state, version, replicas and hosts; not of health, and not of what was not read', () => {
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
