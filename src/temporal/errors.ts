/**
 * Errors of `RunbookClient`, one class each, distinguished by `instanceof` or by `name`. An outcome is never an
 * error: it is in the report.
 */
import { describeProblem, type Problem } from '../domain/failures.js';

/** An error about one run. */
abstract class AboutRun extends Error {
  /** Workflow id of the run. */
  readonly workflowId: string;

  constructor(workflowId: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.workflowId = workflowId;
  }
}

/** No workflow has this id, or the namespace no longer keeps it. */
export class RunNotFound extends AboutRun {
  override readonly name = 'RunNotFound';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `There is no run ${workflowId}`, options);
  }
}

/** The id belongs to a run of another request: another runbook, other targets, other inputs, another task queue. Nothing was started. */
export class RunIdTaken extends AboutRun {
  override readonly name = 'RunIdTaken';

  /** @param differences what differs: `taskQueue`, `runbook`, or keys of the start arguments */
  constructor(
    workflowId: string,
    readonly runId: string,
    readonly differences: readonly string[],
    message: string,
  ) {
    super(workflowId, message);
  }
}

/** Thrown only with `onExisting: 'fail'`: a run of this id exists, in progress or ended. Nothing was started. */
export class RunAlreadyStarted extends AboutRun {
  override readonly name = 'RunAlreadyStarted';

  constructor(
    workflowId: string,
    readonly runId: string,
  ) {
    super(workflowId, `Run ${workflowId} exists already; nothing new was started`);
  }
}

/** A run's id must not be empty, too long, or begin with the prefix of leases. */
export class InvalidRunId extends Error {
  override readonly name = 'InvalidRunId';
}

/** Text of the request contains control or invisible characters; `problems` lists each place. Nothing was started. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';

  constructor(readonly problems: readonly Problem[]) {
    super(
      [
        'The request cannot be sent; nothing was started:',
        ...problems.map((each) => `- ${describeProblem(each)}`),
      ].join('\n'),
    );
  }
}

/** The workflow ended without a report: it is not a run of a runbook, it only planned, or it was terminated. */
export class NoReport extends AboutRun {
  override readonly name = 'NoReport';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(
      workflowId,
      `${workflowId} left no report: it is not a run of a runbook, it only planned, or it was terminated`,
      options,
    );
  }
}

/** The run, or its target, cannot take this command now. The message explains why and lists what is possible; nothing was changed. */
export class CommandRejected extends AboutRun {
  override readonly name = 'CommandRejected';
}

/** The run has ended, so that it takes no command any more. */
export class RunEnded extends AboutRun {
  override readonly name = 'RunEnded';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `${workflowId} has already ended. Its report: runbook report ${workflowId}`, options);
  }
}

/** The workflow answers no progress query, so it is not a run of a runbook. */
export class NotARun extends AboutRun {
  override readonly name = 'NotARun';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `${workflowId} is not a run of a runbook: it reports no progress`, options);
  }
}

/** No worker answers now. The run is safe and continues as soon as one does. */
export class NoWorkerAnswers extends AboutRun {
  override readonly name = 'NoWorkerAnswers';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `No worker answers for ${workflowId}; it continues as soon as one runs`, options);
  }
}

/**
 * The workflow is paused in Temporal. It shows and does nothing new until it is resumed there, but it can be
 * cancelled.
 */
export class RunPaused extends AboutRun {
  override readonly name = 'RunPaused';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `${workflowId} is paused in Temporal; it continues when it is resumed there`, options);
  }
}

/** The Temporal server does not answer, or not in time. After a start, `workflowId` is the id to start again with. */
export class ServerUnreachable extends Error {
  override readonly name = 'ServerUnreachable';
  /** The run that the call was about; `null` if there was none. */
  readonly workflowId: string | null;

  constructor(message: string, { workflowId = null, ...options }: ErrorOptions & { workflowId?: string | null } = {}) {
    super(message, options);
    this.workflowId = workflowId;
  }
}

/** The client was closed before or during the call. A run that was waited for continues. */
export class ClientClosed extends Error {
  override readonly name = 'ClientClosed';

  constructor() {
    super('This client is closed; make a new one');
  }
}

/** Temporal refuses the credentials, there is no such namespace, or what it holds is encrypted with keys that are missing here. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
}

/** The plan was refused; the message lists why. */
export class PlanRefused extends Error {
  override readonly name = 'PlanRefused';
}
