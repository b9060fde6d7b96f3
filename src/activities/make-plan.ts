/**
 * `makePlan`: turns the runbook, the arguments and live reads into a complete plan with its hash, or into every
 * problem. Changes nothing.
 */
import { Context } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { ACTIONS, ACTION_NAMES, type ActionName } from '../domain/target/actions.js';
import type { StartArguments } from '../domain/contract.js';
import type { RunName } from '../domain/report/report.js';
import { describeProblem, MOST_PROBLEMS, type Problem } from '../domain/failures.js';
import { plannedUsual } from '../domain/plan/plan-usual.js';
import { plannedWebhooks } from '../domain/notifications/planned-webhooks.js';
import type { ResumableRun } from '../domain/plan/earlier-run.js';
import { planSteps } from '../domain/plan/plan-steps.js';
import { sizeProblems } from '../domain/plan/plan-sizes.js';
import { PLAN_VERSION, type Plan, type TargetPlan } from '../domain/plan/plan.js';
import { runDeadlineMs } from '../domain/plan/run-deadline.js';
import type { Runbook } from '../domain/runbook/runbook.js';
import { isActionStep } from '../domain/runbook/step-shapes.js';
import { durationMs } from '../domain/time/duration.js';
import { jobKindOf } from '../domain/durations/job-kind.js';
import { statusMeaning, type Target } from '../domain/target/target.js';
import { describeUnknownToWorker } from '../domain/runbook/unknown-runbook.js';
import type { ActivityDependencies } from './dependencies.js';
import { emergencyProblems, plannedApproval, requesterProblems } from './plan-approval.js';
import type { RecentLists } from './recent-lists.js';
import { planGuards } from './plan-guards.js';
import { hashOf } from './plan-hash.js';
import { planLeft, resumedRun, resumes, withFreezesOf } from './plan-resumed.js';
import { readCaptured } from './read-captured.js';
import { TargetResolver } from './resolve-targets.js';
import { readOptions, resolveAndRead, type SeenTarget } from './see-target.js';
import { readInputs, readStartArguments } from '../domain/plan/start-arguments.js';
import { failure, toFailure } from './to-failure.js';

/** The message appears three times at the end of a run, and Temporal accepts two megabytes in all. */
const LONGEST_TEXT = 400;

/** What planning needs from the worker. */
export interface PlanningDependencies extends ActivityDependencies {
  /** One for the whole worker. */
  readonly lists: RecentLists;
}

/** Plans a run. @throws `UnknownRunbook`, or `InvalidPlan` with every problem */
export async function makePlan(
  dependencies: PlanningDependencies,
  name: string,
  startArguments: unknown,
): Promise<Plan> {
  const runbook = await loadRunbook(dependencies, name);
  const { value, problems } = readStartArguments(startArguments);
  const earlier =
    value?.resumes === undefined ? null : await readResumed(dependencies, runbook, value.resumes, problems);
  if (value?.resumes !== undefined && earlier === null) throw invalidPlan(name, problems);
  const inputs = earlier?.plan.inputs ?? checkedInputs(runbook, startArguments, problems);
  const planOne: PlanOne =
    earlier === null
      ? (seen) => planTarget(dependencies, runbook, seen, inputs, problems)
      : (seen) => planLeft(earlier, seen, () => listVersions(dependencies, seen.target), problems);
  const shared = await sharedQueue(dependencies);
  problems.push(...shared);
  const isUnclear = value === null || shared.length > 0;
  const targets = isUnclear ? [] : await planTargets(dependencies, runbook, value, planOne, problems);
  const guards =
    value === null
      ? undefined
      : await planGuards(runbook, withFreezesOf(earlier, value), dependencies.calendars, Date.now(), problems);
  if (value !== null) problems.push(...requesterProblems(runbook, value), ...emergencyProblems(runbook, value));
  if (problems.length > 0 || value === null) throw invalidPlan(name, problems);
  const plan = await assembled(dependencies, { runbook, start: value, inputs, targets, guards, earlier });
  const tooLarge = sizeProblems(plan);
  if (tooLarge.length > 0) throw invalidPlan(name, tooLarge);
  return plan;
}

/** What a plan is made of, once nothing is wrong with any of it. */
interface Parts {
  readonly runbook: Runbook;
  readonly start: StartArguments;
  readonly inputs: Plan['inputs'];
  readonly targets: readonly TargetPlan[];
  readonly guards: Plan['guards'];
  /** The run that this one resumes. */
  readonly earlier: ResumableRun | null;
}

/** Puts the plan together. What does not apply is absent, so that it does not count for the hash. */
async function assembled(
  dependencies: PlanningDependencies,
  { runbook, start, inputs, targets, guards, earlier }: Parts,
): Promise<Plan> {
  const { limits, temporal } = dependencies;
  const operatorWaitMs = durationMs(runbook.operator?.wait ?? '') ?? dependencies.operatorWaitMs;
  const remindMs = durationMs(runbook.operator?.remind ?? '') ?? 0;
  const notify = plannedWebhooks(runbook.notify ?? [], dependencies.notifier?.webhooks ?? []);
  const hasStateAttribute = await temporal.hasStateAttribute();
  const plan: Omit<Plan, 'hash'> = {
    planVersion: PLAN_VERSION,
    runbook: runbook.name,
    title: runbook.title,
    requestedBy: start.requestedBy ?? null,
    reason: start.reason ?? null,
    inputs,
    targets,
    onCancel: runbook.onCancel,
    ...(guards === undefined ? {} : { guards }),
    ...(runbook.emergency === undefined ? {} : { emergency: runbook.emergency }),
    ...plannedApproval(runbook, dependencies, targets),
    deadlineMs: runDeadlineMs(runbook, targets),
    limits,
    ...(operatorWaitMs === 0 ? {} : { operatorWaitMs }),
    ...(hasStateAttribute ? { hasStateAttribute } : {}),
    ...(notify.length === 0 ? {} : { notify }),
    ...(remindMs === 0 ? {} : { remindMs }),
    dryRun: start.dryRun ?? false,
    ...(earlier === null ? {} : { resumes: resumes(earlier, targets) }),
  };
  return { ...plan, hash: hashOf(plan) };
}

/** Plans one target, or adds its problems to those of the run. */
type PlanOne = (seen: SeenTarget) => Promise<TargetPlan | null>;

/** Names mean one instance in each project, and chance would decide which of the workers looks them up. */
async function sharedQueue({ otherProjects, serviceStage }: PlanningDependencies): Promise<Problem[]> {
  const others = (await otherProjects?.()) ?? [];
  const { taskQueue } = Context.current().info;
  return others.length === 0
    ? []
    : [
        {
          code: 'shared-task-queue',
          place: `task queue ${taskQueue}`,
          found: `workers of ${others.length + 1} projects take work from it: ${[serviceStage.projectId, ...others].join(', ')}`,
          remedy: 'Give the workers of each project a RUNBOOK_TASK_QUEUE of their own',
        },
      ];
}

async function readResumed(
  { temporal, usualDurationsMs, verify, checks }: PlanningDependencies,
  runbook: Runbook,
  name: RunName,
  problems: Problem[],
): Promise<ResumableRun | null> {
  const refusalOfUrl = (url: string) => checks.refusalOf(url);
  const rules = { usualDurationsMs: allUsualDurations(usualDurationsMs), verify, refusalOfUrl };
  try {
    return await resumedRun(temporal, name, { runbook, rules }, problems);
  } catch (error) {
    throw toFailure(error);
  }
}

async function loadRunbook({ findRunbook }: ActivityDependencies, name: string): Promise<Runbook> {
  const found = await findRunbook(name);
  if (found.kind === 'found') return found.runbook;
  if (found.kind === 'broken') throw invalidPlan(name, found.problems);
  throw failure('UnknownRunbook', describeUnknownToWorker(name, found));
}

function checkedInputs(runbook: Runbook, startArguments: unknown, problems: Problem[]): Record<string, unknown> {
  const { inputs, problems: found } = readInputs(runbook, givenInputs(startArguments));
  problems.push(...found);
  return inputs;
}

/** Checks the inputs even if other arguments are wrong, so that all problems are reported together. */
function givenInputs(startArguments: unknown): Readonly<Record<string, unknown>> {
  const inputs =
    typeof startArguments === 'object' && startArguments !== null && 'inputs' in startArguments
      ? startArguments.inputs
      : {};
  return typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs) ? { ...inputs } : {};
}

async function planTargets(
  dependencies: PlanningDependencies,
  runbook: Runbook,
  { targets: texts }: StartArguments,
  planOne: PlanOne,
  problems: Problem[],
): Promise<TargetPlan[]> {
  const { max } = runbook.targets;
  if (texts.length > max) {
    problems.push({
      code: 'too-many-targets',
      place: 'targets',
      found: `${texts.length} targets, but ${runbook.name} accepts at most ${max}`,
      remedy: 'Start several runs, or raise targets.max in the runbook',
    });
    return [];
  }
  const plans: TargetPlan[] = [];
  const { lists, serviceStage } = dependencies;
  const resolver = new TargetResolver(serviceStage.projectId, lists, Context.current().cancellationSignal);
  try {
    for (const text of texts) {
      const seen = await resolveAndRead(dependencies, resolver, text);
      if ('found' in seen) problems.push(seen);
      else if (plans.some((other) => other.target.instanceId === seen.target.instanceId))
        problems.push(sameTwice(text, seen.target));
      else {
        const planned = await planOne(seen);
        if (planned !== null) plans.push(withUsual(dependencies, planned));
      }
    }
  } catch (error) {
    throw toFailure(error);
  }
  return plans.sort((left, right) => (left.target.path < right.target.path ? -1 : 1));
}

async function planTarget(
  dependencies: PlanningDependencies,
  runbook: Runbook,
  { target, seen }: SeenTarget,
  inputs: Readonly<Record<string, unknown>>,
  problems: Problem[],
): Promise<TargetPlan> {
  const { usualDurationsMs, verify } = dependencies;
  if (statusMeaning(seen.status) === 'deleted') {
    problems.push({
      code: 'unknown-target',
      place: `target ${target.path}`,
      found: `the instance is ${seen.status}`,
      remedy: 'Name an instance that exists',
    });
  }
  const needsSnapshots = runbook.steps.some((step) => isActionStep(step) && step.action === 'rollback');
  const snapshotVersions = needsSnapshots ? await listVersions(dependencies, target) : [];
  const { restores, name: asking } = runbook;
  const captured = restores === undefined ? null : await readCaptured(dependencies, { restores, asking }, target, seen);
  if (captured !== null && 'found' in captured) problems.push(captured);
  const facts = {
    target,
    seen,
    snapshotVersions,
    captured: captured === null || 'found' in captured ? null : captured,
  };
  const planned = planSteps(runbook, facts, {
    inputs,
    usualDurationsMs: allUsualDurations(usualDurationsMs),
    verify,
    refusalOfUrl: (url) => dependencies.checks.refusalOf(url),
  });
  problems.push(...planned.problems);
  const { steps, leftOut } = planned;
  return { target, seen, steps, ...(leftOut.length === 0 ? {} : { leftOut }) };
}

async function listVersions({ serviceStage, limits }: PlanningDependencies, target: Target): Promise<string[]> {
  const snapshots = await serviceStage.listSnapshots(target, readOptions(limits));
  return snapshots.map(({ version }) => version);
}

function withUsual({ usualDurations }: PlanningDependencies, plan: TargetPlan): TargetPlan {
  const { target, seen, steps } = plan;
  return { ...plan, usual: plannedUsual(seen, steps, (action) => usualDurations(jobKindOf(action, target.path))) };
}

function allUsualDurations(chosen: Partial<Record<ActionName, number>>): Record<ActionName, number> {
  return Object.fromEntries(
    ACTION_NAMES.map((name) => [name, chosen[name] ?? ACTIONS[name].usualDurationMs]),
  ) as Record<ActionName, number>;
}

function sameTwice(text: string, { path }: Target): Problem {
  return {
    code: 'invalid-arguments',
    place: `target ${text}`,
    found: `it is ${path} once more`,
    remedy: 'Name each target once',
  };
}

function invalidPlan(name: string, problems: readonly Problem[]): ApplicationFailure {
  const reported = problems.slice(0, MOST_PROBLEMS).map(cut);
  const more = problems.length - reported.length;
  const lines = reported.map((problem) => `- ${describeProblem(problem)}`);
  const message = [`${name} cannot be planned:`, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
  return failure('InvalidPlan', message, { details: { problems: reported } });
}

/** A remedy may list every input of a runbook, and there may be thousands. */
function cut({ code, place, found, remedy }: Problem): Problem {
  const short = (text: string) => text.slice(0, LONGEST_TEXT);
  return { code, place: short(place), found: short(found), remedy: short(remedy) };
}
