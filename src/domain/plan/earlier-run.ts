/** The run that another one resumes: what is known of it, and whether its report allows that. Pure. */
import type { Problem } from '../failures.js';
import type { RunReport, StepReport, TargetReport } from '../report/report.js';
import type { Plan } from './plan.js';

/** An earlier run, as Temporal knows it. */
export interface EarlierRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly runbook: string;
  /** True if it may still act. */
  readonly open: boolean;
  /** `null` if it was never planned, or its history was deleted. */
  readonly plan: Plan | null;
  /** As complete as the namespace still has it; `null` if it ended without one. */
  readonly report: RunReport | null;
}

/** An earlier run that can be resumed, if its targets can. */
export interface ResumableRun extends EarlierRun {
  readonly plan: Plan;
  readonly report: RunReport;
}

/** Why a run, or a target of it, is not resumed. The texts are for people. */
export type Refusal = Pick<Problem, 'code' | 'found' | 'remedy'>;

/** Narrows a run to one that can be resumed, or gives the reason why it cannot. */
export function resumableRun(run: EarlierRun): ResumableRun | Refusal {
  const { open, plan, report, runbook, workflowId } = run;
  const again = `Start again: runbook start ${runbook}`;
  if (open)
    return refusal(
      'run-still-open',
      `run ${workflowId} is still open and may act`,
      'Wait until it has ended, or stop it',
    );
  if (report === null || plan === null)
    return refusal(
      'no-report',
      `run ${workflowId} left no ${report === null ? 'report' : 'plan'}, so it is not known what it did`,
      `Check the instances. ${again}`,
    );
  if (report.outcome === 'succeeded')
    return refusal('nothing-to-resume', `run ${workflowId} succeeded: nothing is left`, again);
  if (!hasBegun(report))
    return refusal('nothing-to-resume', `run ${workflowId} ended ${report.outcome} and did nothing`, again);
  return { ...run, plan, report };
}

/** Paths of the targets that did not succeed, as far as the report has them. */
export function targetsLeft({ targets, notStarted }: RunReport): string[] {
  return [...targets.filter(({ outcome }) => outcome !== 'succeeded').map(({ path }) => path), ...notStarted];
}

/** By the report alone: may the run be resumed? The state of the instances decides while planning. */
export function canBeResumed(report: RunReport): boolean {
  const left = report.targets.filter(({ outcome }) => outcome !== 'succeeded');
  if (report.outcome === 'succeeded' || !hasBegun(report) || (report.cut?.dropped ?? 0) > 0) return false;
  const isClear = (target: TargetReport) => target.outcome !== 'indeterminate' && stepsUndone(target) === null;
  return left.length + report.notStarted.length > 0 && left.every(isClear);
}

/** A run that did nothing is started again, not resumed. */
function hasBegun({ targets }: RunReport): boolean {
  return targets.some(
    ({ outcome, steps, failure }) =>
      outcome === 'succeeded' ||
      steps.some((step) => isDone(step) || step.sent !== 'no') ||
      (outcome === 'indeterminate' && failure !== undefined),
  );
}

/** A target whose steps were undone is not resumed: an undo may not restore exactly the state from before, so a new plan must read it. */
export function stepsUndone({ outcome, compensations, path }: TargetReport): Refusal | null {
  if (outcome !== 'compensated' && outcome !== 'compensationFailed' && compensations.length === 0) return null;
  const how = outcome === 'compensationFailed' ? 'an undo failed or was not sent' : 'its steps were undone';
  return refusal(
    'steps-undone',
    how,
    `Check it, and start the runbook again on ${path}; resume the others with --target`,
  );
}

/** Whether nothing is left to do of a step. */
export function isDone({ result }: StepReport): boolean {
  return result === 'succeeded' || result === 'skipped';
}

/** The remedy where only a new plan helps. */
export function startAgain(runbook: string, path: string): string {
  return `start again on it, with a new plan: runbook start ${runbook} --target ${path}`;
}

/** @param found the reason @param remedy what to do instead */
export function refusal(code: string, found: string, remedy: string): Refusal {
  return { code, found, remedy };
}
