/** Why an attempt of an activity failed, in words for people who do not know Temporal. Pure. */

/** The server's own text when the worker of an attempt sends no heartbeat in time. Measured on server 1.29.1. */
const HEARTBEAT_TIMEOUT = 'activity Heartbeat timeout';

/** @param message of the last failure, as the server has it @returns the same, unless it is one of the server's own */
export function plainFailure(message: string): string {
  return message === HEARTBEAT_TIMEOUT ? 'its worker crashed, was killed, or lost its connection' : message;
}
