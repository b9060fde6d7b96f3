/** Undone: what a run changed and could take back is as before, or its report gives the reason; and no foreign work is undone. */
import { ANSWERABLE, differences, isMoving, isDesired, type Dimension } from '../chaos/instance-states.js';
import type { StepReport } from '../../src/domain/report/report.js';
import type { InstanceState } from '../../src/simulator/effects.js';
import type { HolderRecord, Job } from './ground-truth.js';
import { describe, hasFailed } from './cloud.js';
import { describeJob } from './once.js';
import { hasAsides, plannedSteps } from './planned-steps.js';
import { claimsForeign, foreignBetween, jobsOf, othersBetween, reportedSteps } from './reported.js';
import type { World } from './world.js';

const UNDO_MAY_BE_OWED: readonly string[] = ['compensated', 'cancelled', 'failed', 'compensationFailed'];

/** Describes each change that was neither taken back nor reported, one sentence each. */
export function notUndoneThings(world: World): readonly string[] {
  return world.truth.holders.flatMap((holder) => [
    ...differencesLeft(holder, world),
    ...oldestFirst(holder),
    ...failedForNothing(holder, world),
    ...undoneOverAnother(holder, world),
  ]);
}

function differencesLeft(holder: HolderRecord, world: World): readonly string[] {
  const { report, runId, closedAtMs, leftAs } = holder;
  if (report === null || closedAtMs === null || leftAs === null) return [];
  if (!UNDO_MAY_BE_OWED.includes(report.outcome) || !undoWasAsked(holder)) return [];
  const jobs = jobsOf(holder, world).filter(({ acceptedAtMs }) => acceptedAtMs >= (report.captured?.observedAtMs ?? 0));
  const [first] = jobs;
  if (first === undefined || jobs.some(({ post }) => post?.decision.isMisheard === true)) return [];
  if (isMoving(first.before) || couldNotBeSeen(holder, world) || claimsForeign(holder, world)) return [];
  // The run waits for a cloud job that its first reading shows, so what that one does comes before.
  const shown = world.truth.jobs.filter(({ id }) => id === report.captured?.lastJobId);
  if (
    othersBetween(world, [...shown, ...jobs], report.captured?.observedAtMs ?? first.acceptedAtMs, closedAtMs) ||
    world.cloud.state.status === 'DELETED'
  )
    return [];
  return differences(first.before, leftAs)
    .filter((dimension) => isAnswerable(dimension, leftAs, jobs) && !isReported(dimension, holder))
    .map(
      (dimension) =>
        `${runId} ended ${report.outcome} with another ${dimension} and does not report it: ${describe(first.before)} → ${describe(leftAs)}`,
    );
}

/** True if a reading that the run relied on did not show what had happened before it. */
function couldNotBeSeen({ report }: HolderRecord, { cloud }: World): boolean {
  const steps = [...(report?.steps ?? []), ...(report?.compensations ?? [])];
  const readings = [report?.captured, ...steps.flatMap(({ before, after }) => [before, after])];
  return readings.some((reading) => reading != null && cloud.isLagging(reading.observedAtMs));
}

/** True if the failed step, or the cancel, asked for an undo. If both happened, both must ask. */
function undoWasAsked(holder: HolderRecord): boolean {
  const { plan, cancelRequestedAtMs } = holder;
  const decisive = decisiveStep(holder);
  const planned = plannedSteps(plan, 0).find(({ id }) => id === decisive?.id);
  const isAsked = planned !== undefined && planned.kind !== 'wait' && planned.onFailure === 'compensate';
  const byFailure = decisive?.result === 'failed' && isAsked;
  const byCancel = plan.onCancel === 'compensate';
  if (cancelRequestedAtMs === null) return byFailure;
  return decisive?.result === 'failed' ? byFailure && byCancel : byCancel;
}

/** The last step; after a reset the approval or the check that holds back what comes after it. */
function decisiveStep({ report, plan }: HolderRecord): StepReport | undefined {
  const steps = report?.steps ?? [];
  if (!hasAsides(plan)) return steps.at(-1);
  const stops = plannedSteps(plan, 0).filter((step) => step.kind === 'approval' || step.kind === 'check');
  const isStop = ({ id }: StepReport) => stops.some((step) => step.id === id && step.onFailure !== 'continue');
  return steps.find((step) => step.result === 'failed' && isStop(step)) ?? steps.at(-1);
}

/**
 * A restart, a scale or a rollback that leaves the instance FAILED changed nothing that can be taken back; a start or a stop did. A switch
 * that began in a status which counts as neither is not taken back: no action leads to such a status.
 */
function isAnswerable(dimension: Dimension, { status }: InstanceState, jobs: readonly Job[]): boolean {
  if (dimension !== 'power') return true;
  if (isSwitched(status))
    return jobs.some(({ action, before }) => ANSWERABLE.power.includes(action.action) && isSwitched(before.status));
  return jobs.some(
    ({ action, before, after }) =>
      ANSWERABLE.power.includes(action.action) && after !== null && differences(before, after).includes('power'),
  );
}

function isSwitched(status: string): boolean {
  return status === 'RUNNING' || status === 'STOPPED';
}

/** `compensated` means that nothing remains. */
function isReported(dimension: Dimension, { report }: HolderRecord): boolean {
  if (report === null || report.outcome === 'compensated') return false;
  return report.remaining.some(({ action }) => ANSWERABLE[dimension].includes(action.action));
}

/** The newest effect is taken back first: an older one may need the state that it was made in. */
function oldestFirst({ decisions, runId }: HolderRecord): readonly string[] {
  const undos = decisions.filter(({ stepId }) => stepId.startsWith('undo-')).map(({ stepId }) => stepId);
  const isOrdered = undos.every((undo, index) => index === 0 || undo < (undos[index - 1] ?? undo));
  return isOrdered ? [] : [`${runId} undoes ${undos.join(' before ')}`];
}

/** If a foreign cloud job had shown before an undo was sent, the instance is as somebody else wants it and must stay so. */
function undoneOverAnother(holder: HolderRecord, world: World): readonly string[] {
  if (claimsForeign(holder, world)) return [];
  const undos = holder.decisions.filter(({ stepId }) => stepId.startsWith('undo-'));
  return undos.flatMap(({ posts, before }) =>
    posts.flatMap(({ readAtMs, attempt }) => {
      const { lastJobId } = world.cloud.reading(readAtMs);
      const newest = world.truth.jobs.find(({ id }) => id === lastJobId);
      return newest === undefined || newest.post !== null || before.knownCloudJobIds.includes(newest.id)
        ? []
        : [`${attempt.name} was sent although ${describeJob(newest)} had shown`];
    }),
  );
}

/** An undo is shielded from cancels, and does not fail unless something explains the failure. */
function failedForNothing(holder: HolderRecord, world: World): readonly string[] {
  const undos = holder.report?.compensations ?? [];
  return undos.flatMap((undo, index) => {
    if (undo.result === 'cancelled') return [`${holder.runId}: ${undo.id} was cancelled`];
    if (undo.result !== 'failed' || hasCause(undo, holder, world)) return [];
    // After an undo that failed, the instance is not in the state that the next one needs.
    const isFirst = undos.slice(0, index).every(({ result }) => result === 'succeeded' || result === 'skipped');
    return isFirst ? [`${holder.runId}: ${undo.id} failed (${undo.failure?.name}), though nothing explains it`] : [];
  });
}

/** A cloud job of ours that failed, a foreign one, a fault, or an attempt that was disrupted. */
function hasCause({ startedAtMs, endedAtMs, id }: StepReport, holder: HolderRecord, world: World): boolean {
  const { scenario, cloud } = world;
  const wentWrong = jobsOf(holder, world).some(
    (job) =>
      job.acceptedAtMs <= endedAtMs &&
      (hasFailed(job.endStatus) || job.after === null || !isDesired(job.action, job.after)),
  );
  const isDoubtful = reportedSteps(world, holder).some(
    ({ step, decision }) => step.id === id && (decision?.doubts.size ?? 0) > 0,
  );
  // A heartbeat that takes longer than the send lease does not count.
  const isFaulty = scenario.faults.some(
    ({ site, what }) => what.kind !== 'slow' || site === 'heartbeat' || site === 'ask',
  );
  // An effect that is declared to stay may be a state in which the undo of an older step is refused.
  const leavesEffects = holder.report?.remaining.some(({ kind }) => kind !== 'notUndone') === true;
  return (
    wentWrong ||
    isDoubtful ||
    leavesEffects ||
    isFaulty ||
    cloud.state.status === 'DELETED' ||
    foreignBetween(world, holder.startedAtMs, Math.max(startedAtMs, endedAtMs)).length > 0
  );
}
