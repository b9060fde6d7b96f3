/** A step of a report beside what truly happened for it. */
import type { StepReport } from '../../src/domain/report/report.js';
import type { DecisionRecord, HolderRecord, Job } from './ground-truth.js';
import { acceptedFor } from './once.js';
import type { World } from './world.js';

/** A reported step, and the truth about it. */
export interface ReportedStep {
  readonly world: World;
  readonly holder: HolderRecord;
  readonly step: StepReport;
  /** `null`: it was never decided. */
  readonly decision: DecisionRecord | null;
  /** The cloud jobs that were accepted for it. */
  readonly accepted: readonly Job[];
  /** The cloud job that it names. */
  readonly named: Job | null;
}

/** Every step and undo of a holder's report. */
export function reportedSteps(world: World, holder: HolderRecord): readonly ReportedStep[] {
  const { report } = holder;
  if (report === null) return [];
  return [...report.steps, ...report.compensations].map((step) => {
    const decision = decisionOf(world, holder, step);
    const named = world.truth.jobs.find(({ id }) => id === step.cloudJobId) ?? null;
    return { world, holder, step, decision, accepted: decision === null ? [] : acceptedFor(decision), named };
  });
}

/** The execution's own decision; or that of an earlier execution, if this one only settled the step after a reset. */
function decisionOf(
  { truth }: World,
  { decisions, readInRunId }: HolderRecord,
  { id }: StepReport,
): DecisionRecord | null {
  const own = decisions.findLast(({ stepId }) => stepId === id);
  const earlier = [...truth.decisions.values()].filter(({ decidedInRunId }) => decidedInRunId === readInRunId);
  return own ?? earlier.findLast(({ stepId }) => stepId === id) ?? null;
}

/** Foreign cloud jobs that were in flight at some time of a span. */
export function foreignBetween({ truth }: World, fromMs: number, toMs: number): readonly Job[] {
  return truth.jobs.filter((job) => job.post === null && job.acceptedAtMs <= toMs && job.endsAtMs >= fromMs);
}

/** True if cloud jobs other than these were in flight at some time of a span. */
export function othersBetween({ truth }: World, own: readonly Job[], fromMs: number, toMs: number): boolean {
  return truth.jobs.some((job) => !own.includes(job) && job.acceptedAtMs <= toMs && job.endsAtMs >= fromMs);
}

/** True if the report adopted a foreign cloud job, which can happen if our user id is not known. */
export function claimsForeign(holder: HolderRecord, world: World): boolean {
  return reportedSteps(world, holder).some(({ named }) => named !== null && named.post === null);
}

/** Cloud jobs of the decisions that this execution made or reports, in order. */
export function jobsOf(holder: HolderRecord, world: World): readonly Job[] {
  const reported = reportedSteps(world, holder).map(({ decision }) => decision);
  const decisions = new Set([...holder.decisions, ...reported]);
  return world.truth.jobs.filter(({ post }) => post !== null && decisions.has(post.decision));
}
