/** Plans a run that resumes another one: checks the earlier run and the runbook, then what is left of each target. */
import type { StartArguments } from '../domain/contract.js';
import type { RunName } from '../domain/report/report.js';
import type { Problem } from '../domain/failures.js';
import { planAgain, planDifferences, type Today } from '../domain/plan/replan.js';
import { resumeTarget } from '../domain/plan/resume.js';
import { resumableRun, targetsLeft, type ResumableRun, type Refusal } from '../domain/plan/earlier-run.js';
import { shortHash, type PlannedStep, type ResumedRun, type TargetPlan } from '../domain/plan/plan.js';
import { desiredStateHolds } from '../domain/target/actions.js';
import type { Observation, Target } from '../domain/target/target.js';
import { hashOf } from './plan-hash.js';
import type { TemporalAccess } from './temporal-access.js';

/** Reads the earlier run. @returns `null` if it cannot be resumed; the problem is then in `problems` */
export async function resumedRun(
  temporal: Pick<TemporalAccess, 'earlierRun'>,
  name: RunName,
  today: Today,
  problems: Problem[],
): Promise<ResumableRun | null> {
  const { workflowId } = name;
  const problem = (refused: Refusal) => {
    problems.push({ place: 'resumes', ...refused });
    return null;
  };
  const run = await temporal.earlierRun(name);
  const { runbook } = today;
  if (run === null)
    return problem({
      code: 'unknown-run',
      found: `Temporal does not know run ${workflowId} (${name.runId})`,
      remedy: `It may have been deleted after the namespace's retention. Start again: runbook start ${runbook.name}`,
    });
  if (run.runbook !== runbook.name)
    return problem({
      code: 'other-runbook',
      found: `run ${workflowId} is a run of ${run.runbook}, not of ${runbook.name}`,
      remedy: `Use: runbook resume ${workflowId}`,
    });
  const resumable = resumableRun(run);
  if ('found' in resumable) return problem(resumable);
  const again = planAgain(resumable.plan, today);
  const hash = hashOf(again);
  if (hash === resumable.plan.hash) return resumable;
  const differences = planDifferences(resumable.plan, again);
  return problem({
    code: 'runbook-changed',
    found: `${runbook.name}, or a default of the worker, has changed since run ${workflowId}: ${differences.join('; ')} (plan ${shortHash(resumable.plan.hash)}, now ${shortHash(hash)})`,
    remedy: `Start again with a new plan: runbook start ${runbook.name}`,
  });
}

/** What the new plan records about the earlier run. @param targets those that it resumes */
export function resumes({ workflowId, runId, plan, report }: ResumableRun, targets: readonly TargetPlan[]): ResumedRun {
  const planned = targets.map(({ target }) => target.path);
  return {
    workflowId,
    runId,
    planHash: plan.hash,
    outcome: report.outcome,
    endedAtMs: report.endedAtMs,
    succeeded: report.targets.filter(({ outcome }) => outcome === 'succeeded').map(({ path }) => path),
    leftOut: targetsLeft(report).filter((path) => !planned.includes(path)),
  };
}

/** The calendars of the earlier run continue to count. Its window does not: the caller gives one, or none. */
export function withFreezesOf(run: ResumableRun | null, start: StartArguments): StartArguments {
  const freeze = [...(run?.plan.guards?.freeze ?? []), ...(start.freeze ?? [])];
  return freeze.length === 0 ? start : { ...start, freeze };
}

/** What is left of one target; `null` if it cannot be resumed, with the problem in `problems`. */
export async function planLeft(
  run: ResumableRun,
  { target, seen }: { readonly target: Target; readonly seen: Observation },
  snapshotVersions: () => Promise<readonly string[]>,
  problems: Problem[],
): Promise<TargetPlan | null> {
  const place = `target ${target.path}`;
  const targetPlan = run.plan.targets.find((each) => each.target.instanceId === target.instanceId);
  const left =
    targetPlan === undefined ? notOf(run, target) : resumeTarget({ run, targetPlan, seen, nowMs: Date.now() });
  if ('found' in left) {
    problems.push({ place, ...left });
    return null;
  }
  const needed = versionsNeeded(left.steps, seen);
  const versions = needed.length === 0 ? [] : await snapshotVersions();
  for (const version of needed.filter((each) => !versions.includes(each)))
    problems.push({
      code: 'invalid-step',
      place,
      found: `run ${run.workflowId} was to roll it back to ${version}, and there is no such snapshot any more`,
      remedy: `Start again: runbook start ${run.runbook} --target ${target.path}`,
    });
  return { target, seen, ...left };
}

function notOf({ workflowId, report }: ResumableRun, { instanceId }: Target): Refusal {
  return {
    code: 'other-target',
    found: `run ${workflowId} did not have it (${instanceId})`,
    remedy: `Its targets that are left: ${targetsLeft(report).join(', ')}`,
  };
}

/** The versions that are still to be rolled back to. */
function versionsNeeded(steps: readonly PlannedStep[], seen: Observation): string[] {
  return steps.flatMap((step) =>
    step.kind === 'action' && step.action.action === 'rollback' && !desiredStateHolds(step.action, seen)
      ? [step.action.version]
      : [],
  );
}
