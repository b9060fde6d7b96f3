/** What can go wrong with schedules on a server. Each is named by what happens next. */
import { isGrpcServiceError } from '@temporalio/client';
import { ServerUnreachable } from '../client/errors.js';

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

/** Somebody else wrote the schedule between our look and our write: look at `diff` again. */
export class ScheduleChangedMeanwhile extends Error {
  override readonly name = 'ScheduleChangedMeanwhile';

  constructor(id: string, options?: ErrorOptions) {
    super(`${id} was changed by somebody else while it was being applied; look at the difference again`, options);
  }
}

/** The server did not take the schedule as it is written. */
class ScheduleRejected extends Error {
  override readonly name = 'ScheduleRejected';
}

/** `UNAVAILABLE`, `DEADLINE_EXCEEDED` of gRPC. */
const UNREACHABLE_CODES = [14, 4];
/** `FAILED_PRECONDITION`: the conflict token is not that of now. */
const CONFLICT_CODES = [9];

/** Gives an error of the Temporal client its name here; others stay as they are. */
export function namedError(error: unknown, id: string): unknown {
  if (error instanceof TypeError) return new ScheduleRejected(`${id}: ${error.message}`, { cause: error });
  const cause = error instanceof Error ? error.cause : undefined;
  const grpc = isGrpcServiceError(error) ? error : isGrpcServiceError(cause) ? cause : null;
  if (grpc === null) return error;
  if (UNREACHABLE_CODES.includes(grpc.code))
    return new ServerUnreachable(`Temporal cannot be reached: ${grpc.details}`, { cause: error });
  if (CONFLICT_CODES.includes(grpc.code)) return new ScheduleChangedMeanwhile(id, { cause: error });
  return new ScheduleRejected(`${id}: ${grpc.details}`, { cause: error });
}
