/** Builds the last snapshot of a run from its report, for watchers of a run that has ended. Pure. */
import { describeAction } from '../domain/target/actions.js';
import type { RunReport, StepReport, TargetReport } from '../domain/report/report.js';
import type { RunProgress, StepProgress, TargetProgress } from '../domain/report/progress.js';
import { describeObservation } from '../domain/target/target.js';

/** What a run and its targets show at one moment. */
export interface RunSnapshot {
  readonly workflowId: string;
  readonly run: RunProgress;
  /** Targets whose child workflow has started, in order. A child that has ended and no longer answers is left out. */
  readonly targets: readonly TargetProgress[];
}

/** The snapshot of a run that has ended. */
export function snapshotOfReport(report: RunReport): RunSnapshot {
  const { runbook, planHash, startedAtMs, outcome, workflowId, notStarted } = report;
  const begun = report.targets.map(({ path, leaseId, outcome }) => ({ path, leaseId, childRunId: null, outcome }));
  const others = notStarted.map((path) => ({ path, leaseId: '', childRunId: null, outcome: null }));
  return {
    workflowId,
    run: { runbook, phase: 'finished', planHash, startedAtMs, targets: [...begun, ...others], outcome },
    targets: report.targets.map(progressOf),
  };
}

function progressOf({ path, outcome, steps, compensations, notReached, lastSeen }: TargetReport): TargetProgress {
  return {
    path,
    phase: 'finished',
    seen: lastSeen === null ? null : describeObservation(lastSeen),
    steps: [...steps.map((step) => stepOf(step, '')), ...notReached.map(pending)],
    compensations: compensations.map((step) => stepOf(step, 'undo: ')),
    outcome,
  };
}

function stepOf(step: StepReport, prefix: string): StepProgress {
  const { id, action, result, startedAtMs, endedAtMs, cloudJobId, after, failure, usual } = step;
  return {
    id,
    title: `${prefix}${action === null ? id : describeAction(action)}`,
    state: result,
    startedAtMs,
    endedAtMs,
    cloudJobId,
    seen: after === null ? null : describeObservation(after),
    failure: failure === undefined ? null : `${failure.name}: ${failure.message}`,
    ...(usual === undefined ? {} : { usual }),
  };
}

/** The report contains only the id of a step that was not reached. */
function pending(id: string): StepProgress {
  return {
    id,
    title: id,
    state: 'pending',
    startedAtMs: null,
    endedAtMs: null,
    cloudJobId: null,
    seen: null,
    failure: null,
  };
}
