/** The sink to which workflows report what has ended. Every worker registers it: without it the SDK logs an error for each call. */
import type { InjectedSinks } from '@temporalio/worker';
import { RUN_SINK, type RunObserver } from '../domain/run/observed.js';

/** Passes what the workflows of a worker report to `observer`, which must not throw and should be quick: the workflow task waits for it. */
export function runSinks(observer: RunObserver): InjectedSinks<{ [RUN_SINK]: RunObserver }> {
  return {
    [RUN_SINK]: {
      runEnded: { fn: (_info, run) => observer.runEnded(run) },
      stepEnded: { fn: (_info, step) => observer.stepEnded(step) },
      undoEnded: { fn: (_info, undo) => observer.undoEnded(undo) },
      approvalEnded: { fn: (_info, approval) => observer.approvalEnded(approval) },
      gateWaited: { fn: (_info, waitedMs) => observer.gateWaited(waitedMs) },
    },
  };
}
