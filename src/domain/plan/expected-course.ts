/**
 * Predicts a run for its plan, by the rules of the run: which steps are skipped, which undos would be sent, and what
 * state they lead to. Pure.
 */
import { ruleOf, desiredStateHolds, type Action } from '../target/actions.js';
import { isAtRest } from '../target/cloud-job.js';
import { differencesBetween, owedUndos, type Difference, type DoneStep, type LeftOut } from '../report/compensation.js';
import type { ActionStep, PlannedStep } from './plan.js';
import type { Observation } from '../target/target.js';

/** What is expected of one step. */
export interface ExpectedStep {
  /** `unknown`: a cloud job is in flight, and the step is decided after it has ended. */
  readonly course: 'sent' | 'skipped' | 'unknown';
  readonly undo: ExpectedUndo;
}

/** What is expected of the undo of a step. */
export type ExpectedUndo =
  /** As the plan declares it; there is nothing to add. */
  | { readonly kind: 'asDeclared' }
  /** `differs`: what would not be as before the step. */
  | { readonly kind: 'action'; readonly action: Action; readonly differs: readonly Difference[] }
  /** The run would not send it, because the undo of another step makes it unnecessary. */
  | {
      readonly kind: 'leftOut';
      readonly action: Action;
      /**
       * Positions in the list of steps, from 0: the step whose undo makes it unnecessary, and the step after whose
       * success that is so.
       */
      readonly by: number;
      readonly from: number;
      readonly why: LeftOut['why'];
    }
  /** Nothing to undo: the instance was not in the state that the undo restores. */
  | { readonly kind: 'nothing' };

/** What the run sends if the last step that asks for undos fails without having changed anything. */
export interface ExpectedUndos {
  /** Position of that step in the list, from 0. */
  readonly failing: number;
  /** In the order in which they are sent. */
  readonly undos: readonly Action[];
  /** What would not be as before the run. */
  readonly differs: readonly Difference[];
}

/** The expected course of one target. */
export interface ExpectedCourse {
  /** One entry per step. */
  readonly steps: readonly ExpectedStep[];
  /** `null` if no earlier step has an undo, if no step asks for undos, or while a cloud job is in flight. */
  readonly undos: ExpectedUndos | null;
}

/**
 * The course of a target's steps if each succeeds, and the undos for it.
 * @param seen the reading of the plan; the run reads again under the lease and decides by that
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

/** A restart is never skipped, because its desired state holds before it. */
function isSkippable({ action }: ActionStep): boolean {
  return ruleOf(action).kind === 'state';
}

/** The steps as the run would record them; `null` for a wait, a check and an approval. */
function doneSteps(seen: Observation, steps: readonly PlannedStep[]): (DoneStep | null)[] {
  let state = seen;
  return steps.map((step) => {
    if (step.kind !== 'action') return null;
    const before = state;
    const isSkipped = isSkippable(step) && desiredStateHolds(step.action, before);
    if (!isSkipped) state = ruleOf(step.action).reaches(step.action, before);
    return { step, sent: isSkipped ? 'no' : 'yes', before, after: state, failedToConverge: false };
  });
}

/** The undos that the run would send after the first `count` steps. */
function owedAfter(done: readonly (DoneStep | null)[], count: number) {
  return owedUndos(done.slice(0, count).filter((step) => step !== null));
}

function expectedStep(step: PlannedStep, index: number, done: readonly (DoneStep | null)[]): ExpectedStep {
  const own = done[index] ?? null;
  if (step.kind !== 'action' || own === null) return { course: 'sent', undo: { kind: 'asDeclared' } };
  if (own.sent === 'no') return { course: 'skipped', undo: { kind: 'nothing' } };
  return { course: 'sent', undo: leftOutUndo(index, done) ?? undoAlone(own) };
}

/** The undo of the step as if it were the only one. */
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

/** `null` if it would be sent after all steps were done. */
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

/**
 * For several scales in a row: the undo that is sent for all of them, not the next older one, which is left out as
 * well.
 */
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
    (step, index) => asksForUndo(step) && (step.kind !== 'action' || done[index]?.sent !== 'no'),
  );
  if (failing < 1) return null;
  const { undos, leftOut } = owedAfter(done, failing);
  if (undos.length === 0 && leftOut.length === 0) return null;
  const reached = done.slice(0, failing).findLast((step) => step !== null)?.after ?? seen;
  const undone = undos.reduce((state, { action }) => ruleOf(action).reaches(action, state), reached);
  return { failing, undos: undos.map(({ action }) => action), differs: differencesBetween(seen, undone) };
}

function asksForUndo(step: PlannedStep): boolean {
  return step.kind === 'wait' || step.onFailure === 'compensate';
}
