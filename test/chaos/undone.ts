/** Undone: what a run changed and could take back is as before, or its report gives the reason; and no foreign work is undone. */
import type { StepReport } from '../../src/domain/report/report.js';
import type { AcceptedAction, InstanceState } from '../support/simulator.js';
import { describePost, foreignTo, holderOf, postsOf, type SceneRecord, type TrackedDecision } from './decisions.js';
import { CLOCK_MS } from './disturbances.js';
import type { HolderEvidence } from './evidence.js';
import { ANSWERABLE, differences, hasFailed, isMoving, isDesired, type Dimension } from './instance-states.js';

const UNDO_MAY_BE_OWED = ['compensated', 'cancelled', 'failed', 'compensationFailed'];

export function notUndoneThings(record: SceneRecord): readonly string[] {
  return [
    ...record.scene.holders.flatMap((holder) => [
      ...differencesLeft(holder, record),
      ...oldestFirst(holder),
      ...cutByTheRun(holder),
      ...failedForNothing(holder, record),
    ]),
    ...overwritten(record),
  ];
}

function differencesLeft(holder: HolderEvidence, record: SceneRecord): readonly string[] {
  const { report, runId } = holder;
  if (report === null || !UNDO_MAY_BE_OWED.includes(report.outcome) || !undoWasAsked(holder)) return [];
  const posts = postsAfterCapture(holder, record);
  const [first, last] = [posts[0], posts.at(-1)];
  if (first === undefined || last?.after === undefined || last.after === null) return [];
  if (isNotOurWorkAlone(holder, first, record)) return [];
  const before = isMoving(first.before) ? stateBefore(first, record) : first.before;
  return differences(before, last.after)
    .filter(
      (dimension) =>
        isAnswerable(dimension, last, posts) &&
        !isReported(dimension, holder) &&
        !isUndoneAsDeclared(dimension, holder),
    )
    .map(
      (dimension) =>
        `holder ${runId} ended ${report.outcome} with another ${dimension} and does not report it: ${shown(before)} → ${shown(last.after)}`,
    );
}

/** A reset to before the first reading captures the state again; what was sent before that belongs to another decision. */
function postsAfterCapture(holder: HolderEvidence, record: SceneRecord): readonly AcceptedAction[] {
  const capturedAtMs = holder.report?.captured?.observedAtMs ?? 0;
  return postsOf(holder, record).filter(({ atMs }) => atMs >= capturedAtMs - CLOCK_MS);
}

/** True if the failed step, or the cancel, asked for an undo. If both came at the same moment, both must ask. */
function undoWasAsked({ report, run, cancelRequestedAtMs }: HolderEvidence): boolean {
  const last = report?.steps.at(-1);
  const planned = run.targetPlan.steps.find(({ id }) => id === last?.id);
  const onFailure = planned !== undefined && 'onFailure' in planned ? planned.onFailure : 'compensate';
  // A step that waited for an operator in vain is undone.
  const byFailure = last?.result === 'failed' && (onFailure === 'compensate' || onFailure === 'pause');
  if (cancelRequestedAtMs === null) return byFailure;
  const byCancel = run.onCancel === 'compensate';
  if (last?.result !== 'failed' || cancelRequestedAtMs < last.endedAtMs - CLOCK_MS) return byCancel;
  return cancelRequestedAtMs > last.endedAtMs + CLOCK_MS ? byFailure : byFailure && byCancel;
}

/** A foreign cloud job ran with ours or came after them, or one of ours showed too late to be seen. */
function isNotOurWorkAlone(holder: HolderEvidence, first: AcceptedAction, record: SceneRecord): boolean {
  const closedAtMs = holder.closedAtMs ?? Number.POSITIVE_INFINITY;
  return (
    foreignTo(holder, record).some(
      ({ atMs, endedAtMs }) => atMs <= closedAtMs && (endedAtMs ?? Number.POSITIVE_INFINITY) >= first.atMs,
    ) || postsOf(holder, record).some((post) => record.disturbances.areBeyondTheWindow(post))
  );
}

/** Accepted while another cloud job changed the instance: compared with the state before that one ended. */
function stateBefore({ atMs }: AcceptedAction, { scene }: SceneRecord): InstanceState {
  const ended = scene.accepted.filter(({ endedAtMs }) => endedAtMs !== null && endedAtMs <= atMs);
  return ended.at(-1)?.after ?? scene.initial;
}

/** A restart or a scale that leaves the instance FAILED changed nothing that can be taken back. */
function isAnswerable(dimension: Dimension, last: AcceptedAction, posts: readonly AcceptedAction[]): boolean {
  const isSwitched = last.after?.status === 'RUNNING' || last.after?.status === 'STOPPED';
  if (dimension !== 'power' || isSwitched) return true;
  return posts.some(({ action }) => ANSWERABLE.power.includes(action));
}

/** A runbook can declare what its step is undone to, which need not be the state before. */
function isUndoneAsDeclared(dimension: Dimension, { run }: HolderEvidence): boolean {
  return run.targetPlan.steps.some(
    (step) =>
      step.kind === 'action' &&
      step.compensation.kind === 'action' &&
      ANSWERABLE[dimension].includes(step.compensation.action.action),
  );
}

/** `compensated` means that nothing remains. */
function isReported(dimension: Dimension, { report }: HolderEvidence): boolean {
  if (report === null || report.outcome === 'compensated') return false;
  return report.remaining.some(({ action }) => ANSWERABLE[dimension].includes(action.action));
}

function overwritten(record: SceneRecord): readonly string[] {
  return record.ours.flatMap((post) => {
    const decision = record.decisionOf.get(post.cloudJobId);
    if (decision === undefined || !isUndo(decision)) return [];
    return unseenForeignJobs(post, decision, record).map(
      (foreign) => `${describePost(post)} undoes over ${describePost(foreign)}, which had long shown`,
    );
  });
}

/** The workflow's name for the undo of a step. */
const UNDO = 'undo-';

/** The newest effect is taken back first: an older one may need the state that it was made in. */
function oldestFirst({ run, decisions, runId }: HolderEvidence): readonly string[] {
  const order = run.targetPlan.steps.map(({ id }) => `${UNDO}${id}`);
  const undos = decisions.map(({ request }) => request.stepId).filter((stepId) => order.includes(stepId));
  return undos.slice(1).flatMap((undo, index) => {
    const before = undos[index] ?? undo;
    return order.indexOf(undo) > order.indexOf(before) ? [`holder ${runId} sent ${before} before ${undo}`] : [];
  });
}

/** An undo has a deadline of its own, at least its step's, and the run's deadline does not cut it. */
function cutByTheRun(holder: HolderEvidence): readonly string[] {
  const { report, run, decisions, runId } = holder;
  return (report?.compensations ?? []).flatMap(({ id, startedAtMs }) => {
    const request = decisions.findLast((decision) => decision.request.stepId === id)?.request;
    if (request === undefined) return [`holder ${runId} reports ${id} and never decided it`];
    const undone = run.targetPlan.steps.find((step) => `${UNDO}${step.id}` === id);
    const ownMs = undone?.kind === 'action' ? undone.deadlineMs : 0;
    const { deadlineAtMs } = request;
    return deadlineAtMs >= startedAtMs + ownMs && deadlineAtMs !== run.deadlineAtMs
      ? []
      : [`holder ${runId} gave ${id} ${deadlineAtMs - startedAtMs} ms: the deadline of the run cut it`];
  });
}

/** An undo is shielded from cancels, and does not fail unless something explains the failure. */
function failedForNothing(holder: HolderEvidence, record: SceneRecord): readonly string[] {
  const undos = holder.report?.compensations ?? [];
  return undos.flatMap((undo, index) => {
    const { id, result, failure } = undo;
    if (result === 'cancelled') return [`holder ${holder.runId}: ${id} was cancelled`];
    if (result !== 'failed' || hasCause(undo, holder, record)) return [];
    // After an undo that failed, the instance is not in the state that the next one needs.
    const isFirst = undos
      .slice(0, index)
      .every((earlier) => earlier.result === 'succeeded' || earlier.result === 'skipped');
    return isFirst
      ? [`holder ${holder.runId}: ${id} failed (${failure?.name}), though nothing happened that explains it`]
      : [];
  });
}

/** A cloud job of ours that failed or showed too late, a foreign one, or a disturbance. */
function hasCause({ startedAtMs, endedAtMs }: StepReport, holder: HolderEvidence, record: SceneRecord): boolean {
  const { disturbances, decisionOf } = record;
  const wentWrong = postsOf(holder, record).some((post) => {
    const action = decisionOf.get(post.cloudJobId)?.schedulings[0].decision.request.action;
    const isAsDesired = action !== undefined && post.after !== null && isDesired(action, post.after);
    return (
      post.atMs <= endedAtMs &&
      (hasFailed(post.executionStatus) || !isAsDesired || disturbances.areBeyondTheWindow(post))
    );
  });
  const byOthers = foreignTo(holder, record).some(
    (job) => job.atMs <= endedAtMs && (job.endedAtMs ?? Number.POSITIVE_INFINITY) >= holder.startedAtMs,
  );
  return wentWrong || byOthers || disturbances.mayFailAnUndo(startedAtMs, endedAtMs);
}

export function isUndo({ stepId, schedulings: [{ holder }] }: TrackedDecision): boolean {
  return holder.run.targetPlan.steps.every(({ id }) => id !== stepId);
}

/**
 * Foreign cloud jobs newer than the decision's baseline that had shown well before it was sent. The baseline that an undo claims is not
 * trusted: it has to be the newest cloud job of its own run or, if there is none, the baseline of its first decision.
 */
export function unseenForeignJobs(
  post: AcceptedAction,
  decision: TrackedDecision,
  record: SceneRecord,
): readonly AcceptedAction[] {
  const holder = holderOf(post, decision);
  const scheduling = decision.schedulings.find((candidate) => candidate.holder === holder) ?? decision.schedulings[0];
  const claimed = scheduling.decision.request.before;
  const known = isUndo(decision) ? (holder.decisions[0]?.request.before ?? claimed) : claimed;
  const { lastJobId, knownCloudJobIds } = known;
  const followed = isUndo(decision) ? postsOf(holder, record).findLast(({ atMs }) => atMs < post.atMs) : undefined;
  const baseline = followed ?? record.scene.accepted.find(({ cloudJobId }) => cloudJobId === lastJobId);
  return foreignTo(holder, record).filter(
    (job) =>
      !knownCloudJobIds.includes(job.cloudJobId) &&
      job.atMs > (baseline?.atMs ?? Number.NEGATIVE_INFINITY) &&
      job.atMs < post.atMs &&
      job.visibleAtMs + oldestReadingMs(post, record) < post.atMs,
  );
}

/**
 * How old the reading before a POST may be when it is accepted: its answer may take a read timeout, the POST a POST timeout, and there is no
 * wait in between. Whatever delays a POST, or freezes its sender before it, adds what the fence lets through.
 */
export function oldestReadingMs({ atMs }: AcceptedAction, { limits, disturbances }: SceneRecord): number {
  const { readTimeoutMs, postTimeoutMs, heartbeatTimeoutMs, visibilityWindowMs } = limits;
  const usualMs = readTimeoutMs + postTimeoutMs + CLOCK_MS;
  return disturbances.delayAPost(atMs, atMs) ? usualMs + heartbeatTimeoutMs + visibilityWindowMs : usualMs;
}

function shown(state: InstanceState | null): string {
  return state === null ? '?' : `${state.status} ${state.availableReplica}/${state.replica} ${state.version}`;
}
