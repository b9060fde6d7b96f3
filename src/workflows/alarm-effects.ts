/** What follows from a decision of a rule: its run is started, or told to withdraw. */
import {
  ChildWorkflowCancellationType,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { WITHDRAW_SIGNAL, type AlarmDecision } from '../domain/alarms/alarm.js';
import type { Effect } from '../domain/alarms/alarm-rule.js';
import { clippedSummary } from '../domain/text/json-bytes.js';

/** The decision as it came out: a run of that id may be there already, and one to be withdrawn may have ended. */
export async function carriedOut(decision: AlarmDecision, effect: Effect | null, by: string): Promise<AlarmDecision> {
  if (effect === null) return decision;
  if (effect.kind === 'start') return (await startRun(effect)) ? decision : { ...decision, ...STARTED_BEFORE };
  const reached = await Promise.all(effect.runIds.map((runId) => withdraw(runId, by)));
  return reached.includes(true) ? decision : { ...decision, kind: 'resolved', why: 'its run has ended' };
}

const STARTED_BEFORE = { kind: 'repeated', why: 'this firing had its run before' } as const;

/** @returns `false` where a run of this id was started before, under way or ended */
async function startRun(start: Extract<Effect, { kind: 'start' }>): Promise<boolean> {
  try {
    await startChild(start.runbook, {
      workflowId: start.runId,
      args: [start.arguments],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      // A run is nobody's child once it has been started: neither the end nor a cancel of the rule is one of the run.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: clippedSummary(`${start.runbook} on ${start.arguments.targets.join(', ')}`),
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** @returns `false` where it has ended */
async function withdraw(runId: string, by: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(runId).signal(WITHDRAW_SIGNAL, by);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}
