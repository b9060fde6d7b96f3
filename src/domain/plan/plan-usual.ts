/** The usual durations that a plan records for its steps, and whether its window has time for them. Pure. */
import type { UsualDuration } from '../durations/usual-duration.js';
import type { TimeNeeded } from '../gates/gates.js';
import type { Observation } from '../target/target.js';
import type { ActionName } from '../target/actions.js';
import { expectedCourse } from './expected-course.js';
import {
  requiredState,
  type ActionStep,
  type Plan,
  type PlannedStep,
  type TargetPlan,
  type UsualStep,
} from './plan.js';
import { timeNeeded, usualOfTarget } from './usual.js';

/** The figures of each action step. @param learned gives `null` if nothing was learned: then what the step declares is used */
export function plannedUsual(
  seen: Observation,
  steps: readonly PlannedStep[],
  learned: (action: ActionName) => UsualDuration | null,
): UsualStep[] {
  const { steps: course } = expectedCourse(seen, steps);
  return steps.flatMap((step, index): UsualStep[] => {
    if (step.kind !== 'action') return [];
    const job = rounded(learned(step.action.action) ?? declared(step));
    const holdMs = requiredState(step).stableMs;
    return [
      {
        stepId: step.id,
        job,
        stepP50Ms: job.p50Ms + holdMs,
        stepP90Ms: job.p90Ms + holdMs,
        ...(course[index]?.course === 'skipped' ? { isSkipped: true as const } : {}),
      },
    ];
  });
}

function declared({ usualDurationMs }: ActionStep): UsualDuration {
  return { p50Ms: usualDurationMs, p90Ms: usualDurationMs, jobs: 0, from: 'declared' };
}

function rounded({ p50Ms, p90Ms, jobs, from }: UsualDuration): UsualDuration {
  return { p50Ms: Math.round(p50Ms), p90Ms: Math.round(p90Ms), jobs, from };
}

/** The first target for which the window has no time left, if those before it take their usual time. */
export interface Misfit {
  readonly target: TargetPlan;
  /** How many targets come before it. */
  readonly before: number;
  readonly needed: TimeNeeded;
  /** From when it is due to the end of the window, milliseconds. */
  readonly leftMs: number;
  /** `declared`: only declared durations do not fit, so it is begun all the same. */
  readonly because: 'known' | 'declared';
}

/** @returns `null` if there is no window, or all targets fit into it, or the plan has no figures */
export function misfitOf({ guards, targets }: Plan): Misfit | null {
  const window = guards?.window ?? null;
  if (window === null) return null;
  const plannedAtMs = Math.max(...targets.map(({ seen }) => seen.observedAtMs));
  const opensAtMs = window.opensAtMs ?? plannedAtMs;
  const endsAtMs = opensAtMs + window.durationMs;
  let dueAtMs = Math.max(opensAtMs, plannedAtMs);
  for (const [before, target] of targets.entries()) {
    const needed = timeNeeded(target);
    const usual = usualOfTarget(target);
    if (needed === null || usual === null) return null;
    const leftMs = endsAtMs - dueAtMs;
    if (needed.ms >= leftMs) return { target, before, needed, leftMs, because: 'known' };
    if (usual.p90Ms >= leftMs) {
      const asDeclared = { ms: usual.p90Ms, jobs: null };
      return { target, before, needed: asDeclared, leftMs, because: 'declared' };
    }
    dueAtMs += usual.p50Ms;
  }
  return null;
}
