/**
 * The payload converter of the workflows. Start arguments that cannot be read become a text that explains why, so that the run is refused
 * instead of being retried for ever.
 */
import { DefaultPayloadConverter, type PayloadConverter } from '@temporalio/common';
import { inWorkflowContext, workflowInfo } from '@temporalio/workflow';
import { nestingProblem } from '../domain/text/nesting.js';

/**
 * The first workflow task ends at event 3, or at event 6 after one that failed. The plan comes later. If one worker cannot read a result (it
 * has no codec), its workflow task fails, and another worker continues.
 */
const START_IS_READ_BEFORE = 8;

/** Only our own code starts a target's run, or continues a rule. A worker that cannot read what it wrote leaves the task to one that can. */
function isStartOfRun(): boolean {
  const { historyLength, workflowType, continuedFromExecutionRunId } = workflowInfo();
  return (
    historyLength < START_IS_READ_BEFORE && workflowType !== 'targetRun' && continuedFromExecutionRunId === undefined
  );
}

/** A deeply nested value would use up the memory of the worker, and could not be written again for the activity that plans. */
function refuseDeep(data: Uint8Array | null | undefined): void {
  const problem = nestingProblem(data ?? new Uint8Array());
  if (problem !== null) throw new RangeError(problem);
}

const usual = new DefaultPayloadConverter();

/** The default converter, except for start arguments that cannot be read. */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => usual.toPayload(value),
  fromPayload: (payload) => {
    try {
      if (inWorkflowContext() && isStartOfRun()) refuseDeep(payload.data);
      return usual.fromPayload(payload);
    } catch (error) {
      if (!inWorkflowContext() || !isStartOfRun()) throw error;
      const why = error instanceof Error ? error.message : String(error);
      // Planning, or the checks of a rule, refuse a text whatever they expect.
      return `a payload that cannot be read (${why.slice(0, 100)})` as never;
    }
  },
};
