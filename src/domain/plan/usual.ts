/**
 * How long a target's steps usually take, from the figures that a plan holds: for people, and for the window that they
 * must fit into. Workflows decide by it, so it uses only what is recorded in the plan. Pure.
 */
import type { UsualDuration } from '../durations/usual-duration.js';
import type { TimeNeeded } from '../gates/gates.js';
import type { UsualOfStep } from '../report/report.js';
import type { Action } from '../target/actions.js';
import type { ApprovalStep, CheckStep, PlannedStep, TargetPlan, UsualStep, WaitStep } from './plan.js';

/** Half of all cases take at most `p50Ms`, nine in ten at most `p90Ms`. */
export type UsualTime = Pick<UsualDuration, 'p50Ms' | 'p90Ms'>;

/**
 * With fewer cloud jobs the figures are shown, but nothing follows from them: no target is left out, and no step is
 * called late. Chosen: of 20 one outlier decides nothing, of ten it would be what nine in ten take.
 */
export const FEWEST_JOBS = 20;
/** A step is unusually late after this many times the time within which nine in ten end, … Chosen. */
const LATE_FACTOR = 1.5;
/** … and at least this much later: a short step that was polled once more is not late. Chosen. */
const LATE_BY_MS = 10_000;

/**
 * How long a step may take before it is unusually late, in milliseconds since its start.
 * @returns `null` if too little is known to say so
 */
export function lateAfterMs({ p90Ms, jobs }: UsualOfStep): number | null {
  return jobs < FEWEST_JOBS ? null : Math.max(p90Ms * LATE_FACTOR, p90Ms + LATE_BY_MS);
}

/** Is a step that has taken `elapsedMs`, so far or in all, unusually late? */
export function isLate(usual: UsualOfStep, elapsedMs: number): boolean {
  const afterMs = lateAfterMs(usual);
  return afterMs !== null && elapsedMs > afterMs;
}

/**
 * The usual time of several things one after another. The medians are added. What nine in ten take beyond the median is
 * added as the root of the sum of squares, as for independent times: that all are slow at once is rarer than one in ten.
 */
export function inARow(times: readonly UsualTime[]): UsualTime {
  const p50Ms = times.reduce((sum, time) => sum + time.p50Ms, 0);
  const squares = times.reduce((sum, time) => sum + (time.p90Ms - time.p50Ms) ** 2, 0);
  return { p50Ms, p90Ms: Math.round(p50Ms + Math.sqrt(squares)) };
}

/** The usual time of all steps of a target. @returns `null` for a plan without figures */
export function usualOfTarget({ steps, usual }: TargetPlan): UsualTime | null {
  if (usual === undefined) return null;
  return inARow(steps.map((step) => (step.kind === 'action' ? timeOf(entryOf(step, usual)) : exactly(plainMs(step)))));
}

/** The usual time of a run: its targets one after another, without waiting for a gate. @returns `null` for a plan without figures */
export function usualOfRun(targets: readonly TargetPlan[], isAtOnce = false): UsualTime | null {
  const known = targets.map(usualOfTarget).filter((time) => time !== null);
  if (known.length < targets.length) return null;
  if (!isAtOnce) return inARow(known);
  return {
    p50Ms: Math.max(0, ...known.map(({ p50Ms }) => p50Ms)),
    p90Ms: Math.max(0, ...known.map(({ p90Ms }) => p90Ms)),
  };
}

/**
 * The usual time of one step or undo. An undo takes the figures of a step with the same action, and may hold as long as
 * any step does. @returns `undefined` if nothing is known, and for a wait, a check or an approval
 */
export function usualOfStep(
  { steps, usual = [] }: TargetPlan,
  { id, action }: { readonly id: string; readonly action: Action | null },
): UsualOfStep | undefined {
  const own = usual.find(({ stepId }) => stepId === id);
  if (own !== undefined) return { p50Ms: own.stepP50Ms, p90Ms: own.stepP90Ms, jobs: own.job.jobs };
  const similar = steps.find((step) => step.kind === 'action' && step.action.action === action?.action);
  const job = usual.find(({ stepId }) => stepId === similar?.id)?.job;
  if (job === undefined) return undefined;
  const holdMs = Math.max(...usual.map(({ job: { p50Ms }, stepP50Ms }) => stepP50Ms - p50Ms));
  return { p50Ms: job.p50Ms + holdMs, p90Ms: job.p90Ms + holdMs, jobs: job.jobs };
}

/**
 * How much time a target needs before the end of its window: what nine in ten take of the cloud jobs that enough is
 * known of, and every wait and verification. A cloud job that was only declared, or seen too seldom, counts as no time,
 * so that a guess never keeps a target out of a window that it has always fitted into.
 * @returns `null` for a plan without figures: its targets are begun as they always were
 */
export function timeNeeded({ steps, usual }: TargetPlan): TimeNeeded | null {
  if (usual === undefined) return null;
  const known = usual.filter(({ job, isSkipped }) => isSkipped !== true && job.jobs >= FEWEST_JOBS);
  const times = steps.map((step) => knownTime(step, usual));
  const counts = known.map(({ job }) => job.jobs);
  const jobs = counts.length === 0 ? null : { least: Math.min(...counts), most: Math.max(...counts) };
  return { ms: inARow(times).p90Ms, jobs };
}

function knownTime(step: PlannedStep, usual: readonly UsualStep[]): UsualTime {
  if (step.kind !== 'action') return exactly(plainMs(step));
  const entry = entryOf(step, usual);
  if (entry === undefined || entry.isSkipped === true) return exactly(0);
  return entry.job.jobs < FEWEST_JOBS ? exactly(entry.stepP90Ms - entry.job.p90Ms) : timeOf(entry);
}

/** The time of a wait, or how long the wanted answer of a check must hold, since the answer usually comes at once. How long people take to approve is not known, and counts against no deadline. */
function plainMs(step: WaitStep | CheckStep | ApprovalStep): number {
  switch (step.kind) {
    case 'wait':
      return step.durationMs;
    case 'check':
      return step.check.stableMs;
    case 'approval':
      return 0;
  }
}

function entryOf({ id }: PlannedStep, usual: readonly UsualStep[]): UsualStep | undefined {
  return usual.find(({ stepId }) => stepId === id);
}

function timeOf(entry: UsualStep | undefined): UsualTime {
  if (entry === undefined || entry.isSkipped === true) return exactly(0);
  return { p50Ms: entry.stepP50Ms, p90Ms: entry.stepP90Ms };
}

function exactly(ms: number): UsualTime {
  return { p50Ms: ms, p90Ms: ms };
}
