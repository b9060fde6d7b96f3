/** The report of a run, from what it knows at its end. */
import type { FailureRecord } from '../failures.js';
import type { Plan, ResumedRun } from '../plan/plan.js';
import {
  worstOutcome,
  type ApprovalReport,
  type CommandRecord,
  type GateReport,
  type Outcome,
  type RunReport,
  type TargetReport,
} from './report.js';

/** Why a run ended before all its targets had: it could not be planned, or a gate stayed closed. */
export interface EarlyExit {
  readonly outcome: Extract<Outcome, 'refused' | 'expired'>;
  readonly failure: FailureRecord;
}

/** What a run knows at its end. */
export interface RunEnd extends Pick<RunReport, 'runbook' | 'workflowId' | 'runId' | 'startedAtMs' | 'endedAtMs'> {
  /** `null` if it could not be planned. */
  readonly plan: Plan | null;
  /** One for each target that was started, in their order. */
  readonly targets: readonly TargetReport[];
  readonly early: EarlyExit | null;
  readonly gates: readonly GateReport[];
  readonly cancelRequested: boolean;
  /** Who called it off before it started a target; `null` if it was not called off. */
  readonly withdrawnBy: string | null;
  readonly commands: readonly CommandRecord[];
  /** The approval that the whole run asked for; `null` if it asked for none. */
  readonly approval: ApprovalReport | null;
}

/** The outcome is the worst of what happened. Targets that were never started are listed by their paths. */
export function runReport(end: RunEnd): RunReport {
  const {
    runbook,
    workflowId,
    runId,
    startedAtMs,
    endedAtMs,
    plan,
    targets,
    early,
    gates,
    withdrawnBy,
    commands,
    approval,
  } = end;
  const outcome = runOutcome(end);
  const started = new Set(targets.map(({ path }) => path));
  return {
    reportVersion: 1,
    runbook,
    workflowId,
    runId,
    outcome,
    summary: summaryOf(end, outcome),
    planHash: plan?.hash ?? null,
    requestedBy: plan?.requestedBy ?? null,
    reason: plan?.reason ?? null,
    startedAtMs,
    endedAtMs,
    targets,
    notStarted: plan?.targets.map(({ target }) => target.path).filter((path) => !started.has(path)) ?? [],
    ...(gates.length === 0 ? {} : { gates }),
    ...(withdrawnBy === null ? {} : { withdrawnBy }),
    ...(commands.length === 0 ? {} : { commands }),
    ...(approval === null ? {} : { approval }),
    ...(plan?.resumes === undefined ? {} : { resumes: nameOf(plan.resumes) }),
    ...(early === null ? {} : { failure: early.failure }),
  };
}

function nameOf({ workflowId, runId }: ResumedRun): NonNullable<RunReport['resumes']> {
  return { workflowId, runId };
}

/** The worst of its targets', of how it ended early, and of a cancel, which hides an early end. */
function runOutcome({ targets, early, cancelRequested }: RunEnd): Outcome {
  const outcomes = targets.map(({ outcome }) => outcome);
  if (cancelRequested) outcomes.push('cancelled');
  else if (early !== null) outcomes.push(early.outcome);
  return worstOutcome(outcomes);
}

function summaryOf({ runbook, targets, early, withdrawnBy, commands }: RunEnd, outcome: Outcome): string {
  const decisive = targets.find((target) => target.outcome === outcome);
  const failure = early?.failure ?? (decisive === undefined ? undefined : failureOf(decisive));
  const where = decisive === undefined ? '' : ` on ${decisive.path}`;
  const why = failure === undefined ? '' : ` (${failure.name}: ${failure.message})`;
  const withdrawn = withdrawnBy === null ? '' : `, withdrawn by ${withdrawnBy} before it began`;
  const abort = commands.find(({ command }) => command === 'abort');
  const aborted = abort === undefined ? '' : `, aborted by ${abort.actor}: ${abort.reason}`;
  return `${runbook}${where}: ${outcome}${why}${withdrawn}${aborted}`;
}

/** The target's own failure, else that of its last step or undo that has one. */
function failureOf({ failure, steps, compensations }: TargetReport): FailureRecord | undefined {
  return failure ?? [...steps, ...compensations].findLast((step) => step.failure !== undefined)?.failure;
}
