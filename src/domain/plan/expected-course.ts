/** What a plan says of its steps before anything is sent: which are skipped, which undos would be sent, and where those lead. By the rules of the run. Pure. */
import { ruleOf, desiredStateHolds, type Action } from '../target/actions.js';
import { isAtRest } from '../target/cloud-job.js';
import { differencesBetween, owedUndos, type Difference, type DoneStep, type LeftOut } from '../report/compensation.js';
import type { ActionStep, PlannedStep } from './plan.js';
import type { Observation } from '../target/target.js';

export interface ExpectedStep {
  /** `unknown`: a cloud job is in flight, and the step is decided once that has ended. */
  readonly course: 'sent' | 'skipped' | 'unknown';
  readonly undo: ExpectedUndo;
}

export type ExpectedUndo =
  /** As the plan says it: nothing more is known, or there is nothing to say. */
  | { readonly kind: 'asDeclared' }
  /** `differs`: what is then other than before the step. */
  | { readonly kind: 'action'; readonly action: Action; readonly differs: readonly Difference[] }
  /** The run would not send it: the undo of another step makes it needless. */
  | {
      readonly kind: 'leftOut';
      readonly action: Action;
      /** Positions in the list of steps, from 0: whose undo makes it needless, and the step from whose success on that holds. */
      readonly by: number;
      readonly from: number;
      readonly why: LeftOut['why'];
    }
  /** The step changes nothing that is undone: the instance was not in the state that its undo restores. */
  | { readonly kind: 'nothing' };

/** What the run sends when the last step that asks for undos fails and has changed nothing itself. */
export interface ExpectedUndos {
  /** Position of that step in the list, from 0. */
  readonly failing: number;
  /** In the order to send them. */
  readonly undos: readonly Action[];
  /** What is then other than before the run. */
  readonly differs: readonly Difference[];
}

export interface ExpectedCourse {
  /** One for each step. */
  readonly steps: readonly ExpectedStep[];
  /** `null` where no step before has an undo, where no step asks for undos, and while a cloud job is in flight. */
  readonly undos: ExpectedUndos | null;
}

/**
 * The course of a target's steps if each succeeds, and the undos that this leads to.
 * @param seen the reading of the plan; the run takes its own under the lease, and decides by that
 */
export function expectedCourse(seen: Observation, steps: readonly PlannedStep[]): ExpectedCourse {
  if (!isAtRest(seen)) return { steps: steps.map(notKnownYet), undos: null };
  const done = doneSteps(seen, steps);
  return {
    steps: steps.map((step, index) => expectedStep(step, index, done)),
    undos: expectedUndos(seen, steps, done),
  };
}

function notKnownYet(step: PlannedStep): ExpectedStep {
  const isOpen = step.kind === 'action' && isSkippable(step);
  return { course: isOpen ? 'unknown' : 'sent', undo: { kind: 'asDeclared' } };
}

/** A restart is never skipped: its state holds before it. */
function isSkippable({ action }: ActionStep): boolean {
  return ruleOf(action).kind === 'state';
}

/** As the run would note them; `null` for a wait. */
function doneSteps(seen: Observation, steps: readonly PlannedStep[]): (DoneStep | null)[] {
  let state = seen;
  return steps.map((step) => {
    if (step.kind === 'wait') return null;
    const before = state;
    const isSkipped = isSkippable(step) && desiredStateHolds(step.action, before);
    if (!isSkipped) state = ruleOf(step.action).reaches(step.action, before);
    return { step, sent: isSkipped ? 'no' : 'yes', before, after: state, failedToConverge: false };
  });
}

/** What the run owes once the first `count` steps were done. */
function owedAfter(done: readonly (DoneStep | null)[], count: number) {
  return owedUndos(done.slice(0, count).filter((step) => step !== null));
}

function expectedStep(step: PlannedStep, index: number, done: readonly (DoneStep | null)[]): ExpectedStep {
  const own = done[index] ?? null;
  if (step.kind === 'wait' || own === null) return { course: 'sent', undo: { kind: 'asDeclared' } };
  if (own.sent === 'no') return { course: 'skipped', undo: { kind: 'nothing' } };
  return { course: 'sent', undo: leftOutUndo(index, done) ?? undoAlone(own) };
}

/** The step's undo by itself, as if it were the only one. */
function undoAlone(own: DoneStep): ExpectedUndo {
  const { step, before, after } = own;
  const rule = ruleOf(step.action);
  const isUndone =
    step.compensation.kind === 'action' || (step.compensation.kind === 'default' && rule.reversal === 'inverse');
  if (!isUndone) return { kind: 'asDeclared' };
  if (!rule.changed(before, after)) return { kind: 'nothing' };
  const [undo] = owedUndos([own]).undos;
  if (undo === undefined) return { kind: 'asDeclared' };
  const undone = ruleOf(undo.action).reaches(undo.action, after);
  return { kind: 'action', action: undo.action, differs: differencesBetween(before, undone) };
}

/** `null` where it would be sent once all steps were done. */
function leftOutUndo(index: number, done: readonly (DoneStep | null)[]): ExpectedUndo | null {
  const leftOutAfter = (count: number) => owedAfter(done, count).leftOut.find(({ step }) => step === done[index]?.step);
  if (leftOutAfter(done.length) === undefined) return null;
  for (let from = index; from < done.length; from++) {
    const found = leftOutAfter(from + 1);
    if (found === undefined) continue;
    const by = done.findIndex((each) => each?.step === oldestOf(found, owedAfter(done, from + 1).leftOut).by);
    return { kind: 'leftOut', action: found.action, by, from, why: found.why };
  }
  return null;
}

/** Of several scales in a row: the undo that is sent for all of them, not the next older one, which is left out as well. */
function oldestOf(found: LeftOut, all: readonly LeftOut[]): LeftOut {
  const older = all.find(({ step, why }) => step === found.by && why === 'older');
  return found.why === 'cancels' || older === undefined ? found : oldestOf(older, all);
}

function expectedUndos(
  seen: Observation,
  steps: readonly PlannedStep[],
  done: readonly (DoneStep | null)[],
): ExpectedUndos | null {
  const failing = steps.findLastIndex(
    (step, index) => step.kind === 'wait' || (step.onFailure === 'compensate' && done[index]?.sent !== 'no'),
  );
  if (failing < 1) return null;
  const { undos, leftOut } = owedAfter(done, failing);
  if (undos.length === 0 && leftOut.length === 0) return null;
  const reached = done.slice(0, failing).findLast((step) => step !== null)?.after ?? seen;
  const undone = undos.reduce((state, { action }) => ruleOf(action).reaches(action, state), reached);
  return { failing, undos: undos.map(({ action }) => action), differs: differencesBetween(seen, undone) };
}
