/** A reported step beside what the simulator knows of it, and whether its doubt is justified. */
import type { StepReport } from '../../src/domain/report/report.js';
import type { AcceptedAction } from '../support/simulator.js';
import { foreignTo, type Scheduling, type SceneRecord, type TrackedDecision } from './decisions.js';
import { CLOCK_MS } from './disturbances.js';
import type { HolderEvidence } from './evidence.js';
import { isDesired } from './instance-states.js';

/** A step of a report beside what the simulator knows of it. */
export interface StepInScene {
  readonly step: StepReport;
  readonly holder: HolderEvidence;
  readonly record: SceneRecord;
  readonly decision: TrackedDecision;
  readonly scheduling: Scheduling;
  /** The decision, and those before it about the same step. */
  readonly all: readonly TrackedDecision[];
  readonly posts: readonly AcceptedAction[];
}

/** Its own cloud job that the report names. */
export function followed({ step, posts }: StepInScene): AcceptedAction | undefined {
  return posts.find(({ cloudJobId }) => cloudJobId === step.cloudJobId);
}

/** Foreign cloud jobs in flight together with this one, so that the result is not its work alone. */
export function meanwhile(post: AcceptedAction, { holder, record }: StepInScene): readonly AcceptedAction[] {
  const endedAtMs = post.endedAtMs ?? Number.POSITIVE_INFINITY;
  return foreignTo(holder, record).filter(
    (job) => job.atMs <= endedAtMs && (job.endedAtMs ?? Number.POSITIVE_INFINITY) >= post.atMs,
  );
}

/**
 * Doubt is also justified if its own cloud job had not ended or showed too late, or if a foreign one was in flight: settling times out,
 * whatever chaos did. So it is if the step was decided before a reset of its workflow: then no attempt is proven unsent, however long ago the
 * reset was.
 */
export function hasReasonForDoubt({ scheduling, all, step, holder, record }: StepInScene): boolean {
  // What an earlier decision about the step left open stays open.
  const decision =
    all[0]?.schedulings.find((candidate) => candidate.holder === holder)?.decision ?? scheduling.decision;
  const lostAttempt = all.some(({ schedulings }) => schedulings.some((one) => one.decision.lostAttempt === true));
  const { disturbances, ours, byConsole } = record;
  const isForeignInFlight = byConsole.some(
    ({ atMs, endedAtMs }) =>
      atMs <= step.endedAtMs && (endedAtMs ?? Number.POSITIVE_INFINITY) >= decision.scheduledAtMs,
  );
  const isInFlight = ours.some(
    ({ cloudJobId, endedAtMs }) =>
      cloudJobId === step.cloudJobId && (endedAtMs ?? Number.POSITIVE_INFINITY) > step.endedAtMs - CLOCK_MS,
  );
  const isLate = ours.some(
    (post) =>
      disturbances.areBeyondTheWindow(post) &&
      post.atMs <= step.endedAtMs &&
      post.visibleAtMs >= decision.scheduledAtMs,
  );
  const isDecidedBeforeReset =
    holder.originalRunId !== holder.runId && decision.request.decidedInRunId !== holder.runId;
  if (isDecidedBeforeReset || lostAttempt || isInFlight || isForeignInFlight || isLate) return true;
  // Lost attempts are covered above; a step without any reported attempt counts 0.
  return disturbances.makeDoubt(decision.scheduledAtMs, step.endedAtMs, step.attempts === all.length);
}

/**
 * True if it had ended as desired, showed as the newest and was not older than the step, and the API was readable for long enough after that:
 * a whole visibility window for quiet readings, and a few readings to judge, follow and verify.
 */
export function couldBeAdopted(post: AcceptedAction, inScene: StepInScene): boolean {
  const { step, scheduling, record } = inScene;
  const { action } = scheduling.decision.request;
  const { visibilityWindowMs, quietMs, readTimeoutMs, clockSkewMs } = record.limits;
  if (post.executionStatus !== 'SUCCEEDED' || post.after === null || !isDesired(action, post.after)) return false;
  if (post.atMs < scheduling.decision.scheduledAtMs - clockSkewMs || record.disturbances.areBeyondTheWindow(post))
    return false;
  const laterOnes = record.scene.accepted.filter(({ atMs }) => atMs > post.atMs && atMs <= step.endedAtMs);
  const peaceMs = visibilityWindowMs + 4 * quietMs + 4 * readTimeoutMs;
  const fromMs = Math.max(post.visibleAtMs, post.endedAtMs ?? Number.POSITIVE_INFINITY);
  return (
    laterOnes.length === 0 &&
    meanwhile(post, inScene).length === 0 &&
    fromMs + peaceMs <= step.endedAtMs &&
    record.disturbances.leaveTheApiReadable(step.endedAtMs - peaceMs, step.endedAtMs)
  );
}
