/** Why a question to Temporal or ServiceStage has no answer, in the same words for probes and for `runbook doctor`. */

/** `denied`: not with these credentials. `missing`: what was asked for does not exist. */
export type Cause = 'unreachable' | 'denied' | 'missing' | 'other';

/** The cause, and a sentence for people without secrets. */
export interface NoAnswer {
  readonly cause: Cause;
  readonly reason: string;
}
