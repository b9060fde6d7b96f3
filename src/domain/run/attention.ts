/** Which runs need a person now, and why: the first group of `runbook ls`. Pure. */
import type { Outcome } from '../report/report.js';
import { isOpen, isPaused } from './workflow-status.js';

/**
 * Why a run needs a person. `noReport`: it ended without a report, so nothing was undone: it was terminated or timed out. `leftChanged`: it did
 * not succeed, and left an instance changed, or not running.
 */
export type Attention =
  'indeterminate' | 'compensationFailed' | 'noReport' | 'leftChanged' | 'paused' | 'blocked' | 'waitingForApproval';

/** Outcomes that a person has to follow up, whatever else the report shows. */
const ATTENTION_OUTCOMES = ['indeterminate', 'compensationFailed'] as const satisfies readonly Outcome[];

/** Does a person have to follow up a run, or a target, that ended so? */
export function needsFollowUp(outcome: Outcome): boolean {
  return ATTENTION_OUTCOMES.some((each) => each === outcome);
}

/** Outcomes of runs that may need a person. */
export const UNSUCCESSFUL_OUTCOMES: readonly Outcome[] = [...ATTENTION_OUTCOMES, 'failed', 'cancelled', 'compensated'];

/** What an open run waits for a person for: values of the search attribute `RunbookState`. */
export const ATTENTION_STATES = ['paused', 'blocked', 'waitingForApproval'] as const satisfies readonly Attention[];

/** What is known of a run. */
export interface AttentionFacts {
  /** Temporal's status, such as `RUNNING` or `TERMINATED`. */
  readonly status: string;
  /** The value of the search attribute `RunbookState`; `null` if it has none. */
  readonly state: string | null;
  /** `null` while it is open, and if it ended without a report. */
  readonly outcome: Outcome | null;
  /** Epoch milliseconds; `null` while it is open. */
  readonly endedAtMs: number | null;
  /** Its report shows an instance that it left changed. */
  readonly leftChanged: boolean;
}

/**
 * Why the run needs a person, or `null`. A run that has ended counts only if it ended after `sinceMs`: no one records that they have
 * dealt with it.
 */
export function attentionOf(
  { status, state, outcome, endedAtMs, leftChanged }: AttentionFacts,
  sinceMs: number,
): Attention | null {
  if (isOpen(status)) {
    if (isPaused(status)) return 'paused';
    return ATTENTION_STATES.find((each) => each === state) ?? null;
  }
  if (endedAtMs === null || endedAtMs < sinceMs) return null;
  if (outcome === null) return 'noReport';
  return ATTENTION_OUTCOMES.find((each) => each === outcome) ?? (leftChanged ? 'leftChanged' : null);
}
