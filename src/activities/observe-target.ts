/** `observeTarget`: reads an instance once. `currentRunId`: the current run of a workflow. */
import { Context } from '@temporalio/activity';
import type { FirstReading } from '../domain/contract.js';
import { unseenAttemptMs, type Limits } from '../domain/once/limits.js';
import type { Target } from '../domain/target/target.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { readElsewhere, whyElsewhere } from './other-project.js';
import { toFailure } from './to-failure.js';

/**
 * Reads the instance once, before a target's first step.
 *
 * @param originalRunId the target's workflow run before any reset
 * @throws ApplicationFailure as the failure table names it
 */
export async function observeTarget(
  serviceStage: ServiceStage,
  target: Target,
  limits: Limits,
  originalRunId: string,
): Promise<FirstReading> {
  const elsewhere = whyElsewhere(serviceStage, target);
  if (elsewhere !== null) throw readElsewhere(elsewhere);
  const { cancellationSignal: signal } = Context.current();
  // An attempt that was between its reading and its POST when the workflow was reset does not know of the reset.
  const readInRunId = currentRunId(originalRunId);
  const clearAtMs = readInRunId === originalRunId ? 0 : Date.now() + unseenAttemptMs(limits);
  try {
    const reading = await serviceStage.readInstance(target, { timeoutMs: limits.readTimeoutMs, signal });
    return { ...reading, readInRunId, clearAtMs };
  } catch (error) {
    throw toFailure(error);
  }
}

/** The workflow run that asks. @param originalRunId the same before any reset */
export function currentRunId(originalRunId: string): string {
  return Context.current().info.workflowExecution?.runId ?? originalRunId;
}
