/** Known: a run that succeeded saw the state that its last cloud job led to hold for as long as its plan demands. */
import type { ActionStep, PlannedStep } from '../../src/domain/plan/plan.js';
import type { HolderRecord } from './ground-truth.js';
import { plannedSteps } from './planned-steps.js';
import { reportedSteps } from './reported.js';
import type { World } from './world.js';

/** Describes each run that ended before the state could have been seen to hold, one sentence each. */
export function notHeldThings(world: World): readonly string[] {
  return world.truth.holders.flatMap((holder) => notHeldBy(holder, world));
}

function notHeldBy(holder: HolderRecord, world: World): readonly string[] {
  const { report, plan, runId } = holder;
  if (report?.outcome !== 'succeeded') return [];
  const last = report.steps.at(-1);
  if (last?.notHeld === true) return [`${runId} succeeded, and reports that its state was not held`];
  const steps = reportedSteps(world, holder);
  const sentBy = steps.findLastIndex(({ step, named }) => step.sent === 'yes' && named?.post?.holder === holder);
  const endsAtMs = steps[sentBy]?.named?.endsAtMs;
  if (last === undefined || endsAtMs === undefined) return [];
  const heldForMs = last.endedAtMs - endsAtMs;
  const sentById = steps[sentBy]?.step.id;
  const planned = plannedSteps(plan, 0);
  const demandedMs = demandedAfter(planned.slice(planned.findIndex(({ id }) => id === sentById)));
  return heldForMs < demandedMs - world.scenario.temporal.clockSkewMs
    ? [
        `${runId} succeeded ${heldForMs} ms after the end of its last cloud job, and its state must hold for ${demandedMs} ms`,
      ]
    : [];
}

/** What the first step demands whose state has to hold. The steps after the one that was sent were skipped. */
function demandedAfter(steps: readonly PlannedStep[]): number {
  const first = steps.find((step): step is ActionStep => step.kind === 'action' && step.holds !== false);
  return first?.verify.stableMs ?? 0;
}
