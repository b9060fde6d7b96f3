/** What can go wrong on the way to a run. An outcome is never an error: it stands in the report. */

/** No workflow has that id, or it is older than the namespace keeps. */
export class RunNotFound extends Error {
  override readonly name = 'RunNotFound';
}

/** The id belongs to a run of another runbook. */
export class RunIdTaken extends Error {
  override readonly name = 'RunIdTaken';
}

/** A run's id must not begin with the prefix of leases. */
export class InvalidRunId extends Error {
  override readonly name = 'InvalidRunId';
}

/** There is a workflow of that id, but it left no report: it is no run of a runbook, or it was terminated. */
export class NoReport extends Error {
  override readonly name = 'NoReport';
}

/** The Temporal server does not answer. */
export class ServerUnreachable extends Error {
  override readonly name = 'ServerUnreachable';
}

/** The plan was refused; the report says why. */
export class PlanRefused extends Error {
  override readonly name = 'PlanRefused';
}
