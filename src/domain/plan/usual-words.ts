/** How long something usually takes, in words. Pure. */
import type { UsualDuration } from '../durations/usual-duration.js';
import type { UsualOfStep } from '../report/report.js';
import { describeDuration } from '../time/duration.js';
import { describeTime } from '../time/utc-time.js';
import type { TargetPlan, UsualStep } from './plan.js';
import { isLate, lateAfterMs, usualOfRun, type UsualTime } from './usual.js';

const DECLARED = 'declared, no cloud job seen yet';
const SOURCES: Readonly<Record<Exclude<UsualDuration['from'], 'declared'>, string>> = {
  component: 'of this component',
  action: 'of this action, all components together',
};

/** `usually 22s, nine in ten within 30s (from 41 cloud jobs of this component)` */
export function describeUsualStep({ job, stepP50Ms, stepP90Ms }: UsualStep): string {
  if (job.from === 'declared') return `about ${describeDuration(stepP50Ms)} (${DECLARED})`;
  const times = describeUsualTime({ p50Ms: stepP50Ms, p90Ms: stepP90Ms });
  return `${times} (from ${cloudJobs(job.jobs)} ${SOURCES[job.from]})`;
}

/** `usually 36s, nine in ten within 44s`. @returns `null` for a plan without figures, and one that takes no time */
export function describeUsualRun(targets: readonly TargetPlan[], isAtOnce = false): string | null {
  const time = usualOfRun(targets, isAtOnce);
  if (time === null || time.p90Ms === 0) return null;
  const counted = targets.flatMap(({ usual = [] }) => usual).filter(({ isSkipped }) => isSkipped !== true);
  const declared = counted.filter(({ job }) => job.from === 'declared').length;
  if (declared === 0) return describeUsualTime(time);
  if (declared < counted.length) return `${describeUsualTime(time)} (some of its steps by a declared duration)`;
  return `about ${describeDuration(time.p50Ms)} (${DECLARED})`;
}

/** `usually 12s, nine in ten within 20s`; one time where they read the same */
export function describeUsualTime({ p50Ms, p90Ms }: UsualTime): string {
  const [usual, most] = [describeDuration(p50Ms), describeDuration(p90Ms)];
  return usual === most ? `usually ${usual}` : `usually ${usual}, nine in ten within ${most}`;
}

/** For a step whose own time is shown beside it: `usually 12s`, or `about 1m declared` */
export function describeBriefly({ p50Ms, jobs }: UsualOfStep): string {
  return jobs === 0 ? `about ${describeDuration(p50Ms)} declared` : `usually ${describeDuration(p50Ms)}`;
}

/** For a step by the time it took, or has taken so far: `usually 12s`, or `usually 12s: unusually late` */
export function describeAgainstUsual(usual: UsualOfStep, elapsedMs: number): string {
  return `${describeBriefly(usual)}${isLate(usual, elapsedMs) ? ': unusually late' : ''}`;
}

/** For a text that is not refreshed while the step runs: `usually ends by 2026-12-01T03:12:20Z; unusually late after 2026-12-01T03:12:30Z` */
export function describeUsualEnd(usual: UsualOfStep, startedAtMs: number): string {
  const end = describeTime(startedAtMs + usual.p90Ms);
  if (usual.jobs === 0) return `may end by about ${end} (${DECLARED})`;
  const lateMs = lateAfterMs(usual);
  return `usually ends by ${end}${lateMs === null ? '' : `; unusually late after ${describeTime(startedAtMs + lateMs)}`}`;
}

function cloudJobs(count: number): string {
  return count === 1 ? '1 cloud job' : `${count} cloud jobs`;
}
