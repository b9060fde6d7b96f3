/** The workflows' payload converter: start arguments that cannot be read become a text that says so, so that the run is refused instead of tried for ever. */
import { DefaultPayloadConverter, type PayloadConverter } from '@temporalio/common';
import { inWorkflowContext, workflowInfo } from '@temporalio/workflow';
import { nestingProblem } from '../domain/text/nesting.js';

/**
 * The first workflow task ends at event 3, or at 6 after one that failed. What a plan brings comes later: a result that one worker
 * cannot read (no codec) fails its workflow task, and another worker goes on with it.
 */
const START_IS_READ_BEFORE = 8;

/** A target's run and a rule that goes on are started by ours only, with what we wrote: who cannot read it leaves the task to a worker that can. */
function isStartOfRun(): boolean {
  const { historyLength, workflowType, continuedFromExecutionRunId } = workflowInfo();
  return (
    historyLength < START_IS_READ_BEFORE && workflowType !== 'targetRun' && continuedFromExecutionRunId === undefined
  );
}

/** Read, it would take the memory of the worker, and could not be written again for the activity that plans. */
function refuseDeep(data: Uint8Array | null | undefined): void {
  const problem = nestingProblem(data ?? new Uint8Array());
  if (problem !== null) throw new RangeError(problem);
}

const usual = new DefaultPayloadConverter();

export const payloadConverter: PayloadConverter = {
  toPayload: (value) => usual.toPayload(value),
  fromPayload: (payload) => {
    try {
      if (inWorkflowContext() && isStartOfRun()) refuseDeep(payload.data);
      return usual.fromPayload(payload);
    } catch (error) {
      if (!inWorkflowContext() || !isStartOfRun()) throw error;
      const why = error instanceof Error ? error.message : String(error);
      // Whatever was to be read: the first thing that looks at it (the plan, or the checks of a rule) refuses a text.
      return `a payload that cannot be read (${why.slice(0, 100)})` as never;
    }
  },
};
