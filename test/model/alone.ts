/** Alone: executions that hold the lease never interleave, and nothing is sent under or past a cloud job that had shown. */
import { isAtRest } from '../../src/domain/target/cloud-job.js';
import type { Limits } from '../../src/domain/once/limits.js';
import type { DecisionRecord, HolderRecord, Job, Post } from './ground-truth.js';
import { describeJob } from './once.js';
import { claimsForeign } from './reported.js';
import { formatTime } from './transcript.js';
import type { World } from './world.js';

/** Describes each POST that was sent beside or past another cloud job, one sentence each. */
export function notAloneThings(world: World): readonly string[] {
  return [
    ...interleaved(world),
    ...acceptedAfterTheReport(world),
    ...world.truth.posts.flatMap((post) => [
      ...sentAfterTheClose(post, world),
      ...sentTooLate(post, world),
      ...sentPastWhatShowed(post, world),
      ...sentUnderOurOwn(post, world),
    ]),
  ];
}

/** Everything that a holder sent is accepted before anything that a later holder sent. */
function interleaved({ truth: { holders, jobs } }: World): readonly string[] {
  const orderOf = ({ post }: Job) => (post === null ? -1 : holders.indexOf(post.holder));
  const ours = jobs.filter(({ post }) => post !== null);
  return ours.flatMap((job, index) => {
    const earlier = ours.slice(0, index).find((other) => orderOf(other) > orderOf(job));
    return earlier === undefined ? [] : [`${describeJob(job)} came after ${describeJob(earlier)} of a later holder`];
  });
}

/** A run that closes with its report hands the instance on: nothing that was sent for it, or before it, is accepted after that. */
function acceptedAfterTheReport(world: World): readonly string[] {
  const { holders, jobs } = world.truth;
  return holders.flatMap((holder, index) => {
    const { closedAtMs, status, runId, report } = holder;
    if (closedAtMs === null || status !== 'COMPLETED') return [];
    // It began nothing, and passes on what it was to wait for.
    if (report?.captured == null) return [];
    return (
      jobs
        .filter(({ post, acceptedAtMs }) => post !== null && acceptedAtMs > closedAtMs)
        .filter(({ post }) => post !== null && holders.indexOf(post.holder) <= index)
        // Attempt numbers repeat after a reset (docs/guarantees.md).
        .filter(({ post }) => post?.decision.isMisheard !== true)
        .filter(({ post }) => post !== null && !isLeftToTheNext(post, holder, world))
        .map((job) => `${describeJob(job)} came after the report of ${runId}`)
    );
  });
}

/** A reset run can end before it comes to what the run before it was doing. The next run waits for that (docs/guarantees.md). */
function isLeftToTheNext(
  { holder, decision, sentAtMs, job }: Post,
  { runId, chainId, startedAtMs, decisions }: HolderRecord,
  { scenario }: World,
): boolean {
  const { leaseMs, postTimeoutMs } = scenario.limits;
  const isReplaced = runId !== chainId && holder.chainId === chainId && !decisions.includes(decision);
  const isInTime = sentAtMs <= startedAtMs + leaseMs && (job?.acceptedAtMs ?? 0) <= sentAtMs + postTimeoutMs;
  return isReplaced && isInTime;
}

/** A terminated holder (a reset terminates it too) may leave an attempt that has its send lease. No other holder may. */
function sentAfterTheClose({ sentAtMs, holder, attempt }: Post, { scenario }: World): readonly string[] {
  const { closedAtMs, status, runId } = holder;
  if (closedAtMs === null) return [];
  const untilMs = closedAtMs + (status === 'TERMINATED' ? scenario.limits.leaseMs : 0);
  return sentAtMs > untilMs
    ? [
        `${attempt.name} sent at ${formatTime(sentAtMs)}, after ${runId} had closed ${status} at ${formatTime(closedAtMs)}`,
      ]
    : [];
}

function sentTooLate({ sentAtMs, decision, attempt, holder }: Post, world: World): readonly string[] {
  const skewMs = world.scenario.temporal.clockSkewMs;
  const isBegun = holder.decisions.some(({ posts }) => posts.some((post) => post.sentAtMs < sentAtMs));
  const { closesAfterMs } = holder.plan;
  // A gate binds neither a reset run nor a run that may have sent something as far as it can know.
  const isHeld =
    closesAfterMs !== undefined && holder.runId === holder.chainId && !isBegun && !mayHaveBegun(decision, holder);
  const isPastGate = isHeld && sentAtMs > holder.startedAtMs + closesAfterMs + skewMs;
  return [
    ...(sentAtMs > decision.deadlineAtMs + skewMs ? [`${attempt.name} sent after the deadline of the step`] : []),
    ...(isPastGate ? [`${attempt.name} sent after its gate had closed`] : []),
  ];
}

/** True if an earlier step sent something or may have, by the report; without a report, if something left that open. */
function mayHaveBegun(decision: DecisionRecord, { decisions, report }: HolderRecord): boolean {
  const earlier = decisions.slice(0, decisions.indexOf(decision));
  if (report === null) return earlier.some(({ doubts }) => doubts.size > 0);
  return earlier.some(({ stepId }) => report.steps.some(({ id, sent }) => id === stepId && sent !== 'no'));
}

/** The newest reading before a send must show the baseline at rest, and must not be older than the fence allows. */
function sentPastWhatShowed(
  { readAtMs, sentAtMs, attempt, decision }: Post,
  { cloud, scenario }: World,
): readonly string[] {
  const seen = cloud.reading(readAtMs);
  const { lastJobId } = decision.before;
  return [
    ...(seen.lastJobId === lastJobId
      ? []
      : [`${attempt.name} sent although ${seen.lastJobId} had shown after ${lastJobId ?? 'no cloud job'}`]),
    ...(isAtRest(seen) ? [] : [`${attempt.name} sent although ${seen.lastJobId} was seen in flight`]),
    ...(sentAtMs - readAtMs > oldestReadingMs(scenario.limits)
      ? [`${attempt.name} sent on a reading of ${formatTime(readAtMs)}`]
      : []),
  ];
}

/** Readings show only the newest cloud job, so a foreign job hides the job of an earlier execution. */
function sentUnderOurOwn({ job, attempt, holder }: Post, world: World): readonly string[] {
  const { jobs } = world.truth;
  // A holder that adopts a foreign cloud job may leave its own in flight (docs/guarantees.md).
  if (job === null || claimsForeign(holder, world)) return [];
  const earlier = jobs.slice(0, jobs.indexOf(job));
  const newestForeign = earlier.findLastIndex(({ post }) => post === null);
  const isHidden = (post: Post, index: number) => index < newestForeign && post.holder !== holder;
  return earlier
    .filter(({ post, endsAtMs }, index) => post !== null && endsAtMs > job.acceptedAtMs && !isHidden(post, index))
    .map((other) => `${attempt.name} was accepted while our own ${describeJob(other)} was in flight`);
}

/** The server times out an attempt that is frozen for longer during its reading; the rest is the connection and the lease. */
function oldestReadingMs({ heartbeatTimeoutMs, readTimeoutMs, postTimeoutMs, leaseMs }: Limits): number {
  return heartbeatTimeoutMs + readTimeoutMs + postTimeoutMs / 2 + leaseMs;
}
