/**
 * Workflow interceptors in the bundle of the tests: on a task queue with `QUICK_TIMERS` in its name, timers fire early, and a wait of a minute takes
 * three seconds. The clock does not move: a workflow that decides by `sleepUntil` continues as if the whole time had passed.
 */
import { workflowInfo, type WorkflowInterceptors } from '@temporalio/workflow';

/** Part of the name of a task queue whose timers fire early. */
export const QUICK_TIMERS = '-quick-timers';
/** How much earlier. */
export const TIMES_QUICKER = 20;

export const interceptors = (): WorkflowInterceptors => {
  if (!workflowInfo().taskQueue.includes(QUICK_TIMERS)) return {};
  return {
    outbound: [
      { startTimer: (input, next) => next({ ...input, durationMs: Math.ceil(input.durationMs / TIMES_QUICKER) }) },
    ],
  };
};
