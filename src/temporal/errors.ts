/** What can go wrong on the way to a run, one class each, told apart by `instanceof` or by `name`. An outcome is never an error: it stands in the report. */
import { describeProblem, type Problem } from '../domain/failures.js';

/** An error about one run. */
abstract class AboutRun extends Error {
  /** Of the run it is about. */
  readonly workflowId: string;

  constructor(workflowId: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.workflowId = workflowId;
  }
}

/** No workflow has that id, or it is older than the namespace keeps. */
export class RunNotFound extends AboutRun {
  override readonly name = 'RunNotFound';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `There is no run ${workflowId}`, options);
  }
}

/** The id belongs to a run that was asked for otherwise: another runbook, other targets, other inputs. Nothing was started. */
export class RunIdTaken extends AboutRun {
  override readonly name = 'RunIdTaken';

  /** @param differences what the other run was asked for otherwise: `runbook`, or keys of the start arguments */
  constructor(
    workflowId: string,
    readonly runId: string,
    readonly differences: readonly string[],
    message: string,
  ) {
    super(workflowId, message);
  }
}

/** Only with `onExisting: 'fail'`: a run of this id is there, under way or ended. Nothing was started. */
export class RunAlreadyStarted extends AboutRun {
  override readonly name = 'RunAlreadyStarted';

  constructor(
    workflowId: string,
    readonly runId: string,
  ) {
    super(workflowId, `There is a run ${workflowId} already; nothing new was started`);
  }
}

/** A run's id must not be empty nor begin with the prefix of leases. */
export class InvalidRunId extends Error {
  override readonly name = 'InvalidRunId';
}

/** Words of the request hold characters that a terminal obeys or that nobody sees, in one of `problems` each. Nothing was started. */
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

/** The workflow has ended without a report: it is no run of a runbook, only planned, or it was terminated. */
export class NoReport extends AboutRun {
  override readonly name = 'NoReport';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(
      workflowId,
      `${workflowId} left no report: it is no run of a runbook, it only planned, or it was terminated`,
      options,
    );
  }
}

/** The workflow under way answers no progress query: it is no run of a runbook. */
export class NotARun extends AboutRun {
  override readonly name = 'NotARun';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `${workflowId} is no run of a runbook: it tells no progress`, options);
  }
}

/** No worker answers just now. The run itself is safe; it goes on as soon as one does. */
export class NoWorkerAnswers extends AboutRun {
  override readonly name = 'NoWorkerAnswers';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `No worker answers for ${workflowId}; it goes on as soon as one runs`, options);
  }
}

/** Somebody paused the workflow in Temporal: it shows nothing and does nothing new until it is resumed there. A cancel is taken. */
export class RunPaused extends AboutRun {
  override readonly name = 'RunPaused';

  constructor(workflowId: string, options?: ErrorOptions) {
    super(workflowId, `${workflowId} is paused in Temporal; it goes on when somebody resumes it there`, options);
  }
}

/** The Temporal server does not answer, or not in time. After a start: `workflowId` is the id to start again with. */
export class ServerUnreachable extends Error {
  override readonly name = 'ServerUnreachable';
  /** Of the run it was about, where there was one. */
  readonly workflowId: string | null;

  constructor(message: string, { workflowId = null, ...options }: ErrorOptions & { workflowId?: string | null } = {}) {
    super(message, options);
    this.workflowId = workflowId;
  }
}

/** The client was closed, before the call or while it waited. A run that was waited for goes on. */
export class ClientClosed extends Error {
  override readonly name = 'ClientClosed';

  constructor() {
    super('This client is closed; make a new one');
  }
}

/** Temporal refuses the credentials, or there is no such namespace. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
}

/** The plan was refused; the message says why. */
export class PlanRefused extends Error {
  override readonly name = 'PlanRefused';
}
