/** Adds the run and the instance to log lines, and to the headers of activities of a target's workflow. */
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import {
  workflowInfo,
  type WorkflowInboundCallsInterceptor,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { ALARM_RULE_WORKFLOW } from '../domain/alarms/alarm.js';
import { TARGET_RUN_WORKFLOW, type TargetRunArguments } from '../domain/contract.js';
import { ORIGIN_HEADER, type Origin } from '../domain/run/origin.js';

/** Issues no command and adds no turn of the event loop, so that a workflow is the same with it and without. */
export class OriginInterceptor implements WorkflowInboundCallsInterceptor, WorkflowOutboundCallsInterceptor {
  #origin: Origin = {};
  #header: Headers = {};

  get origin(): Origin {
    return this.#origin;
  }

  execute: NonNullable<WorkflowInboundCallsInterceptor['execute']> = (input, next) => {
    this.#origin = originOf(input.args);
    if (workflowInfo().workflowType === TARGET_RUN_WORKFLOW)
      this.#header = { [ORIGIN_HEADER]: defaultPayloadConverter.toPayload(this.#origin) };
    return next(input);
  };

  scheduleActivity: NonNullable<WorkflowOutboundCallsInterceptor['scheduleActivity']> = (input, next) =>
    next({ ...input, headers: { ...input.headers, ...this.#header } });

  scheduleLocalActivity: NonNullable<WorkflowOutboundCallsInterceptor['scheduleLocalActivity']> = (input, next) =>
    next({ ...input, headers: { ...input.headers, ...this.#header } });

  /** The SDK (1.24) calls Temporal's run id `runId` here, and `workflowRunId` in lines of activities. */
  getLogAttributes: NonNullable<WorkflowOutboundCallsInterceptor['getLogAttributes']> = (
    { runId: workflowRunId, ...attributes },
    next,
  ) => next({ ...this.#origin, ...attributes, workflowRunId });
}

function originOf([request]: unknown[]): Origin {
  const { workflowType, workflowId, parent } = workflowInfo();
  if (workflowType === ALARM_RULE_WORKFLOW) return {};
  if (workflowType !== TARGET_RUN_WORKFLOW) return { runId: workflowId };
  // A client that bypasses the run may give it anything.
  const { targetPlan } = (request ?? {}) as Partial<TargetRunArguments>;
  return {
    ...(parent === undefined ? {} : { runId: parent.workflowId }),
    ...(typeof targetPlan?.target?.path === 'string' ? { target: targetPlan.target.path } : {}),
  };
}
