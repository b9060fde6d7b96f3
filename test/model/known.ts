/** Known: every report agrees, step by step, with what the cloud accepted. */
import { ruleOf } from '../../src/domain/target/actions.js';
import { failureRecord, type FailureName } from '../../src/domain/failures.js';
import { isGateFailure } from '../../src/domain/gates/gates.js';
import type { TargetReport } from '../../src/domain/report/report.js';
import { allowedOutcomes } from '../chaos/outcomes.js';
import { isDesired } from '../chaos/instance-states.js';
import type { HolderRecord, Job } from './ground-truth.js';
import { hasFailed } from './cloud.js';
import { NOT_IN_TIME } from './execution.js';
import { acceptedFor, describeJob } from './once.js';
import { AGAIN } from './operator-flow.js';
import { claimsForeign, foreignBetween, jobsOf, reportedSteps, type ReportedStep } from './reported.js';
import type { World } from './world.js';

/** Describes each report that is wrong, one sentence each. */
export function unknownThings(world: World): readonly string[] {
  const { holders } = world.truth;
  return [
    ...holders.flatMap((holder) => [
      ...reportedSteps(world, holder).flatMap((reported) =>
        CHECKS.flatMap((check) => check(reported).map((what) => `${holder.runId} ${reported.step.id}: ${what}`)),
      ),
      ...outcomeProblem(holder),
      ...leftInFlight(holder, world),
    ]),
    ...claimedTwice(world),
  ];
}

/** What a report with retried steps can be checked for: the names of retried decisions are not those of their steps. */
export function unknownDespiteDecisions(world: World): readonly string[] {
  return world.truth.holders.flatMap((holder) => [
    ...sentUnreported(holder),
    ...failedUnclearly(holder),
    ...outcomeProblem(holder),
    ...leftInFlight(holder, world),
  ]);
}

function sentUnreported({ report, decisions, runId }: HolderRecord): readonly string[] {
  const silent = (report?.steps ?? []).filter(({ sent }) => sent === 'no');
  return silent.flatMap(({ id }) =>
    decisions
      .filter(({ stepId, isMisheard }) => !isMisheard && (stepId === id || stepId.startsWith(`${id}${AGAIN}`)))
      .flatMap((decision) => acceptedFor(decision))
      .map((job) => `${runId} ${id}: reports that nothing was sent, but ${describeJob(job)}`),
  );
}

/** A retry that sent nothing answers nothing about the send before it. */
function failedUnclearly({ report, runId }: HolderRecord): readonly string[] {
  return (report?.steps ?? [])
    .filter(({ result, sent, decisions = [] }) => result === 'failed' && sent === 'unknown' && decisions.length > 0)
    .map(({ id }) => `${runId} ${id}: failed, while it is not known what was sent for it before the retry`);
}

const CHECKS: readonly ((reported: ReportedStep) => readonly string[])[] = [
  notSentProblems,
  sentProblems,
  restartProblems,
  trailProblems,
  resultProblems,
  failureProblems,
  unknownProblems,
  indeterminateProblems,
];

function notSentProblems({ step, accepted, decision }: ReportedStep): readonly string[] {
  const [job] = accepted;
  // Attempt numbers repeat after a reset (docs/guarantees.md).
  if (decision?.isMisheard === true) return [];
  return step.sent === 'no' && job !== undefined ? [`reports that nothing was sent, but ${describeJob(job)}`] : [];
}

function sentProblems({ step, named, decision, holder, world }: ReportedStep): readonly string[] {
  const { sent, cloudJobId, action } = step;
  if (cloudJobId === null) return sent === 'yes' ? ['reports that it was sent, but names no cloud job'] : [];
  if (sent !== 'yes') return [`names ${cloudJobId} but reports sent: ${sent}`];
  if (named === null) return [`names ${cloudJobId}, which was never accepted`];
  if (named.post?.decision === decision) return [];
  // Cloud jobs do not show their parameters, so after a reset the job of a later decision may be adopted (docs/guarantees.md).
  if (named.post !== null && named.post.holder !== holder && named.post.holder.chainId === holder.chainId) return [];
  // If our user id is not known, a foreign cloud job may be adopted for an action that names an end state (docs/guarantees.md).
  const isAllowed =
    named.post === null && !world.scenario.cloud.ownUserKnown && action !== null && ruleOf(action).kind === 'state';
  return isAllowed ? [] : [`adopted ${describeJob(named)}`];
}

/** A restart names no state that could hold already, and only a cloud job of our own user proves a restart that was found later. */
function restartProblems({ step, accepted, named }: ReportedStep): readonly string[] {
  const { action, result, evidence } = step;
  if (action?.action !== 'restart') return [];
  return [
    ...(result === 'skipped' ? ['reports skipped, which a restart never is'] : []),
    ...(result === 'succeeded' && accepted.length === 0 && named?.action.action !== 'restart'
      ? ['reports succeeded, but no restart was accepted for it']
      : []),
    ...(evidence === undefined || evidence.createdByUs
      ? []
      : ['adopted a restart without knowing that we asked for it']),
  ];
}

/** Once it is known which cloud job was accepted, no reading has to find it. */
function trailProblems({ step: { trail, cloudJobId } }: ReportedStep): readonly string[] {
  const begin = trail.findIndex(({ decision }) => decision === 'accepted');
  if (begin < 0) return [];
  const acceptedId = trail.findLast(({ decision }) => decision === 'accepted')?.note;
  return [
    ...(trail.slice(begin).some(({ decision }) => decision === 'adopted')
      ? [`knew ${acceptedId} and adopted after that`]
      : []),
    ...(cloudJobId === acceptedId ? [] : [`knew ${acceptedId} and names ${cloudJobId ?? 'no cloud job'}`]),
  ];
}

function resultProblems({ step, named, holder, world }: ReportedStep): readonly string[] {
  if (step.result !== 'succeeded' || named === null || step.action === null) return [];
  if (named.endStatus !== 'SUCCEEDED' || named.endsAtMs > step.endedAtMs)
    return [
      `reports succeeded, but ${describeJob(named)} is ${named.endsAtMs > step.endedAtMs ? 'in flight' : named.endStatus}`,
    ];
  const isUnverified = holder.cancelRequestedAtMs !== null && holder.plan.onCancel === 'leave';
  const readAtMs = step.after?.observedAtMs ?? step.endedAtMs;
  // A change that the instance shows only after it held the desired state cannot be seen.
  if (isUnverified || world.cloud.isLagging(readAtMs) || named.after === null) return [];
  const { jobs } = world.truth;
  const isAlone =
    !isNotItsWorkAlone(named, world) &&
    jobs.every((job) => job === named || job.acceptedAtMs <= named.acceptedAtMs || job.acceptedAtMs > readAtMs);
  // Another cloud job may have led to the desired state, and that is what was seen.
  const left = isAlone ? named.after : world.cloud.stateAt(readAtMs);
  return isDesired(step.action, left) ? [] : [`reports succeeded, but ${describeJob(named)} left ${left.status}`];
}

/** True if another cloud job ran at the same time, or the instance was deleted meanwhile. */
function isNotItsWorkAlone(job: Job, world: World): boolean {
  const { jobs } = world.truth;
  const isBeside = (other: Job) =>
    other !== job && other.acceptedAtMs <= job.endsAtMs && other.endsAtMs >= job.acceptedAtMs;
  return jobs.some(isBeside) || world.cloud.state.status === 'DELETED';
}

function failureProblems(reported: ReportedStep): readonly string[] {
  const { step, named } = reported;
  const name = step.failure?.name;
  if (name === 'TargetChanged')
    return somebodyElseActed(reported) ? [] : ['reports TargetChanged, but no one else had acted'];
  if (name !== 'CloudJobFailed' && name !== 'NotConverged') return [];
  if (named === null) return [`reports ${name}, but names no cloud job of its own`];
  const isSo = name === 'CloudJobFailed' ? hasFailed(named.endStatus) : named.endStatus === 'SUCCEEDED';
  return isSo ? [] : [`reports ${name}, but ${describeJob(named)} ends ${named.endStatus}`];
}

/** True if a foreign cloud job had shown before the step ended, or if the run adopted one. */
function somebodyElseActed({ step, decision, holder, world }: ReportedStep): boolean {
  const known = decision === null ? [] : [...decision.before.knownCloudJobIds, decision.before.lastJobId];
  // A resumed run expects what it was planned with: a twin may have acted, or itself before it was reset.
  const isForeign = ({ post }: Job) => post === null || (holder.plan.resumes !== undefined && post.holder !== holder);
  const hasShown = (job: Job) => isForeign(job) && job.idShownAtMs <= step.endedAtMs && !known.includes(job.id);
  return world.truth.jobs.some(hasShown) || claimsForeign(holder, world);
}

function unknownProblems({ step, decision }: ReportedStep): readonly string[] {
  if (step.sent !== 'unknown' || step.result === 'indeterminate') return [];
  return decision === null || decision.doubts.size > 0
    ? []
    : [`reports ${step.result} and sent: unknown, though nothing leaves it unknown`];
}

function indeterminateProblems(reported: ReportedStep): readonly string[] {
  const { step, accepted } = reported;
  if (step.result !== 'indeterminate') return [];
  if (!hasReasonForDoubt(reported)) return ['indeterminate, though nothing happened that leaves the result open'];
  const job = accepted.find((candidate) => couldBeAdopted(candidate, reported));
  if (job !== undefined) return [`indeterminate though ${describeJob(job)} could be adopted`];
  const early = accepted.find((candidate) => isGivenUpEarly(candidate, reported));
  return early === undefined ? [] : [`indeterminate before ${describeJob(early)} had to show its tasks`];
}

/**
 * True if the cloud job had shown without its tasks and could still show them: once nothing that was sent can appear any more, it has one more
 * visibility window for that.
 */
function isGivenUpEarly(job: Job, { decision, world }: ReportedStep): boolean {
  const { visibilityWindowMs, postTimeoutMs, quietMs, readTimeoutMs } = world.scenario.limits;
  const { failedReadings } = world.truth;
  if (decision === null || job.post === null || decision.doubts.has(NOT_IN_TIME)) return false;
  if (job.createdBy === null || !world.scenario.cloud.ownUserKnown) return false;
  const { closedAtMs } = decision;
  const shownAtMs = Math.max(job.idShownAtMs, job.knownAtMs);
  const isInPeace = failedReadings.every((atMs) => atMs < shownAtMs || atMs > closedAtMs);
  const isSeen = shownAtMs + 2 * quietMs + 2 * readTimeoutMs < closedAtMs;
  const dueAtMs = job.post.sentAtMs + postTimeoutMs + 2 * visibilityWindowMs;
  return (
    isNewestUntil(closedAtMs, job, world) &&
    isInPeace &&
    isSeen &&
    closedAtMs < job.tasksAtMs &&
    job.tasksAtMs <= dueAtMs
  );
}

/** There is also reason for doubt if a cloud job had not ended, its own or a foreign one, or if the API could not be read: settling times out. */
function hasReasonForDoubt({ decision, step, accepted, named, world }: ReportedStep): boolean {
  if (decision === null || decision.doubts.size > 0 || world.cloud.state.status === 'DELETED') return true;
  // After a reset it may name the cloud job of a later decision (docs/guarantees.md).
  if (named?.post != null && named.post.decision !== decision) return true;
  const isInFlight = accepted.some(
    ({ endsAtMs, knownAtMs }) => endsAtMs > step.endedAtMs - 1_000 || knownAtMs > step.startedAtMs,
  );
  const isUnreadable = world.truth.failedReadings.some((atMs) => atMs >= step.startedAtMs && atMs <= step.endedAtMs);
  return isInFlight || isUnreadable || foreignBetween(world, step.startedAtMs, step.endedAtMs).length > 0;
}

/**
 * True if the cloud job had ended as desired, was the newest, had a known creator, and the API was readable for long enough after that: a
 * whole visibility window for quiet readings, and a few readings to judge, follow and verify.
 */
function couldBeAdopted(job: Job, { decision, world }: ReportedStep): boolean {
  const { visibilityWindowMs, quietMs, readTimeoutMs } = world.scenario.limits;
  const { failedReadings } = world.truth;
  if (decision === null || decision.doubts.has(NOT_IN_TIME)) return false;
  if (job.endStatus !== 'SUCCEEDED' || job.after === null || !isDesired(decision.action, job.after)) return false;
  if (job.createdBy === null || !world.scenario.cloud.ownUserKnown || isNotItsWorkAlone(job, world)) return false;
  const { closedAtMs } = decision;
  const peaceMs = visibilityWindowMs + 4 * quietMs + 4 * readTimeoutMs;
  const fromMs = Math.max(job.idShownAtMs, job.endsAtMs + job.statusLagMs, job.knownAtMs, job.tasksAtMs);
  const isInPeace = failedReadings.every((atMs) => atMs < closedAtMs - peaceMs || atMs > closedAtMs);
  return isNewestUntil(closedAtMs, job, world) && isInPeace && fromMs + peaceMs <= closedAtMs;
}

function isNewestUntil(atMs: number, job: Job, { truth }: World): boolean {
  return truth.jobs.every(({ acceptedAtMs }) => acceptedAtMs <= job.acceptedAtMs || acceptedAtMs > atMs);
}

function outcomeProblem({ report, cancelRequestedAtMs, runId }: HolderRecord): readonly string[] {
  if (report === null) return [];
  const { steps, compensations, remaining, failure, outcome } = report;
  // The chaos suite has no gates.
  if (outcome === 'refused' && isGateFailure(steps.find(({ result }) => result === 'failed')?.failure?.name)) return [];
  const facts = {
    steps,
    compensations,
    remaining,
    ...(failure === null || failure === 'cancelled' ? {} : { failure: failureRecord(failure as FailureName, failure) }),
  };
  const allowed = allowedOutcomes(facts as unknown as TargetReport, cancelRequestedAtMs !== null);
  return allowed.includes(outcome)
    ? []
    : [`${runId} reports ${outcome}; by its own steps it is ${allowed.join(' or ')}`];
}

/**
 * Only an indeterminate report may leave a cloud job of its own in flight. So may a report that adopted a foreign one, which can happen if our
 * user id is not known, and one on whose indeterminate step a person decided.
 */
function leftInFlight(holder: HolderRecord, world: World): readonly string[] {
  const { report, closedAtMs, runId } = holder;
  if (report === null || closedAtMs === null || report.outcome === 'indeterminate') return [];
  const decided = report.steps
    .filter(({ decisions = [] }) => decisions.some(({ command }) => command !== 'retryStep'))
    .map(({ id }) => id);
  const mistaken = reportedSteps(world, holder).filter(({ named }) => named !== null && named.post === null);
  return jobsOf(holder, world)
    .filter(({ acceptedAtMs, endsAtMs }) => acceptedAtMs <= closedAtMs && endsAtMs > closedAtMs)
    .filter(({ post }) => post?.decision.isMisheard !== true)
    .filter(({ post }) => !decided.some((id) => post?.decision.stepId === id))
    .filter(({ post }) => mistaken.every(({ decision }) => decision !== post?.decision))
    .map((job) => `${runId} closed ${report.outcome} with ${describeJob(job)} still in flight`);
}

function claimedTwice(world: World): readonly string[] {
  const claims = new Map<string, Set<string>>();
  for (const holder of world.truth.holders)
    for (const { step, decision } of reportedSteps(world, holder)) {
      if (step.cloudJobId === null || decision === null) continue;
      claims.set(step.cloudJobId, (claims.get(step.cloudJobId) ?? new Set()).add(decision.key));
    }
  return [...claims]
    .filter(([, keys]) => keys.size > 1)
    .map(([id, keys]) => `${id} is claimed by ${[...keys].join(' and ')}`);
}
