/** The targets of a run, one after another, in an emergency all at once: each waits for its gate, then its own workflow takes the lease and acts. */
import { CancellationScope, ChildWorkflowFailure, isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import { failureRecord, type FailureRecord } from '../domain/failures.js';
import { isGateFailure } from '../domain/gates/gates.js';
import type { Plan, TargetPlan } from '../domain/plan/plan.js';
import type { TargetReport } from '../domain/report/report.js';
import type { EarlyExit } from '../domain/report/run-report.js';
import { approvalFailure } from '../domain/steering/approvals.js';
import { reportWithoutChild } from '../domain/report/target-report.js';
import type { WithdrawalEvent } from '../domain/run/withdrawal.js';
import { leaseId } from '../domain/target/target.js';
import { rootCause, rootFailure } from './failure.js';
import type { GateResult, Gates } from './gates.js';
import { acquireLease, type TargetTimes } from './lease.js';
import type { RunNotifications } from './run-notifications.js';
import type { RunProgressView } from './run-progress.js';
import type { RunSteering } from './run-steering.js';

/** A run once it is planned. */
export interface RunUnderWay {
  readonly plan: Plan;
  readonly gates: Gates;
  readonly progress: RunProgressView;
  readonly steering: RunSteering;
  readonly notifications: RunNotifications;
  /** May cancel the run: a withdrawal that came too late for a target is in time once that target is abandoned. */
  readonly note: (event: WithdrawalEvent) => void;
}

/** Reports of the targets that were started, and why no further one was started, if their reports do not show that. */
interface TargetsResult {
  readonly targets: readonly TargetReport[];
  readonly early: EarlyExit | null;
}

/** Waits until the run is approved, then runs its targets. */
export async function runTargets(run: RunUnderWay): Promise<TargetsResult> {
  const { plan, steering } = run;
  await steering.untilApproved(plan);
  const { report: approval } = steering.approvals;
  const failure = approval === null ? null : approvalFailure(approval);
  if (failure !== null)
    return { targets: [], early: { outcome: approval?.result === 'expired' ? 'expired' : 'refused', failure } };
  // Emergencies that began before this patch run their targets one after another.
  return plan.emergency === true && patched('emergency-at-once') ? runAtOnce(run) : runInTurn(run);
}

/** The first target that does not succeed ends the run, as does a gate that stays closed, or a cancel. */
async function runInTurn(run: RunUnderWay): Promise<TargetsResult> {
  const { plan } = run;
  const targets: TargetReport[] = [];
  for (const targetPlan of plan.targets) {
    if (isCancelled()) break;
    const result = await runWhenOpen(run, targetPlan);
    if (result.kind === 'cancelled') break;
    if (result.kind === 'closed') {
      // A run that may not wait and has started nothing was refused; any other ran out of time.
      const isRefused = targets.length === 0 && plan.guards?.waitAtMostMs === null;
      return { targets, early: { outcome: isRefused ? 'refused' : 'expired', failure: result.failure } };
    }
    const { report } = result;
    targets.push(report);
    if (report.outcome !== 'succeeded') break;
  }
  return { targets, early: null };
}

/** No target waits for another one, and none keeps another one from being begun. An emergency has no gates. */
async function runAtOnce(run: RunUnderWay): Promise<TargetsResult> {
  const results = await Promise.all(run.plan.targets.map((targetPlan) => runWhenOpen(run, targetPlan)));
  return { targets: results.flatMap((result) => (result.kind === 'ended' ? [result.report] : [])), early: null };
}

/** How a target ended, or why it was not started. */
type GatedResult = Exclude<GateResult, { kind: 'open' }> | { readonly kind: 'ended'; readonly report: TargetReport };

/** If a gate closes before the first action is sent, the run waits again or ends, as at first. */
async function runWhenOpen(run: RunUnderWay, targetPlan: TargetPlan): Promise<GatedResult> {
  const { plan, gates, steering, progress } = run;
  for (;;) {
    if (await isCancelledWhilePaused(steering)) return { kind: 'cancelled' };
    const gate = await gates.waitUntilOpen(targetPlan);
    if (gate.kind !== 'open') return gate;
    if (isCancelled()) return { kind: 'cancelled' };
    // It was paused while it waited for the gate, which is checked again.
    if (steering.isHeld) continue;
    const deadlineAtMs = workflowInfo().startTime.getTime() + plan.deadlineMs + gates.waitedMs + steering.heldMs;
    const report = await runTarget(run, targetPlan, { deadlineAtMs, closing: gate.closing });
    if (gate.closing === null || !isRefusedByGate(report)) {
      progress.updateTarget(targetPlan, { outcome: report.outcome });
      return { kind: 'ended', report };
    }
    gates.recordClosed(targetPlan.target.path, gate.closing);
    abandonTarget(run, targetPlan);
  }
}

async function isCancelledWhilePaused(steering: RunSteering): Promise<boolean> {
  try {
    await steering.untilResumed();
    return false;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return true;
  }
}

function isCancelled(): boolean {
  return CancellationScope.current().consideredCancelled;
}

function isRefusedByGate({ outcome, steps }: TargetReport): boolean {
  return outcome === 'refused' && isGateFailure(steps.at(-1)?.failure?.name);
}

/** It is started again, or never. */
function abandonTarget({ progress, note }: RunUnderWay, targetPlan: TargetPlan): void {
  progress.updateTarget(targetPlan, { childRunId: null });
  note({ kind: 'targetAbandoned' });
}

async function runTarget(run: RunUnderWay, targetPlan: TargetPlan, times: TargetTimes): Promise<TargetReport> {
  // A runbook without steps only observes: it takes no lease and starts no child.
  if (targetPlan.steps.length === 0) return reportWithoutChild(targetPlan, 'succeeded');
  run.note({ kind: 'targetStarted' });
  run.steering.targetBegins(targetPlan.target.path);
  try {
    const lease = await acquireLease(run.plan, targetPlan, times);
    if (!('result' in lease)) return reportWithoutChild(targetPlan, 'refused', lease);
    run.progress.updateTarget(targetPlan, { childRunId: lease.firstExecutionRunId });
    run.steering.targetStarted(targetPlan.target.path, lease);
    return await lease.result();
  } catch (error) {
    if (error instanceof ChildWorkflowFailure)
      return reportWithoutChild(targetPlan, 'indeterminate', lostReport(targetPlan, error));
    if (isCancellation(error)) return reportWithoutChild(targetPlan, 'cancelled');
    return reportWithoutChild(targetPlan, 'refused', rootFailure(error));
  } finally {
    run.steering.targetEnds(targetPlan.target.path);
  }
}

function lostReport({ target }: TargetPlan, error: ChildWorkflowFailure): FailureRecord {
  const { message } = rootCause(error);
  return failureRecord(
    'Indeterminate',
    `The workflow that held the lease on ${target.path} ended without a report (${message}). The history of ${leaseId(target)} shows what it sent`,
  );
}
