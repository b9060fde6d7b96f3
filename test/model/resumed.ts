/** What a resumed run promises: it sends nothing that the runs before it have done or may still be doing, and nothing after somebody else acted. */
import { isDesired } from '../chaos/instance-states.js';
import { ruleOf } from '../../src/domain/target/actions.js';
import type { DecisionRecord, HolderRecord, Job, Post } from './ground-truth.js';
import { hasFailed } from './cloud.js';
import { describeJob } from './once.js';
import { AGAIN } from './operator-flow.js';
import { formatTime } from './transcript.js';
import type { World } from './world.js';

/** Describes each POST that repeats what an earlier run did, one sentence each. */
export function repeatedByResumes(world: World): readonly string[] {
  const { truth, scenario } = world;
  if (scenario.cloud.longestLagMs > scenario.limits.visibilityWindowMs) return [];
  return truth.posts.flatMap((post) => {
    const earlier = earlierRuns(post.holder.planHash, world);
    if (earlier.length === 0 || post.decision.stepId.startsWith('undo-')) return [];
    return [
      ...doneBefore(post, earlier, world),
      ...sentBefore(post, earlier, world),
      ...openBefore(post, earlier),
      ...actedBetween(post, earlier, world),
    ];
  });
}

/** The executions of the runs that this one continues, and of its twins that the same run was continued by before. */
function earlierRuns(planHash: string, { truth, scenario }: World): readonly HolderRecord[] {
  const hashes = new Set<string>();
  for (let next: string | undefined = planHash; next !== undefined;) {
    const current: string = next;
    next = truth.resumes.find((resume) => resume.planHash === current)?.of;
    if (next === undefined) break;
    const of = next;
    // As in `actedBetween`.
    const twins = scenario.cloud.firstJobId === null ? [] : truth.resumes.filter((resume) => resume.of === of);
    for (const { planHash: twin } of twins)
      if (twin !== null && twin !== current && Number(twin.slice(5)) < Number(current.slice(5))) hashes.add(twin);
    hashes.add(of);
  }
  return truth.holders.filter((holder) => hashes.has(holder.planHash));
}

function isOfEarlier({ post }: Job, earlier: readonly HolderRecord[], stepId: string): boolean {
  return post !== null && earlier.includes(post.holder) && isOf(post.decision, stepId);
}

/** A run that was reset to before its first reading decides everything again: what that reading showed came before. */
function isBeforeReset({ post, idShownAtMs }: Job, earlier: readonly HolderRecord[]): boolean {
  return earlier.some(
    ({ planHash, report }, index) =>
      planHash === post?.holder.planHash &&
      index > earlier.indexOf(post.holder) &&
      idShownAtMs <= (report?.captured?.observedAtMs ?? 0),
  );
}

function isTwin(one: string, other: string, { truth }: World): boolean {
  const of = (hash: string) => truth.resumes.find(({ planHash }) => planHash === hash)?.of;
  return of(one) !== undefined && of(one) === of(other);
}

function isOf({ stepId }: Pick<DecisionRecord, 'stepId'>, id: string): boolean {
  return stepId === id || stepId.startsWith(`${id}${AGAIN}`);
}

/** By the report of the run before. After a step that failed with `onFailure: continue`, one that names an end state may be needed again, and one that a person skipped. */
function doneBefore(
  { decision, attempt, holder }: Post,
  earlier: readonly HolderRecord[],
  world: World,
): readonly string[] {
  return earlier.flatMap(({ report, runId, planHash }) => {
    const steps = report?.steps ?? [];
    const index = steps.findIndex(
      ({ id, result }) => id === decision.stepId && (result === 'succeeded' || result === 'skipped'),
    );
    const isAfterAFailure = steps.slice(0, Math.max(0, index)).some(({ result }) => result === 'failed');
    const isNeeded = isAfterAFailure && (ruleOf(decision.action).kind === 'state' || steps[index]?.sent === 'no');
    // What a twin sent nothing for, because a person decided so, cannot be seen.
    const isUnseen = steps[index]?.sent === 'no' && isTwin(planHash, holder.planHash, world);
    return index < 0 || isNeeded || isUnseen
      ? []
      : [`${attempt.name} was sent, though ${runId} reports that it was done`];
  });
}

/** Everything that was accepted for the step before is over and had shown; a restart is sent again only if it failed. */
function sentBefore(
  { decision, sentAtMs, attempt, readAtMs }: Post,
  earlier: readonly HolderRecord[],
  world: World,
): readonly string[] {
  const isRestart = ruleOf(decision.action).kind !== 'state';
  const jobs = world.truth.jobs.filter(
    (job) => isOfEarlier(job, earlier, decision.stepId) && !isBeforeReset(job, earlier),
  );
  return jobs
    .filter(
      (job) =>
        !isOver(job, sentAtMs) ||
        job.idShownAtMs > readAtMs ||
        (isRestart && isNewest(job, jobs) && !isFailed(job, earlier)),
    )
    .map((job) => `${attempt.name} was sent at ${formatTime(sentAtMs)}, and ${describeJob(job)} was sent before`);
}

/** Those before it were decided again by a person who knew of them. */
function isNewest(job: Job, jobs: readonly Job[]): boolean {
  return jobs.findLast(({ post }) => post?.holder.planHash === job.post?.holder.planHash) === job;
}

function isOver({ acceptedAtMs, endsAtMs }: Job, atMs: number): boolean {
  return acceptedAtMs <= atMs && endsAtMs <= atMs;
}

/** Or the run that sent it saw that the instance was not as it must be, for example because somebody stopped it meanwhile. */
function isFailed({ id, endStatus, action, after, isNoop }: Job, earlier: readonly HolderRecord[]): boolean {
  const steps = earlier.flatMap(({ report }) => report?.steps ?? []);
  const wasSeen = steps.some(({ cloudJobId, failure }) => cloudJobId === id && failure?.name === 'NotConverged');
  return hasFailed(endStatus) || isNoop || wasSeen || (after !== null && !isDesired(action, after));
}

/** No run is resumed that may still act. */
function openBefore({ sentAtMs, attempt }: Post, earlier: readonly HolderRecord[]): readonly string[] {
  const open = earlier.filter(({ closedAtMs }) => closedAtMs === null || closedAtMs > sentAtMs);
  return open.map(({ runId }) => `${attempt.name} was sent while ${runId} was open`);
}

/** If somebody else acted since the run before ended, and that had shown, nothing is sent. */
function actedBetween(
  { readAtMs, attempt, holder }: Post,
  earlier: readonly HolderRecord[],
  { truth, scenario }: World,
): readonly string[] {
  // Where there was no cloud job before, a twin has none to miss (docs/guarantees.md).
  if (holder.plan.resumes?.isTwin === true && scenario.cloud.firstJobId === null) return [];
  const fromMs = Math.max(...earlier.map(({ closedAtMs }) => closedAtMs ?? 0));
  const foreign = truth.jobs.filter(
    ({ post, acceptedAtMs, idShownAtMs }) =>
      post === null && acceptedAtMs > fromMs && acceptedAtMs < holder.startedAtMs && idShownAtMs < holder.startedAtMs,
  );
  return foreign
    .filter(({ idShownAtMs }) => idShownAtMs <= readAtMs)
    .map((job) => `${attempt.name} was sent, though ${describeJob(job)} had come after the run that is resumed`);
}
