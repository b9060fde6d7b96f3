import { describe, expect, it } from 'vitest';
import { describeAction, type Action } from '../../../../src/domain/target/actions.js';
import { owedUndos, type DoneStep } from '../../../../src/domain/report/compensation.js';
import type { ActionStep } from '../../../../src/domain/plan/plan.js';
import type { Observation } from '../../../../src/domain/target/target.js';
import { EFFECTS, type InstanceState } from '../../../../src/simulator/effects.js';
import { anObservation, aStep } from '../../../support/build.js';

const running = anObservation();
const stopped = anObservation({ status: 'STOPPED', availableReplicaCount: 0 });
const down = anObservation({ status: 'DOWN', availableReplicaCount: 0 });
const withReplicas = (replicaCount: number) => anObservation({ replicaCount, availableReplicaCount: replicaCount });

function did(
  action: Action,
  before: Observation,
  after: Observation,
  change: Partial<DoneStep> = {},
  step: Partial<ActionStep> = {},
): DoneStep {
  return { step: aStep(action, step), sent: 'yes', before, after, failedToConverge: false, ...change };
}

function undosOf(...done: DoneStep[]): string[] {
  return owedUndos(done).undos.map(({ action }) => describeAction(action));
}

const stop = did({ action: 'stop' }, running, stopped);
const start = did({ action: 'start' }, stopped, running);
const rollback = did({ action: 'rollback', version: '1.4.0' }, stopped, { ...stopped, version: '1.4.0' });
const scale = (from: number, to: number, id = 'scale') =>
  did({ action: 'scale', replica: to }, withReplicas(from), withReplicas(to), {}, { id });

function seen({ status, replica, availableReplica }: InstanceState): Observation {
  return anObservation({ status, replicaCount: replica, availableReplicaCount: availableReplica });
}

/** @returns `null` if the instance does not accept it */
function afterAction(state: InstanceState, { action, ...parameters }: Action): InstanceState | null {
  const effect = EFFECTS[action];
  return effect.acceptedIn.includes(state.status) ? effect.after(state, parameters) : null;
}

/** Every sequence of up to `length` of them. */
function sequencesOf<Item>(items: readonly Item[], length: number): readonly (readonly Item[])[] {
  if (length === 0) return [[]];
  const shorter = sequencesOf(items, length - 1);
  const longest = shorter.filter((sequence) => sequence.length === length - 1);
  return [...shorter, ...longest.flatMap((sequence) => items.map((item) => [...sequence, item]))];
}

describe('undos', () => {
  it.each<[string, string[], string[]]>([
    ['start what was stopped', undosOf(stop), ['start']],
    ['stop what was started', undosOf(start), ['stop']],
    ['scale back to the captured count', undosOf(scale(2, 4)), ['scale replica=2']],
    ['owe nothing for what was never sent', undosOf({ ...stop, sent: 'no' }), []],
    ['are owed for what counts as ours without a cloud job', undosOf({ ...stop, sent: 'unknown' }), ['start']],
    ['owe nothing if nothing changed', undosOf(did({ action: 'stop' }, running, running)), []],
    ['owe nothing for a restart', undosOf(did({ action: 'restart' }, running, running)), []],
    [
      'do not go towards a state that is neither running nor stopped',
      undosOf(did({ action: 'stop' }, down, stopped)),
      [],
    ],
    [
      'come newest first',
      undosOf(scale(2, 4), did({ action: 'stop' }, withReplicas(4), stopped)),
      ['start', 'scale replica=2'],
    ],
    ['fold a pair that cancels out', undosOf(stop, start), []],
    [
      'fold only the pair, not a third',
      undosOf(stop, start, { ...stop, step: aStep({ action: 'stop' }, { id: 'stop-2' }) }),
      ['start'],
    ],
    ['keep only the oldest of several counts', undosOf(scale(2, 4), scale(4, 6, 'scale-2')), ['scale replica=2']],
    ['fold a pair before a scale', undosOf(stop, start, scale(2, 4)), ['scale replica=2']],
    [
      'start what was stopped, so that it can be scaled back, and stop it again',
      undosOf(start, scale(2, 4), did({ action: 'stop' }, withReplicas(4), stopped, {}, { id: 'stop-again' })),
      ['start', 'scale replica=2', 'stop'],
    ],
  ])('%s', (_case, found, expected) => {
    expect(found).toEqual(expected);
  });

  it.each(['RUNNING', 'STOPPED'])('lead back to %s with 2 replicas, whatever was done', (status) => {
    const before: InstanceState = { status, version: '1.4.1', replica: 2, availableReplica: 2, hosts: [] };
    const kinds: readonly Action[] = [
      { action: 'start' },
      { action: 'stop' },
      { action: 'scale', replica: 3 },
      { action: 'scale', replica: 4 },
    ];
    for (const actions of sequencesOf(kinds, 6)) {
      let state = before;
      const done = actions.map((action, index) => {
        const from = seen(state);
        state = afterAction(state, action) ?? state;
        return did(action, from, seen(state), {}, { id: `${index}` });
      });
      const undos = owedUndos(done).undos.map(({ action }) => action);
      const after = undos.reduce<InstanceState | null>(
        (reached, undo) => (reached === null ? null : afterAction(reached, undo)),
        state,
      );
      const sent = `${actions.map(describeAction).join(', ')} → ${undos.map(describeAction).join(', ')}`;
      expect({ sent, status: after?.status, replica: after?.replica }).toEqual({ sent, status, replica: 2 });
    }
  });

  it('start again after a rollback whose cloud job failed', () => {
    const failedRollback = did({ action: 'rollback', version: '1.4.0' }, stopped, stopped);
    expect(owedUndos([stop, failedRollback])).toMatchObject({
      undos: [{ action: { action: 'start' } }],
      remaining: [],
    });
  });

  it('do not touch a recover whose start never converges, and report what remains', () => {
    const overdueStart = did({ action: 'start' }, stopped, down, { failedToConverge: true });
    const { undos, remaining } = owedUndos([stop, rollback, overdueStart]);
    expect(undos).toEqual([]);
    expect(remaining.map(({ stepId, kind }) => [stepId, kind])).toEqual([
      ['rollback', 'irreversible'],
      ['stop', 'notUndone'],
    ]);
  });

  it('report nothing for a pair whose newer step was overdue and reached its state after all', () => {
    const lateStart = did({ action: 'start' }, stopped, running, { failedToConverge: true });
    expect(owedUndos([stop, lateStart])).toMatchObject({ undos: [], remaining: [] });
  });

  it('report what remains of a pair whose newer step left the instance FAILED, whatever the failure of that step', () => {
    const unheardStart = did({ action: 'start' }, stopped, anObservation({ status: 'FAILED' }));
    expect(owedUndos([stop, unheardStart])).toMatchObject({
      undos: [],
      remaining: [{ stepId: 'stop', kind: 'notUndone', why: 'start left the instance FAILED' }],
    });
  });

  it('do not repeat an action that has just failed in this run', () => {
    const failedStart = did({ action: 'start' }, stopped, stopped, { failedToConverge: true });
    const { undos, remaining } = owedUndos([stop, failedStart]);
    expect(undos).toEqual([]);
    expect(remaining).toMatchObject([{ stepId: 'stop', kind: 'notUndone' }]);
  });

  it('follow what the runbook declares', () => {
    const declared = { kind: 'action', action: { action: 'scale', replica: 9 } } as const;
    expect(
      undosOf({ ...scale(2, 4), step: aStep({ action: 'scale', replica: 4 }, { compensation: declared }) }),
    ).toEqual(['scale replica=9']);
    const none = aStep({ action: 'stop' }, { compensation: { kind: 'none', reason: 'maintenance continues' } });
    expect(owedUndos([{ ...stop, step: none }])).toMatchObject({
      undos: [],
      remaining: [{ kind: 'declaredNone', why: 'maintenance continues' }],
    });
  });

  it('restore the hosts of a component on virtual machines', () => {
    const before = { ...withReplicas(1), hosts: ['ecs-1'] };
    expect(undosOf(did({ action: 'scale', replica: 2, hosts: ['ecs-1', 'ecs-2'] }, before, withReplicas(2)))).toEqual([
      'scale replica=1 hosts=ecs-1',
    ]);
  });
});
