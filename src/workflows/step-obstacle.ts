/** Why a step is not begun: its gate has closed, its time is over, or what its plan counts on was changed since. */
import { describeAction, desiredStateHolds } from '../domain/target/actions.js';
import type { Baseline } from '../domain/contract.js';
import type { FailureName } from '../domain/failures.js';
import type { Closing } from '../domain/gates/gates.js';
import type { ActionStep } from '../domain/plan/plan.js';
import { describeObservation } from '../domain/target/target.js';

/** Epoch milliseconds. */
export interface StepTimes {
  /**
   * The time by which it is decided whether the step is begun. From history, and not the clock's: where a query brings a workflow back, the clock can
   * be behind for a while (docs/decisions/0026), and a replay would decide otherwise. A deadline that passes meanwhile is kept by the step's activity.
   */
  readonly nowMs: number;
  readonly deadlineAtMs: number;
  /** Only until a first action was sent on the target. */
  readonly closing?: Closing | undefined;
}

export interface Obstacle {
  readonly name: FailureName;
  readonly message: string;
}

/** `null`: it may begin. Pure. */
export function obstacleTo(
  step: ActionStep,
  baseline: Baseline,
  { nowMs, deadlineAtMs, closing }: StepTimes,
): Obstacle | null {
  if (closing !== undefined && nowMs >= closing.atMs) return { name: closing.failure, message: closing.why };
  if (nowMs >= deadlineAtMs)
    return { name: 'DeadlinePassed', message: 'The deadline of the run passed before this step' };
  const { action, expects } = step;
  const change = changeSincePlan(step, baseline);
  if (expects === undefined || change === null) return null;
  const message = `${describeAction(action)} was not sent: ${expects.why}, and now ${change}`;
  return { name: 'TargetChanged', message };
}

function changeSincePlan({ action, expects }: ActionStep, baseline: Baseline): string | null {
  const { observation: seen, lastJobId, knownCloudJobIds } = baseline;
  if (expects === undefined) return null;
  if (!expects.replicaCounts.some((count) => count === seen.replicaCount))
    return `${describeObservation(seen)} is seen: somebody changed the count since`;
  const { lastJobId: planned } = expects;
  // The first reading stays known, whatever this run itself did since. Where the desired state holds, nothing is sent anyway.
  if (planned === undefined || knownCloudJobIds.includes(planned) || desiredStateHolds(action, seen)) return null;
  return `its newest cloud job is ${lastJobId ?? 'none'}, which was ${planned} when it was planned: somebody may have changed the count and back`;
}
