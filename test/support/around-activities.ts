/** A worker whose activities are wrapped. */
import type { Info } from '@temporalio/activity';
import type { WorkerOptions } from '@temporalio/worker';

/** @param around is given what the activity is and how to carry it out, and returns its result */
export function aroundActivities(
  around: (info: Info, carryOut: () => Promise<unknown>) => Promise<unknown>,
): Pick<WorkerOptions, 'interceptors'> {
  return {
    interceptors: {
      activity: [({ info }) => ({ inbound: { execute: (input, next) => around(info, () => next(input)) } })],
    },
  };
}
