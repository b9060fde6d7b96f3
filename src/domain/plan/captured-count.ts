/**
 * Decides which replica count a runbook with `restores` brings back: the one that the newest run that changed it had
 * captured. Uses the readings in reports of earlier runs, not only their outcomes. Pure.
 */
import type { RunReport, StepReport, TargetReport } from '../report/report.js';

/** An earlier run with the instance as a target, from Temporal. Times are epoch milliseconds. */
export interface PastRun {
  readonly runbook: string;
  readonly workflowId: string;
  readonly runId: string;
  /** True if it may still act on the instance. */
  readonly open: boolean;
  /** Temporal's status: `COMPLETED`, `TERMINATED`, … */
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  /** `null` if it ended without one: terminated, timed out, or reset. */
  readonly report: RunReport | null;
}

/** Earlier runs on one instance, each once, in any order. */
export interface PastRuns {
  readonly runs: readonly PastRun[];
  /** When the newest holder of the instance's lease acquired it; `null` if no holder is known. */
  readonly leaseTakenAtMs: number | null;
}

/** A run changed the replica count and did not change it back. */
export interface CountChange {
  readonly run: PastRun;
  /** Observed before its first scale; this is the captured count. */
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
}

/** What to restore, and where. */
export interface Question {
  /** The runbook whose change is reverted. */
  readonly restores: string;
  /** The runbook that restores. Its own runs show whether the count was restored already. */
  readonly asking: string;
  readonly instanceId: string;
  /** The current count; `null` if the API does not report it. */
  readonly seen: number | null;
}

/** The count to restore, or why there is none. */
export type CapturedCount =
  | { readonly kind: 'captured'; readonly change: CountChange }
  /** A run may still change the count. */
  | { readonly kind: 'open'; readonly run: PastRun }
  /** The newest run that may have changed the count does not show whether it did, or which count remained. */
  | { readonly kind: 'unclear'; readonly run: PastRun; readonly why: string }
  /** No run that changed the count is known; `runs` is how many were examined. */
  | { readonly kind: 'nothing'; readonly runs: number }
  /** The current count is neither the one that the run left nor, if it was restored already, the captured one. */
  | {
      readonly kind: 'changedSince';
      readonly change: CountChange;
      readonly restored: CountChange | null;
    };

/** Decides which count to restore. */
export function capturedCount({ restores, asking, instanceId, seen }: Question, past: PastRuns): CapturedCount {
  const open = past.runs.find((run) => run.open);
  if (open !== undefined) return { kind: 'open', run: open };
  const runs = past.runs.filter((run) => !isKnownOtherwise(run, past, instanceId));
  const effects = runs.flatMap((run) => effectOf(run, instanceId) ?? []).sort((one, other) => other.atMs - one.atMs);
  const change = effects.find(({ run }) => run.runbook === restores);
  if (change === undefined) return { kind: 'nothing', runs: runs.filter(({ runbook }) => runbook === restores).length };
  if (change.kind === 'unclear') return { kind: 'unclear', run: change.run, why: change.why };
  const restored = effects.find(
    (effect): effect is Kept => effect.kind === 'kept' && effect.run.runbook === asking && effect.atMs > change.atMs,
  );
  // Once the count was restored, the value that the run left must have been set by someone else.
  const mayBe = restored === undefined ? [change.to, change.from] : [change.from];
  return seen !== null && mayBe.includes(seen)
    ? { kind: 'captured', change }
    : { kind: 'changedSince', change, restored: restored ?? null };
}

type Kept = CountChange & { readonly kind: 'kept' };
type Effect = Kept | { readonly kind: 'unclear'; readonly run: PastRun; readonly why: string; readonly atMs: number };

/** `null` if the run did not change the count of the instance, or changed it back. */
function effectOf(run: PastRun, instanceId: string): Effect | null {
  const { report, status, startedAtMs, closedAtMs } = run;
  const unclear = (why: string, atMs: number): Effect => ({ kind: 'unclear', run, why, atMs });
  if (report === null) return unclear(`it ended ${status} without a report`, closedAtMs ?? startedAtMs);
  const target = targetIn(report, instanceId);
  if (target === undefined)
    return (report.cut?.dropped ?? 0) === 0
      ? null
      : unclear('its report was too long for all of its targets', report.endedAtMs);
  const { outcome, steps, compensations } = target;
  if (target.cut === 'bare' && outcome !== 'refused' && outcome !== 'expired')
    return unclear(
      `it ended ${outcome} there, and its steps are lost: its report was shortened, and the workflow ${target.leaseId} that had them no longer exists`,
      report.endedAtMs,
    );
  const atMs = [...steps, ...compensations].at(-1)?.endedAtMs ?? report.endedAtMs;
  if (outcome === 'indeterminate' || outcome === 'compensationFailed')
    return unclear(`it ended ${outcome} there`, atMs);
  const scales = [...steps, ...compensations].filter(isScale);
  const sent = scales.findIndex((step) => step.sent !== 'no');
  if (sent < 0) return null;
  const from = scales[sent]?.before?.replicaCount ?? null;
  const to = scales.at(-1)?.after?.replicaCount ?? null;
  if (from === null || to === null) return unclear('its report has no replica counts', atMs);
  if (from === to) return null;
  const isKept = scales.every(isDone) && !compensations.some(isScale);
  return isKept ? { kind: 'kept', run, from, to, atMs } : unclear(`it ended ${outcome} with ${from} → ${to}`, atMs);
}

/** True for a run without a report whose effect on the instance is known anyway. */
function isKnownOtherwise(run: PastRun, { runs, leaseTakenAtMs }: PastRuns, instanceId: string): boolean {
  if (run.report !== null) return false;
  // It never held the instance: no one acquired the lease after it started.
  if (leaseTakenAtMs === null || leaseTakenAtMs < run.startedAtMs) return true;
  // A reset ended it, and the run that continues reports what was done until then.
  return runs.some(
    ({ workflowId, runId, report }) =>
      workflowId === run.workflowId &&
      runId !== run.runId &&
      report !== null &&
      targetIn(report, instanceId)?.steps.some(({ startedAtMs }) => startedAtMs < (run.closedAtMs ?? 0)) === true,
  );
}

/** Matches by the instance's id: an instance that was deleted and created again shares only the path. */
function targetIn({ targets }: RunReport, instanceId: string): TargetReport | undefined {
  return targets.find((target) => target.instanceId === instanceId);
}

function isScale({ action }: StepReport): boolean {
  return action?.action === 'scale';
}

function isDone({ result }: StepReport): boolean {
  return result === 'succeeded' || result === 'skipped';
}
