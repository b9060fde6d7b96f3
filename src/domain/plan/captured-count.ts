/**
 * Which replica count a runbook with `restores` brings back: what the newest run that changed it captured. Judged from reports of
 * earlier runs, by what was seen, not by outcomes alone. Pure.
 */
import type { RunReport, StepReport, TargetReport } from '../report/report.js';

/** An earlier run that names the instance as a target, as Temporal knows it. Times are epoch milliseconds. */
export interface PastRun {
  readonly runbook: string;
  readonly workflowId: string;
  readonly runId: string;
  /** It may still act on the instance. */
  readonly open: boolean;
  /** As Temporal says: `COMPLETED`, `TERMINATED`, … */
  readonly status: string;
  readonly startedAtMs: number;
  readonly closedAtMs: number | null;
  /** `null` where it ended without one: terminated, timed out, or reset. */
  readonly report: RunReport | null;
}

/** Earlier runs on one instance, in any order, each once. */
export interface PastRuns {
  readonly runs: readonly PastRun[];
  /** When the newest holder of the instance's lease took it; `null` where nobody is known to have held it. */
  readonly leaseTakenAtMs: number | null;
}

/** A run changed the replica count and left it so. */
export interface CountChange {
  readonly run: PastRun;
  /** Seen before its first scale: what is captured. */
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
}

export interface Question {
  /** The runbook whose change is taken back. */
  readonly restores: string;
  /** The runbook that asks; its own runs tell whether that was done before. */
  readonly asking: string;
  readonly instanceId: string;
  /** The count of now; `null` where the API does not say. */
  readonly seen: number | null;
}

export type CapturedCount =
  | { readonly kind: 'captured'; readonly change: CountChange }
  /** A run that may still change the count. */
  | { readonly kind: 'open'; readonly run: PastRun }
  /** The newest run that may have changed the count does not tell whether it did, or what stands. */
  | { readonly kind: 'unclear'; readonly run: PastRun; readonly why: string }
  /** No run that changed the count is known; `runs` is how many were looked at. */
  | { readonly kind: 'nothing'; readonly runs: number }
  /** The count of now is neither what the run left nor, where it was restored already, what it captured. */
  | {
      readonly kind: 'changedSince';
      readonly change: CountChange;
      readonly restored: CountChange | null;
    };

export function capturedCount({ restores, asking, instanceId, seen }: Question, past: PastRuns): CapturedCount {
  const open = past.runs.find((run) => run.open);
  if (open !== undefined) return { kind: 'open', run: open };
  const runs = past.runs.filter((run) => !isToldElsewhere(run, past, instanceId));
  const effects = runs.flatMap((run) => effectOf(run, instanceId) ?? []).sort((one, other) => other.atMs - one.atMs);
  const change = effects.find(({ run }) => run.runbook === restores);
  if (change === undefined) return { kind: 'nothing', runs: runs.filter(({ runbook }) => runbook === restores).length };
  if (change.kind === 'unclear') return { kind: 'unclear', run: change.run, why: change.why };
  const restored = effects.find(
    (effect): effect is Stands =>
      effect.kind === 'stands' && effect.run.runbook === asking && effect.atMs > change.atMs,
  );
  // Once it was restored, the count that the run left is one that somebody set anew.
  const mayBe = restored === undefined ? [change.to, change.from] : [change.from];
  return seen !== null && mayBe.includes(seen)
    ? { kind: 'captured', change }
    : { kind: 'changedSince', change, restored: restored ?? null };
}

type Stands = CountChange & { readonly kind: 'stands' };
type Effect = Stands | { readonly kind: 'unclear'; readonly run: PastRun; readonly why: string; readonly atMs: number };

/** `null`: the run did not change the count of the instance, or took the change back. */
function effectOf(run: PastRun, instanceId: string): Effect | null {
  const { report, status, startedAtMs, closedAtMs } = run;
  const unclear = (why: string, atMs: number): Effect => ({ kind: 'unclear', run, why, atMs });
  if (report === null) return unclear(`it ended ${status} without a report`, closedAtMs ?? startedAtMs);
  const target = targetIn(report, instanceId);
  if (target === undefined)
    return (report.cut?.dropped ?? 0) === 0
      ? null
      : unclear('its report was too long to name all of its targets', report.endedAtMs);
  const { outcome, steps, compensations } = target;
  if (target.cut === 'bare' && outcome !== 'refused' && outcome !== 'expired')
    return unclear(
      `it ended ${outcome} there, and its steps are kept nowhere: its report was cut, and the workflow ${target.leaseId} that had them is gone`,
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
  if (from === null || to === null) return unclear('its report does not say the replica counts', atMs);
  if (from === to) return null;
  const stands = scales.every(isDone) && !compensations.some(isScale);
  return stands ? { kind: 'stands', run, from, to, atMs } : unclear(`it ended ${outcome} with ${from} → ${to}`, atMs);
}

/** A run without a report whose part in the instance is known all the same. */
function isToldElsewhere(run: PastRun, { runs, leaseTakenAtMs }: PastRuns, instanceId: string): boolean {
  if (run.report !== null) return false;
  // It never held the instance: nobody took the lease after it started.
  if (leaseTakenAtMs === null || leaseTakenAtMs < run.startedAtMs) return true;
  // A reset ended it, and the run that goes on has in its own report what was done until then.
  return runs.some(
    ({ workflowId, runId, report }) =>
      workflowId === run.workflowId &&
      runId !== run.runId &&
      report !== null &&
      targetIn(report, instanceId)?.steps.some(({ startedAtMs }) => startedAtMs < (run.closedAtMs ?? 0)) === true,
  );
}

/** By the instance's id: one that was deleted and made again has the path, and nothing else, in common. */
function targetIn({ targets }: RunReport, instanceId: string): TargetReport | undefined {
  return targets.find((target) => target.instanceId === instanceId);
}

function isScale({ action }: StepReport): boolean {
  return action?.action === 'scale';
}

function isDone({ result }: StepReport): boolean {
  return result === 'succeeded' || result === 'skipped';
}
