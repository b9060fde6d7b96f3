/** Why a step is not begun: its gate has closed, its time is over, or somebody changed what its plan relies on. */
import { describeAction, desiredStateHolds, ruleOf, type Action } from '../domain/target/actions.js';
import type { Baseline } from '../domain/contract.js';
import type { FailureName } from '../domain/failures.js';
import type { Closing } from '../domain/gates/gates.js';
import type { ActionStep, ExpectedCounts } from '../domain/plan/plan.js';
import { describeObservation } from '../domain/target/target.js';

/** When a step is begun, and what limits it. Epoch milliseconds. */
export interface StepTimes {
  /**
   * The time that decides whether the step is begun. It comes from history, not from the clock: after a query the clock can be behind for a while
   * (docs/decisions/0026), and a replay would decide differently. The step's activity keeps a deadline that passes meanwhile.
   */
  readonly nowMs: number;
  readonly deadlineAtMs: number;
  /** When the target's gate closes. Absent once an action may have been sent on the target. */
  readonly closing?: Closing | undefined;
}

/** The failure of a step that is not begun. */
export interface Obstacle {
  readonly name: FailureName;
  readonly message: string;
}

/** @returns `null` if the step may begin. Pure */
export function obstacleTo(
  step: ActionStep,
  baseline: Baseline,
  { nowMs, deadlineAtMs, closing }: StepTimes,
): Obstacle | null {
  if (closing !== undefined && nowMs >= closing.atMs) return { name: closing.failure, message: closing.why };
  if (nowMs >= deadlineAtMs)
    return { name: 'DeadlinePassed', message: 'The deadline of the run passed before this step' };
  const { action, expects } = step;
  if (expects === undefined) return null;
  const change = changeSincePlan(action, expects, baseline);
  if (change === null) return null;
  const message = `${describeAction(action)} was not sent: ${expects.why}, and now ${change}`;
  return { name: 'TargetChanged', message };
}

function changeSincePlan(
  action: Action,
  { replicaCounts, lastJobId: planned }: ExpectedCounts,
  { observation: seen, lastJobId, knownCloudJobIds }: Baseline,
): string | null {
  if (replicaCounts.length > 0 && !replicaCounts.some((count) => count === seen.replicaCount))
    return `it is ${describeObservation(seen)}: somebody changed the count since`;
  // The cloud job of the first reading stays known, whatever this run itself did since.
  if (planned === undefined || knownCloudJobIds.includes(planned)) return null;
  // Nothing is sent anyway if the desired state holds. A restart is sent all the same.
  if (ruleOf(action).kind === 'state' && desiredStateHolds(action, seen)) return null;
  return `its newest cloud job is ${lastJobId ?? 'none'}, not ${planned} as when it was planned: somebody has acted on it since`;
}
