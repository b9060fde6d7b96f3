/** Known: every report agrees, step by step, with what the simulator accepted. */
import type { StepReport } from '../../src/domain/report/report.js';
import { describePost, doesWhatWasAsked, timeOf, foreignTo, holderOf, postsOf, type SceneRecord } from './decisions.js';
import { CLOCK_MS } from './disturbances.js';
import type { HolderEvidence } from './evidence.js';
import { hasFailed, isDesired } from './instance-states.js';
import { allowedOutcomes } from './outcomes.js';
import { isDecidedAs } from './steered.js';
import { runReportProblems } from './run-reports.js';
import { couldBeAdopted, followed, hasReasonForDoubt, meanwhile, type StepInScene } from './step-in-scene.js';

/** Describes each report that is wrong, one sentence each. */
export function unknownThings(record: SceneRecord): readonly string[] {
  return [
    ...record.scene.holders.flatMap((holder) => holderProblems(holder, record)),
    ...record.scene.runs.flatMap((run) => runReportProblems(run, record.scene)),
    ...claimedTwice(record),
  ];
}

function holderProblems(holder: HolderEvidence, record: SceneRecord): readonly string[] {
  const { report, status, runId } = holder;
  if (report === null) {
    return status === 'COMPLETED' ? [`holder ${runId} closed ${status} without a report`] : [];
  }
  const steps = [...report.steps, ...report.compensations].filter(({ action }) => action !== null);
  const reported = new Set(steps.map(({ id }) => id));
  const leftOut = holder.decisions
    .filter(({ request }) => !reported.has(request.stepId))
    .map(({ request }) => `holder ${runId} decided ${request.stepId} and does not report it`);
  return [
    ...leftOut,
    ...steps.flatMap((step) => stepProblems(step, holder, record).map((what) => `${step.id} of ${runId}: ${what}`)),
    ...settleProblems(holder),
    ...outcomeProblem(holder),
    ...leftInFlight(holder, record),
  ];
}

function stepProblems(step: StepReport, holder: HolderEvidence, record: SceneRecord): readonly string[] {
  // The last decision with that name, because a reset may have scheduled the step before with another baseline.
  const decision = record.decisions.findLast(
    ({ stepId, schedulings }) => stepId === step.id && schedulings.some((scheduling) => scheduling.holder === holder),
  );
  const scheduling = decision?.schedulings.findLast((candidate) => candidate.holder === holder);
  if (decision === undefined || scheduling === undefined) {
    return step.sent === 'no' && step.cloudJobId === null
      ? []
      : ['reports that it may have sent, but was never decided'];
  }
  // A step that an operator has had retried is one step in the report, with everything that its decisions sent.
  const all = record.decisions.filter(
    ({ stepId, schedulings }) => stepId === step.id && schedulings.some((candidate) => candidate.holder === holder),
  );
  const posts = record.ours.filter(({ cloudJobId }) => all.some((one) => record.decisionOf.get(cloudJobId) === one));
  const inScene = { step, holder, record, decision, scheduling, all, posts };
  return [
    ...notSentProblems(inScene),
    ...sentProblems(inScene),
    ...restartProblems(inScene),
    ...trailProblems(inScene),
    ...resultProblems(inScene),
    ...failureProblems(inScene),
    ...unknownProblems(inScene),
    ...indeterminateProblems(inScene),
  ];
}

function notSentProblems({ step, posts }: StepInScene): readonly string[] {
  const [post] = posts;
  return step.sent === 'no' && post !== undefined
    ? [`reports that nothing was sent, but ${describePost(post)} was accepted for it`]
    : [];
}

function sentProblems({ step, record, decision, all, holder }: StepInScene): readonly string[] {
  const { sent, cloudJobId } = step;
  if (cloudJobId === null) return sent === 'yes' ? ['reports that it was sent, but names no cloud job'] : [];
  if (sent !== 'yes') return [`names cloud job ${cloudJobId}, but reports sent: ${sent}`];
  const claimed = record.scene.accepted.find((job) => job.cloudJobId === cloudJobId);
  if (claimed === undefined) return [`names cloud job ${cloudJobId}, which the simulator does not know here`];
  if (claimed.byConsole) return [`claims ${describePost(claimed)} of the console`];
  if (!doesWhatWasAsked(claimed, decision)) return [`claims ${describePost(claimed)}, which does something else`];
  const owner = record.decisionOf.get(cloudJobId);
  if (owner !== undefined && all.includes(owner)) return [];
  const whose =
    owner === undefined ? 'no run decided' : `belongs to ${owner.stepId} of ${holderOf(claimed, owner).runId}`;
  return [`claims ${describePost(claimed)}, which ${whose} (holder ${holder.runId})`];
}

/** A restart names no state that could hold already, and only a cloud job of our own user proves a restart that was found later. */
function restartProblems({ step, posts }: StepInScene): readonly string[] {
  const { action, result, evidence, decisions } = step;
  if (action?.action !== 'restart') return [];
  return [
    ...(result === 'skipped' && !isDecidedAs(decisions, 'skipStep')
      ? ['reports skipped, which a restart never is']
      : []),
    ...(result === 'succeeded' && posts.length === 0 && !isDecidedAs(decisions, 'markSucceeded')
      ? ['reports succeeded, but no restart was accepted for it']
      : []),
    ...(evidence === undefined || evidence.createdByUs
      ? []
      : [`adopted restart ${evidence.cloudJobId} without knowing that our own user asked for it`]),
  ];
}

/**
 * Once it is known which cloud job was accepted, no reading has to find it. The trail itself travels in the heartbeats: if a worker died
 * before the next heartbeat, `accepted` is lost as well, so there is nothing to excuse.
 */
function trailProblems({ step: { trail, cloudJobId } }: StepInScene): readonly string[] {
  const begin = trail.findIndex(({ decision }) => decision === 'accepted');
  if (begin < 0) return [];
  const afterwards = trail.slice(begin);
  const acceptedId = afterwards.findLast(({ decision }) => decision === 'accepted')?.note;
  return [
    ...(afterwards.some(({ decision }) => decision === 'adopted')
      ? [`knew that ${acceptedId} was accepted and adopted a cloud job after that`]
      : []),
    ...(cloudJobId === acceptedId
      ? []
      : [`knew that ${acceptedId} was accepted and names ${cloudJobId ?? 'no cloud job'}`]),
  ];
}

function resultProblems(inScene: StepInScene): readonly string[] {
  const { step, holder, scheduling } = inScene;
  const post = followed(inScene);
  if (step.result !== 'succeeded' || post === undefined || isDecidedAs(step.decisions, 'markSucceeded')) return [];
  if (post.executionStatus !== 'SUCCEEDED')
    return [`reports succeeded, but ${describePost(post)} is ${post.executionStatus}`];
  const { action, verifyAfterCancel } = scheduling.decision.request;
  const isUnverified = holder.cancelRequestedAtMs !== null && !verifyAfterCancel;
  if (isUnverified || meanwhile(post, inScene).length > 0) return [];
  return post.after !== null && isDesired(action, post.after)
    ? []
    : [`reports succeeded, but ${describePost(post)} left ${JSON.stringify(post.after)}`];
}

function failureProblems(inScene: StepInScene): readonly string[] {
  const name = inScene.step.failure?.name;
  const post = followed(inScene);
  if (name === 'TargetChanged')
    return somebodyElseActed(inScene) ? [] : ['reports TargetChanged, but no one else had acted'];
  if (name !== 'CloudJobFailed' && name !== 'NotConverged') return [];
  if (post === undefined) return [`reports ${name}, but names no cloud job of its own`];
  const isSo = name === 'CloudJobFailed' ? hasFailed(post.executionStatus) : post.executionStatus === 'SUCCEEDED';
  return isSo ? [] : [`reports ${name}, but ${describePost(post)} is ${post.executionStatus}`];
}

/** A foreign cloud job had shown before the decision ended. */
function somebodyElseActed({ step, holder, record, scheduling }: StepInScene): boolean {
  const { lastJobId, knownCloudJobIds } = scheduling.decision.request.before;
  const endedAtMs = scheduling.decision.endedAtMs ?? step.endedAtMs;
  const candidates = [
    ...foreignTo(holder, record),
    // The promise does not cover a cloud job of ours that showed too late.
    ...postsOf(holder, record).filter((post) => record.disturbances.areBeyondTheWindow(post)),
  ];
  return candidates.some(
    ({ cloudJobId, visibleAtMs }) =>
      visibleAtMs <= endedAtMs + CLOCK_MS && cloudJobId !== lastJobId && !knownCloudJobIds.includes(cloudJobId),
  );
}

function unknownProblems(inScene: StepInScene): readonly string[] {
  const { step } = inScene;
  if (step.sent !== 'unknown' || step.result === 'indeterminate') return [];
  return hasReasonForDoubt(inScene)
    ? []
    : [`reports ${step.result} and sent: unknown, though nothing happened that leaves it unknown`];
}

function indeterminateProblems(inScene: StepInScene): readonly string[] {
  const { step } = inScene;
  if (step.result !== 'indeterminate') return [];
  if (!hasReasonForDoubt(inScene)) return ['indeterminate, though nothing happened that leaves the result open'];
  const newest = inScene.posts.filter(
    ({ cloudJobId }) => inScene.record.decisionOf.get(cloudJobId) === inScene.decision,
  );
  const post = newest.find((candidate) => couldBeAdopted(candidate, inScene));
  return post === undefined ? [] : [`indeterminate though its cloud job could be adopted: ${describePost(post)}`];
}

/** How the report of an unclear step describes its settle. */
const SETTLED_IN_VAIN = 'settling it did not help';

/** The run waits for whatever may have been sent or be in flight before it continues, even if it is cancelled: no cancel reaches a settle. */
function settleProblems({ report, settles, runId }: HolderEvidence): readonly string[] {
  const steps = [...(report?.steps ?? []), ...(report?.compensations ?? [])];
  const isSettled = ({ startedAtMs, endedAtMs }: StepReport) =>
    settles.some(({ scheduledAtMs }) => scheduledAtMs >= startedAtMs - CLOCK_MS && scheduledAtMs <= endedAtMs);
  // Before an operator's decision the instance is read at rest, which settles what was sent until then.
  const isLeftOpen = ({ result, sent, decisions }: StepReport) =>
    sent === 'unknown' && (result === 'failed' || result === 'cancelled') && decisions === undefined;
  const reportsSettledInVain = ({ failure }: StepReport) => failure?.message.includes(SETTLED_IN_VAIN) === true;
  const problem = (step: StepReport, what: string) => `${step.id} of ${runId}: ${what}`;
  return [
    ...settles
      .filter(({ end }) => end === 'cancelled')
      .map(({ scheduledAtMs }) => `holder ${runId}: its settle of ${timeOf(scheduledAtMs)} was cancelled`),
    ...steps
      .filter((step) => reportsSettledInVain(step) && !isSettled(step))
      .map((step) => problem(step, `reports that ${SETTLED_IN_VAIN}, but no settle was scheduled`)),
    ...steps
      .filter((step) => isLeftOpen(step) && !isSettled(step))
      .map((step) => problem(step, `${step.result} and may have sent, but no settle was scheduled`)),
  ];
}

function outcomeProblem({ report, cancelRequestedAtMs, runId }: HolderEvidence): readonly string[] {
  if (report === null) return [];
  const allowed = allowedOutcomes(report, cancelRequestedAtMs !== null);
  return allowed.includes(report.outcome)
    ? []
    : [`holder ${runId} reports ${report.outcome}; by its own steps it is ${allowed.join(' or ')}`];
}

/** Only an indeterminate report may leave a cloud job of its own in flight. */
function leftInFlight(holder: HolderEvidence, record: SceneRecord): readonly string[] {
  const { report, closedAtMs, runId } = holder;
  if (report === null || closedAtMs === null || report.outcome === 'indeterminate') return [];
  // With `onCancel: leave` a run waits for the end of the cloud job, but not until the instance settles after it.
  if (holder.cancelRequestedAtMs !== null && holder.run.onCancel === 'leave') return [];
  return postsOf(holder, record)
    .filter(
      (post) =>
        post.atMs <= closedAtMs &&
        (post.endedAtMs ?? Number.POSITIVE_INFINITY) > closedAtMs + CLOCK_MS &&
        !record.disturbances.areBeyondTheWindow(post),
    )
    .map((post) => `holder ${runId} closed ${report.outcome} with ${describePost(post)} still in flight`);
}

function claimedTwice({ scene }: SceneRecord): readonly string[] {
  const claims = new Map<string, Set<string>>();
  for (const { report, decisions } of scene.holders) {
    for (const { id, cloudJobId } of [...(report?.steps ?? []), ...(report?.compensations ?? [])]) {
      if (cloudJobId === null) continue;
      const request = decisions.findLast((decision) => decision.request.stepId === id)?.request;
      const claimants = claims.get(cloudJobId) ?? new Set();
      claims.set(cloudJobId, claimants.add(JSON.stringify([request?.decidedInRunId, id])));
    }
  }
  return [...claims]
    .filter(([, claimants]) => claimants.size > 1)
    .map(([cloudJobId, claimants]) => `cloud job ${cloudJobId} is claimed by ${[...claimants].join(' and ')}`);
}
