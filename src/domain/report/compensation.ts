/** Which undos a target is owed: from what was seen to change, newest first, folded. Pure; sends nothing. */
import { describeAction, ruleOf, type Action } from '../target/actions.js';
import type { ActionStep } from '../plan/plan.js';
import type { RemainingEffect } from './report.js';
import type { Sent } from '../failures.js';
import { statusMeaning, type Observation } from '../target/target.js';

/** A step that was carried out, in order, with the readings around it. */
export interface DoneStep {
  readonly step: ActionStep;
  readonly sent: Sent;
  readonly before: Observation;
  /** At rest, after the step; where it failed, after settling. */
  readonly after: Observation;
  /** It was sent and its desired state was not reached in time. */
  readonly failedToConverge: boolean;
}

export interface OwedUndo {
  /** The step whose effect it takes back. */
  readonly step: ActionStep;
  readonly action: Action;
}

/** An undo that is not sent, since another one makes it needless. */
export interface LeftOut extends OwedUndo {
  /** The step whose undo makes it needless. */
  readonly by: ActionStep;
  /** `cancels`: neither of the two is sent. `older`: the other restores what was before both steps. */
  readonly why: 'cancels' | 'older';
}

export interface Owed {
  /** In the order to send them. */
  readonly undos: readonly OwedUndo[];
  /** Left out by folding. */
  readonly leftOut: readonly LeftOut[];
  /** Effects that stay whatever is sent. */
  readonly remaining: readonly RemainingEffect[];
}

export function owedUndos(done: readonly DoneStep[]): Owed {
  const effective = done
    .filter(({ step, sent, before, after }) => sent !== 'no' && ruleOf(step.action).changed(before, after))
    .reverse();
  const remaining: RemainingEffect[] = [];
  const candidates: OwedUndo[] = [];
  for (const { step, before } of effective) {
    const { compensation, action } = step;
    const rule = ruleOf(action);
    if (compensation.kind === 'irreversible' || compensation.kind === 'none') {
      const kind = compensation.kind === 'none' ? 'declaredNone' : 'irreversible';
      remaining.push({ stepId: step.id, action, why: compensation.reason, kind });
      continue;
    }
    const undo = compensation.kind === 'action' ? compensation.action : rule.undo(before);
    if (undo !== null) candidates.push({ step, action: undo });
    else if (rule.reversal !== 'self') {
      const why =
        rule.irreversibleBecause ??
        `the state before it (${before.status}) is not one that ${action.action} can be undone to`;
      remaining.push({
        stepId: step.id,
        action,
        why,
        kind: rule.reversal === 'irreversible' ? 'irreversible' : 'notUndone',
      });
    }
  }
  const notConverged = new Set(
    done.filter((step) => step.failedToConverge).map(({ step }) => describeAction(step.action)),
  );
  const undos: OwedUndo[] = [];
  const { kept, cancelled, leftOut } = fold(candidates);
  for (const undo of kept) {
    if (!notConverged.has(describeAction(undo.action))) undos.push(undo);
    else
      remaining.push(
        notUndone(undo, `${describeAction(undo.action)} has just failed to converge in this run and is not sent again`),
      );
  }
  remaining.push(...unfinishedPairs(cancelled, done));
  return { undos, leftOut, remaining };
}

function notUndone({ step }: OwedUndo, why: string): RemainingEffect {
  return { stepId: step.id, action: step.action, why, kind: 'notUndone' };
}

interface Folded {
  readonly kept: OwedUndo[];
  readonly cancelled: [OwedUndo, OwedUndo][];
  readonly leftOut: LeftOut[];
}

/** Takes out pairs that cancel out (stop … start), and all but the oldest of several scales. */
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
    const lastSwitch = kept.findLastIndex(({ action }) => action.action === 'start' || action.action === 'stop');
    const newest = kept[lastSwitch];
    if (opposite !== null && newest !== undefined && newest.action.action === opposite) {
      kept.splice(lastSwitch, 1);
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

/** A pair whose newer step did not bring back what was before the older one (start after stop) leaves the older one's effect behind, and says so. */
function unfinishedPairs(cancelled: readonly [OwedUndo, OwedUndo][], done: readonly DoneStep[]): RemainingEffect[] {
  const doneFor = ({ step: { id } }: OwedUndo) => done.find(({ step }) => step.id === id);
  return cancelled.flatMap(([newer, older]) => {
    const [newest, oldest] = [doneFor(newer), doneFor(older)];
    if (newest === undefined || oldest === undefined) return [];
    const what = describeAction(newer.step.action);
    if (newest.failedToConverge)
      return [notUndone(older, `${what} has just failed to converge in this run and is not sent again`)];
    const { status } = newest.after;
    return statusMeaning(status) === statusMeaning(oldest.before.status)
      ? []
      : [notUndone(older, `${what} left the instance ${status}`)];
  });
}

/** Something about an instance that is not as it was. In words of the observation. */
export interface Difference {
  readonly what: 'status' | 'version' | 'replicas' | 'hosts';
  readonly before: string;
  readonly after: string;
}

/** What an undo would have to restore and did not. What one of the readings does not say is no difference, nor is how many replicas are healthy. */
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

/** `replicas 2 (4 before), version 1.4.0 (1.4.1 before)` */
export function describeDifferences(differences: readonly Difference[]): string {
  return differences.map(({ what, before, after }) => `${what} ${after} (${before} before)`).join(', ');
}
