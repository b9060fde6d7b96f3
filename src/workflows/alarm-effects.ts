/** Carries out the decisions of a rule: starts its runs and asks them to withdraw. */
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

/** @param by who asks, as the run reports it. @returns the decision, corrected if the run already existed or had already ended */
export async function carryOut(decision: AlarmDecision, effect: Effect | null, by: string): Promise<AlarmDecision> {
  if (effect === null) return decision;
  if (effect.kind === 'start') return (await startRun(effect)) ? decision : { ...decision, ...ALREADY_STARTED };
  const reached = await Promise.all(effect.runIds.map((runId) => withdraw(runId, by)));
  return reached.includes(true) ? decision : { ...decision, kind: 'resolved', why: 'its run has ended' };
}

const ALREADY_STARTED = { kind: 'repeated', why: 'this firing already had its run' } as const;

/** @returns false if a run of this id already exists, open or ended */
async function startRun(start: Extract<Effect, { kind: 'start' }>): Promise<boolean> {
  try {
    await startChild(start.runbook, {
      workflowId: start.runId,
      args: [start.arguments],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      // The run outlives the rule: neither the end nor a cancel of the rule ends it.
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

/** @returns false if the run has ended */
async function withdraw(runId: string, by: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(runId).signal(WITHDRAW_SIGNAL, by);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}
