/** A step of a report beside what truly happened for it. */
import type { StepReport } from '../../src/domain/report/report.js';
import type { DecisionRecord, HolderRecord, Job } from './chronicle.js';
import { acceptedFor } from './once.js';
import type { World } from './world.js';

/** What a report says of a step, and what is true of it. */
export interface ReportedStep {
  readonly world: World;
  readonly holder: HolderRecord;
  readonly step: StepReport;
  /** `null`: it was never decided. */
  readonly decision: DecisionRecord | null;
  /** Accepted for it. */
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
    const named = world.chronicle.jobs.find(({ id }) => id === step.cloudJobId) ?? null;
    return { world, holder, step, decision, accepted: decision === null ? [] : acceptedFor(decision), named };
  });
}

/** Its own; else, where it only looked what came of it after a reset, that of an execution before it. */
function decisionOf(
  { chronicle }: World,
  { decisions, readInRunId }: HolderRecord,
  { id }: StepReport,
): DecisionRecord | null {
  const own = decisions.findLast(({ stepId }) => stepId === id);
  const earlier = [...chronicle.decisions.values()].filter(({ decidedInRunId }) => decidedInRunId === readInRunId);
  return own ?? earlier.findLast(({ stepId }) => stepId === id) ?? null;
}

/** Cloud jobs of others that were in flight at some time of a span. */
export function foreignBetween({ chronicle }: World, fromMs: number, toMs: number): readonly Job[] {
  return chronicle.jobs.filter((job) => job.post === null && job.acceptedAtMs <= toMs && job.endsAtMs >= fromMs);
}

/** Were others than these in flight at some time of a span? */
export function othersBetween({ chronicle }: World, own: readonly Job[], fromMs: number, toMs: number): boolean {
  return chronicle.jobs.some((job) => !own.includes(job) && job.acceptedAtMs <= toMs && job.endsAtMs >= fromMs);
}

/** Has it taken somebody else's cloud job for its own, as it may where our user is not known? */
export function claimsForeign(holder: HolderRecord, world: World): boolean {
  return reportedSteps(world, holder).some(({ named }) => named !== null && named.post === null);
}

/** Cloud jobs of the decisions that this execution made or reports, in order. */
export function jobsOf(holder: HolderRecord, world: World): readonly Job[] {
  const reported = reportedSteps(world, holder).map(({ decision }) => decision);
  const decisions = new Set([...holder.decisions, ...reported]);
  return world.chronicle.jobs.filter(({ post }) => post !== null && decisions.has(post.decision));
}
