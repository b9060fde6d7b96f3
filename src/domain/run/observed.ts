/** What workflows report to the metrics of their worker: facts that have ended, without names of targets. Pure. */
import type { PlannedStep } from '../plan/plan.js';
import type { ApprovalReport, Outcome, RunReport, StepReport, StepResult } from '../report/report.js';
import type { ActionName } from '../target/actions.js';

/** What a step does: its action, or the kind of a step without one. */
type StepWork = ActionName | Exclude<PlannedStep['kind'], 'action'>;

/** A run that has ended. */
export interface EndedRun {
  /** `null` if it was not planned: its name is then what somebody typed, and may be anything. */
  readonly runbook: string | null;
  readonly outcome: Outcome;
  /** From its start to its end, waits included, milliseconds. */
  readonly tookMs: number;
}

/** A step or an undo that has ended. */
export interface EndedStep {
  readonly work: StepWork;
  readonly result: StepResult;
}

/** An approval that was given, refused or not answered. */
export interface EndedApproval {
  readonly result: ApprovalReport['result'];
  readonly waitedMs: number;
}

/** The name of the sink; a worker registers it. */
export const RUN_SINK = 'runbookMetrics';

// A type, because only types have the index signature that sinks need.
/**
 * What observes runs. Workflows call it once for each fact, never while they are replayed. A workflow task that is repeated after it failed
 * may report the same fact again.
 */
export type RunObserver = {
  runEnded(run: EndedRun): void;
  stepEnded(step: EndedStep): void;
  undoEnded(undo: EndedStep): void;
  approvalEnded(approval: EndedApproval): void;
  /** A run waited for its gates, before all its targets together. */
  gateWaited(waitedMs: number): void;
};

/** The run of a report. */
export function endedRun({ runbook, planHash, outcome, startedAtMs, endedAtMs }: RunReport): EndedRun {
  return { runbook: planHash === null ? null : runbook, outcome, tookMs: Math.max(0, endedAtMs - startedAtMs) };
}

/** The step of a report. */
export function endedStep(step: PlannedStep, { result }: Pick<StepReport, 'result'>): EndedStep {
  return { work: step.kind === 'action' ? step.action.action : step.kind, result };
}

/** The approval of a report. */
export function endedApproval({ result, askedAtMs, endedAtMs }: ApprovalReport): EndedApproval {
  return { result, waitedMs: Math.max(0, endedAtMs - askedAtMs) };
}
