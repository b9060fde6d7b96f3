/** What can go wrong with schedules on a server. */
import { ScheduleNotFoundError } from '@temporalio/client';
import { grpcCodeOf, toClientError, reasonOf } from '../temporal/calls.js';

/** No schedule of that name was made from a file. */
export class ScheduleNotFound extends Error {
  override readonly name = 'ScheduleNotFound';
}

/** Several owners have a schedule of that name. */
export class AmbiguousSchedule extends Error {
  override readonly name = 'AmbiguousSchedule';
}

/** A schedule that no file made: it is shown and never touched. */
export class ForeignSchedule extends Error {
  override readonly name = 'ForeignSchedule';
}

/** Somebody else wrote the schedule between our reading and our write: run `diff` again. */
export class ScheduleChangedMeanwhile extends Error {
  override readonly name = 'ScheduleChangedMeanwhile';

  constructor(id: string, options?: ErrorOptions) {
    super(`${id} was changed by somebody else while it was being applied; run diff again`, options);
  }
}

/** The server has the schedule in a form that cannot be decoded here: it is reported and left alone. */
export class ScheduleUnreadable extends Error {
  override readonly name = 'ScheduleUnreadable';
  readonly reason: string;

  constructor(id: string, cause: Error) {
    super(`${id} cannot be read (${cause.message}); it is left alone`, { cause });
    this.reason = cause.message;
  }
}

/** The server did not take the schedule as it is written. */
class ScheduleRejected extends Error {
  override readonly name = 'ScheduleRejected';
}

/** `FAILED_PRECONDITION`: the schedule was written since its conflict token was read. */
const CONFLICT_CODE = 9;

/** Translates an error of the Temporal client into one of ours: as `toClientError` does for runs, or into one of this file. Other errors stay as they are. */
export function namedError(error: unknown, id: string): unknown {
  if (error instanceof TypeError) return new ScheduleRejected(`${id}: ${error.message}`, { cause: error });
  if (error instanceof ScheduleNotFoundError)
    return new ScheduleNotFound(`There is no schedule ${id} on the server`, { cause: error });
  const asOfRuns = toClientError(error, null);
  const code = grpcCodeOf(error);
  if (asOfRuns !== error || code === null) return asOfRuns;
  return code === CONFLICT_CODE
    ? new ScheduleChangedMeanwhile(id, { cause: error })
    : new ScheduleRejected(`${id}: ${reasonOf(error)}`, { cause: error });
}
