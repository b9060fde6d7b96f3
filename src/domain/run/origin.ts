/** Which run, and which instance, something is done for: in log lines, in spans, and in a header from workflows to activities. */

/** The header of Temporal that `targetRun` sends with its activities, because an activity does not know its workflow's parent. */
export const ORIGIN_HEADER = 'runbook-origin';

/** What is known of it. */
export interface Origin {
  /** Workflow id of the run, which commands take. */
  readonly runId?: string;
  /** `application/component/instance` */
  readonly target?: string;
}

/** An origin with what an activity knows besides. */
export interface Subject extends Origin {
  /** Id of the step. */
  readonly step?: string;
  readonly cloudJobId?: string;
}
