/** Chooses the undos for a target: those of the steps that visibly changed it, newest first, folded. Pure; sends nothing. */
import { describeAction, desiredStateHolds, ruleOf, type Action } from '../target/actions.js';
import type { ActionStep, PlannedStep } from '../plan/plan.js';
import type { RemainingEffect } from './report.js';
import type { Sent } from '../failures.js';
import { statusMeaning, type Observation } from '../target/target.js';

/** A step that may have been sent, with the readings before and after it. */
export interface DoneStep {
  readonly step: ActionStep;
  readonly sent: Sent;
  readonly before: Observation;
  /** Read at rest after the step, or after settling where it failed. */
  readonly after: Observation;
  /** The step failed, because its cloud job did, or because the desired state was not reached in time. */
  readonly failedToConverge: boolean;
  /** Why its effect is not undone, although it was seen. Absent where it is undone by the rules. */
  readonly stays?: string;
}

/** An undo to send. */
export interface OwedUndo {
  /** The step whose effect it undoes. */
  readonly step: ActionStep;
  readonly action: Action;
}

/** An undo that is not sent, because another one makes it unnecessary. */
export interface LeftOut extends OwedUndo {
  /** The step whose undo makes it unnecessary. */
  readonly by: ActionStep;
  /** `cancels`: the two undos cancel out, and neither is sent. `older`: the other one restores the state from before both steps. */
  readonly why: 'cancels' | 'older';
}

/** What has to be undone, and what cannot be. */
export interface Owed {
  /** In the order in which to send them. */
  readonly undos: readonly OwedUndo[];
  /** Left out by folding. */
  readonly leftOut: readonly LeftOut[];
  /** Effects that stay, whatever is sent. */
  readonly remaining: readonly RemainingEffect[];
}

/**
 * Works out the undos of a target.
 *
 * Only readings count: a step whose reading after it shows no change has nothing to undo, even if it was sent. An action that has just
 * failed to converge in this run is not sent again as an undo.
 *
 * @param done oldest first
 */
export function owedUndos(done: readonly DoneStep[]): Owed {
  const effective = done
    .filter(({ step, sent, before, after }) => sent !== 'no' && ruleOf(step.action).changed(before, after))
    .reverse();
  const remaining: RemainingEffect[] = [];
  const candidates: OwedUndo[] = [];
  for (const step of effective) {
    const undo = undoOf(step);
    if (undo === null) continue;
    if ('why' in undo) remaining.push(undo);
    else candidates.push(undo);
  }
  const notConverged = new Set(
    done.filter((step) => step.failedToConverge).map(({ step }) => describeAction(step.action)),
  );
  const undos: OwedUndo[] = [];
  const { kept, cancelled, leftOut } = fold(candidates);
  for (const undo of kept) {
    if (!notConverged.has(describeAction(undo.action))) undos.push(undo);
    else remaining.push(notUndone(undo, `${describeAction(undo.action)} ${NOT_SENT_AGAIN}`));
  }
  remaining.push(...unfinishedPairs(cancelled, done));
  return { undos, leftOut, remaining };
}

/** @returns the undo of a step that changed the instance, or its effect if that stays; `null` for an action that leaves nothing to undo */
function undoOf({ step, before, stays }: DoneStep): OwedUndo | RemainingEffect | null {
  const { id: stepId, action, compensation } = step;
  if (stays !== undefined) return { stepId, action, why: stays, kind: 'notUndone' };
  if (compensation.kind === 'none') return { stepId, action, why: compensation.reason, kind: 'declaredNone' };
  if (compensation.kind === 'irreversible') return { stepId, action, why: compensation.reason, kind: 'irreversible' };
  const rule = ruleOf(action);
  const undo = compensation.kind === 'action' ? compensation.action : rule.undo(before);
  if (undo !== null) return { step, action: undo };
  if (rule.reversal === 'self') return null;
  const noWayBack = `the state before it (${before.status}) is not one that ${action.action} can be undone to`;
  const kind = rule.reversal === 'irreversible' ? 'irreversible' : 'notUndone';
  return { stepId, action, why: rule.irreversibleBecause ?? noWayBack, kind };
}

const NOT_SENT_AGAIN = 'has just failed to converge in this run and is not sent again';

function notUndone({ step }: OwedUndo, why: string): RemainingEffect {
  return { stepId: step.id, action: step.action, why, kind: 'notUndone' };
}

interface Folded {
  readonly kept: OwedUndo[];
  readonly cancelled: [OwedUndo, OwedUndo][];
  readonly leftOut: LeftOut[];
}

/** Leaves out pairs that cancel out (stop, then start) with nothing between them that needs the newer one, and all scales but the oldest. */
function fold(candidates: readonly OwedUndo[]): Folded {
  const kept: OwedUndo[] = [];
  const cancelled: [OwedUndo, OwedUndo][] = [];
  const leftOut: LeftOut[] = [];
  for (const undo of candidates) {
    if (undo.action.action === 'scale') {
      const at = kept.findIndex(({ action }) => action.action === 'scale');
      const newer = kept[at];
      if (newer !== undefined) {
        kept.splice(at, 1);
        leftOut.push({ ...newer, by: undo.step, why: 'older' });
      }
    }
    const opposite = oppositeOf(undo.action);
    const newest = kept.at(-1);
    if (opposite !== null && newest?.action.action === opposite) {
      kept.pop();
      cancelled.push([newest, undo]);
      leftOut.push({ ...newest, by: undo.step, why: 'cancels' }, { ...undo, by: newest.step, why: 'cancels' });
    } else kept.push(undo);
  }
  return { kept, cancelled, leftOut };
}

function oppositeOf(action: Action): Action['action'] | null {
  if (action.action === 'start') return 'stop';
  return action.action === 'stop' ? 'start' : null;
}

/**
 * Where two undos cancel out but the newer step (start after stop) did not restore the state before the older one, the effect of the older one
 * stays. A step that failed may have restored it all the same: only the reading after it counts.
 */
function unfinishedPairs(cancelled: readonly [OwedUndo, OwedUndo][], done: readonly DoneStep[]): RemainingEffect[] {
  const doneFor = ({ step: { id } }: OwedUndo) => done.find(({ step }) => step.id === id);
  return cancelled.flatMap(([newer, older]) => {
    const [newest, oldest] = [doneFor(newer), doneFor(older)];
    if (newest === undefined || oldest === undefined) return [];
    const { action } = newer.step;
    const what = describeAction(action);
    if (newest.failedToConverge && !desiredStateHolds(action, newest.after))
      return [notUndone(older, `${what} ${NOT_SENT_AGAIN}`)];
    const { status } = newest.after;
    return statusMeaning(status) === statusMeaning(oldest.before.status)
      ? []
      : [notUndone(older, `${what} left the instance ${status}`)];
  });
}

/** One way in which an instance differs from an earlier reading, in the words of the readings. */
export interface Difference {
  readonly what: 'status' | 'version' | 'replicas' | 'hosts';
  readonly before: string;
  readonly after: string;
}

/**
 * What an undo would have had to restore and did not. A value that one of the readings lacks does not count, and neither does the number
 * of healthy replicas.
 */
export function differencesBetween(before: Observation, after: Observation): Difference[] {
  const isSameState =
    before.status === after.status ||
    (statusMeaning(before.status) !== 'neither' && statusMeaning(before.status) === statusMeaning(after.status));
  const pairs = [
    ['status', isSameState ? null : before.status, after.status],
    ['version', before.version, after.version],
    ['replicas', before.replicaCount, after.replicaCount],
    ['hosts', hostsText(before), hostsText(after)],
  ] as const;
  return pairs.flatMap(([what, was, is]) =>
    was === null || is === null || was === is ? [] : [{ what, before: String(was), after: String(is) }],
  );
}

function hostsText({ hosts }: Observation): string | null {
  return hosts === null ? null : [...hosts].sort().join(',');
}

/** For people: `replicas 2 (4 before), version 1.4.0 (1.4.1 before)`. */
export function describeDifferences(differences: readonly Difference[]): string {
  return differences.map(({ what, before, after }) => `${what} ${after} (${before} before)`).join(', ');
}

/**
 * The undo as a step of its own. It expects nothing of the instance: what the undone step expected was true before that step.
 *
 * @param isLast only the state that the last undo leads to has to hold
 */
export function undoStep({ step, action }: OwedUndo, planned: readonly PlannedStep[], isLast: boolean): ActionStep {
  const rule = ruleOf(action);
  const similar = planned.find(
    (other): other is ActionStep => other.kind === 'action' && other.action.action === action.action,
  );
  return {
    kind: 'action',
    id: `undo-${step.id}`,
    action,
    deadlineMs: Math.max(step.deadlineMs, rule.deadlineMs),
    verify: step.verify,
    ...(isLast ? {} : { holds: false }),
    usualDurationMs: similar?.usualDurationMs ?? rule.usualDurationMs,
    onFailure: 'continue',
    compensation: { kind: 'none', reason: 'an undo is not undone' },
  };
}
