/** What a run that did not succeed left changed and nothing has undone, from its report as its memo keeps it. Pure. */
import { describeDifferences, differencesBetween } from '../report/compensation.js';
import type { Outcome, RunReport, TargetReport } from '../report/report.js';
import { statusMeaning } from '../target/target.js';

/** A target, and what was left of it. */
export interface LeftBehind {
  readonly path: string;
  /** For people: `status STOPPED (RUNNING before)`. */
  readonly what: string;
}

/** Ends after which a target may be left changed. The others did what was asked, touched nothing, or are followed up for themselves. */
const MAY_LEAVE: readonly Outcome[] = ['failed', 'cancelled', 'compensated'];

/**
 * The targets that may need a person. A target to which nothing was sent is none of them, whatever its state.
 *
 * @param report whole or cut, of any version: what it lacks is not concluded from
 */
export function leftBehind({ targets }: Pick<RunReport, 'targets'>): LeftBehind[] {
  const all: readonly TargetReport[] = Array.isArray(targets) ? targets : [];
  return all.flatMap((target) => {
    const what = MAY_LEAVE.includes(target.outcome) ? whatIsLeft(target) : null;
    return what === null ? [] : [{ path: target.path, what }];
  });
}

function whatIsLeft(target: TargetReport): string | null {
  const { steps, compensations, remaining, captured, lastSeen, cut } = target;
  if (cut === 'bare') return SEE_REPORT;
  const sent = [...steps, ...compensations].filter((step) => step.sent !== 'no');
  if (sent.length === 0) return null;
  const differences = captured === null || lastSeen === null ? [] : differencesBetween(captured, lastSeen);
  if (differences.length > 0) return describeDifferences(differences);
  const [effect] = remaining;
  if (effect !== undefined) return `${effect.stepId} was not undone`;
  // A short report has no reading from before the first step.
  if (lastSeen !== null && statusMeaning(lastSeen.status) !== 'running')
    return `status ${lastSeen.status}${captured === null ? '' : ', as before'}`;
  return captured === null && compensations.length === 0 ? SEE_REPORT : null;
}

const SEE_REPORT = 'its report shows what was left';
