/** What approvals promise: nothing is sent before enough people have approved this very plan, each vote counts once, and waiting costs no time. */
import type { PlannedStep } from '../../src/domain/plan/plan.js';
import { REQUESTER } from './approving-run.js';
import type { AskRecord, HolderRecord, Post, VoteRecord } from './ground-truth.js';
import { hasAsides, plannedSteps } from './planned-steps.js';
import type { PlannedRun } from './scenario.js';
import { formatTime } from './transcript.js';
import type { World } from './world.js';

/** How late a vote may reach the target that the run took in time. Repeated here to be independent of the product. */
const IN_TIME_MS = 10_000;

/** Why a decision is refused if the run has counted enough others. */
const DECIDED = ['it is approved already', 'it was rejected'];

/** Describes each approval that did not hold, or did not count as it must, one sentence each. */
export function unapprovedThings(world: World): readonly string[] {
  const { truth } = world;
  return [
    ...truth.posts.flatMap((post) => sentUnapproved(post, world)),
    ...truth.asks.flatMap((ask) => wronglyEnded(ask, world)),
    ...truth.votes.flatMap(countedTooEarly),
    ...truth.holders.flatMap((holder) => [...begunAfterNo(holder, world), ...lateDespiteWaiting(holder, world)]),
  ];
}

/** Votes on an approval that name its plan and a person, oldest first: each person once, and the requester only to reject. */
function votesOn({ planHash, askedAtMs, rules, endedAtMs }: AskRecord, { truth }: World): readonly VoteRecord[] {
  const untilMs = Math.min(askedAtMs + rules.expiresMs, (endedAtMs ?? Infinity) + 1);
  const right = truth.votes.filter(
    (vote) =>
      vote.run === planHash &&
      vote.planHash === planHash &&
      vote.person !== null &&
      vote.atMs >= askedAtMs &&
      vote.atMs < untilMs,
  );
  const people = new Set<string>();
  return right.filter(({ command, person }) => {
    if (command === 'reject') return true;
    const name = person?.trim().toLowerCase() ?? '';
    if ((rules.notRequester && name === REQUESTER) || people.has(name)) return false;
    people.add(name);
    return true;
  });
}

/** When enough people had approved at the earliest, whatever the product took; Infinity: never. */
function grantedAtMs(ask: AskRecord, world: World): number {
  const votes = votesOn(ask, world).filter(({ command }) => command === 'approve');
  return votes[ask.rules.need - 1]?.atMs ?? Infinity;
}

/** Each approval that comes before a step. One that a resumed run leaves out was given for another plan, so all of that run is asked again. */
function neededFor(holder: HolderRecord, stepId: string, world: World): readonly (string | null)[] {
  const { plan } = holder;
  const before = approvalsBefore(plan, stepId);
  const isLeftOut = approvalsBefore(firstPlan(holder, world), stepId).some((id) => !before.includes(id));
  return [...(plan.approval === undefined && !isLeftOut ? [] : [null]), ...before];
}

function approvalsBefore(plan: PlannedRun, stepId: string): readonly string[] {
  if (!hasAsides(plan)) return [];
  const steps = plannedSteps(plan, 0);
  return steps
    .slice(0, Math.max(0, positionOf(steps, stepId)))
    .flatMap(({ kind, id }) => (kind === 'approval' ? [id] : []));
}

/** The plan of the run that was resumed first. */
function firstPlan({ planHash, plan }: HolderRecord, { truth }: Pick<World, 'truth'>): PlannedRun {
  const of = truth.resumes.find((resume) => resume.planHash === planHash)?.of;
  const earlier = truth.holders.find((holder) => holder.planHash === of);
  return earlier === undefined ? plan : firstPlan(earlier, { truth });
}

/** An undo is sent for what the step before it had sent, which was approved. */
function positionOf(steps: readonly PlannedStep[], stepId: string): number {
  return steps.findIndex(({ id }) => id === stepId.replace('undo-', '').replace(/-again-\d+$/, ''));
}

function sentUnapproved({ holder, decision, sentAtMs, attempt }: Post, world: World): readonly string[] {
  return neededFor(holder, decision.stepId, world)
    .filter((step) => {
      const asks = world.truth.asks.filter((ask) => ask.planHash === holder.planHash && ask.step === step);
      return !asks.some((ask) => grantedAtMs(ask, world) <= sentAtMs);
    })
    .map((step) => `${attempt.name} was sent at ${formatTime(sentAtMs)} before ${step ?? 'the run'} was approved`);
}

function wronglyEnded(ask: AskRecord, world: World): readonly string[] {
  const { report, step, rules } = ask;
  if (report === null) return [];
  const who = step ?? 'the run';
  const people = report.votes
    .filter(({ command }) => command === 'approve')
    .map(({ actor }) => actor.trim().toLowerCase());
  return [
    ...(new Set(people).size === people.length ? [] : [`${who} counts somebody twice: ${people.join(', ')}`]),
    ...(rules.notRequester && people.includes(REQUESTER) ? [`${who} counts its requester`] : []),
    ...(report.result === 'approved' && grantedAtMs(ask, world) === Infinity
      ? [`${who} counts as approved, and too few people approved it`]
      : []),
    ...(report.result === 'rejected' && !votesOn(ask, world).some(({ command }) => command === 'reject')
      ? [`${who} counts as rejected, and no one rejected it`]
      : []),
    ...(report.result === 'expired' && isGivenInTime(ask, world)
      ? [`${who} counts as expired, and people had decided in time`]
      : []),
    ...(report.result === 'expired' && wasDecidedForPeople(ask, world)
      ? [`${who} counts as expired, and later votes were refused as if it was decided`]
      : []),
  ];
}

/** A vote is about what the person has seen. */
function countedTooEarly({ answer, open, atMs, command, person }: VoteRecord): readonly string[] {
  if (answer !== 'accepted' || open === null || open.askedAtMs <= atMs) return [];
  return [`${command} of ${person} counts for ${open.step ?? 'the run'}, which was asked for later`];
}

/** The run accepted enough approvals, or a rejection, and they reached the target in time. */
function isGivenInTime(ask: AskRecord, world: World): boolean {
  const taken = votesOn(ask, world).filter(
    ({ answer, passedOnMs, open, isLost }) =>
      answer === 'accepted' &&
      !(isLost && ask.step !== null) &&
      passedOnMs < IN_TIME_MS &&
      open?.step === ask.step &&
      open.askedAtMs >= ask.askedAtMs,
  );
  const approvals = taken.filter(({ command }) => command === 'approve').length;
  return approvals >= ask.rules.need || approvals < taken.length;
}

/** Somebody was refused because of a decision that the target had long lost. */
function wasDecidedForPeople(ask: AskRecord, { truth }: World): boolean {
  const votes = truth.votes.filter(({ run, open }) => run === ask.planHash && open?.step === ask.step);
  const accepted = votes.filter(({ answer }) => answer === 'accepted');
  const lost = accepted.filter(({ isLost }) => isLost);
  const learnedMs = Math.max(...lost.map(({ answeredAtMs, passedOnMs }) => (answeredAtMs ?? Infinity) + passedOnMs));
  // One that was not lost may still be on its way, and arrive too late.
  if (lost.length === 0 || lost.length < accepted.length) return false;
  return votes.some(
    ({ why, atMs }) => why !== null && DECIDED.includes(why) && atMs > Math.max(learnedMs, ask.askedAtMs) + IN_TIME_MS,
  );
}

/** Nothing new is begun after a step that was not approved. What a reset finds begun is settled. */
function begunAfterNo(holder: HolderRecord, { truth }: World): readonly string[] {
  const { report, runId, plan, planHash } = holder;
  if (plan.approval === undefined && !hasAsides(plan)) return [];
  const steps = plannedSteps(plan, 0);
  const guard = truth.asks.find((ask) => ask.planHash === planHash && ask.step === null);
  const refused = (report?.steps ?? []).filter(
    ({ approval, result }) => approval !== undefined && result !== 'succeeded',
  );
  return [
    ...(guard?.report !== null && guard !== undefined && guard.report.result !== 'approved'
      ? [`${runId} was begun, and its run was ${guard.report.result}`]
      : []),
    ...refused.flatMap(({ id, endedAtMs }) =>
      holder.decisions
        .filter(({ decidedInRunId, scheduledAtMs }) => decidedInRunId === runId && scheduledAtMs > endedAtMs)
        .filter(({ stepId }) => !stepId.startsWith('undo-') && positionOf(steps, stepId) > positionOf(steps, id))
        .map(({ stepId }) => `${runId} began ${stepId}, though ${id} was not approved`),
    ),
  ];
}

/** Time in which people were waited for counts against no deadline. */
function lateDespiteWaiting(holder: HolderRecord, { scenario }: World): readonly string[] {
  const { report, runId, chainId, plan, waits, deadlineAtMs } = holder;
  // The waits of the executions before a reset are not those of this one.
  if (runId !== chainId || report === null) return [];
  return report.steps.flatMap(({ id, failure, startedAtMs, endedAtMs }) => {
    if (failure?.name !== 'DeadlinePassed') return [];
    const waitedMs = waits
      .filter(({ untilMs }) => untilMs <= startedAtMs + 1)
      .reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0);
    const planned = plan.steps.find((step, index) => (step.id ?? `${index + 1}-${step.action.action}`) === id);
    const dueAtMs = Math.min(startedAtMs + (planned?.deadlineMs ?? Infinity), deadlineAtMs + waitedMs);
    // Clocks of workers differ, and an approval counts as asked for when the step before it ended.
    const earlyMs = dueAtMs - endedAtMs - scenario.temporal.clockSkewMs;
    return earlyMs > 0 ? [`${id} ran out of time ${earlyMs} ms before its deadline`] : [];
  });
}
