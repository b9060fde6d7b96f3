/**
 * A worker serves one ServiceStage project. Where a run of another project reaches it, it must neither read nor send: in its own project the
 * instance and its cloud job do not exist, which would be a false proof that they were deleted.
 */
import { Context } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { asHeartbeat, endedAs, endingOf, smallState, type OnceState } from '../domain/once/state.js';
import type { Target } from '../domain/target/target.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { failure } from './to-failure.js';

/** Until another worker may have come. Chosen. */
const RETRY_MS = 5_000;

/** Is the target in another project than this worker serves? */
export function isElsewhere(
  { projectId }: Pick<ServiceStage, 'projectId'>,
  target: Pick<Target, 'projectId'>,
): boolean {
  return target.projectId !== projectId;
}

/** The failure of a reading that was given to a worker of another project. */
export function readElsewhere(serviceStage: Pick<ServiceStage, 'projectId'>, target: Target): ApplicationFailure {
  return failure('OtherProject', messageOf(serviceStage, target), { nextRetryDelayMs: RETRY_MS });
}

/**
 * The failure of an attempt that the once machine ended at its beginning, as it does where a worker stops. The next attempt
 * receives what the state proves of earlier ones.
 *
 * @returns null if the attempt did not end for that: it was superseded or cancelled, or this worker serves the target's project
 */
export function endedElsewhere(
  serviceStage: Pick<ServiceStage, 'projectId'>,
  target: Target,
  state: OnceState,
): ApplicationFailure | null {
  const ending = endingOf(state);
  if (!isElsewhere(serviceStage, target) || ending.kind !== 'failed' || ending.failure !== 'WorkerStopped') return null;
  const message = messageOf(serviceStage, target);
  const trail = state.trail.map((entry) => (entry.decision === 'stopped' ? { ...entry, note: message } : entry));
  const passedOn = endedAs(
    { ...state, trail },
    { kind: 'failed', failure: 'OtherProject', message, retryInMs: RETRY_MS },
  );
  Context.current().heartbeat(asHeartbeat(passedOn));
  return failure('OtherProject', message, { details: smallState(passedOn), nextRetryDelayMs: RETRY_MS });
}

function messageOf({ projectId }: Pick<ServiceStage, 'projectId'>, target: Target): string {
  return `This worker serves project ${projectId}, and ${target.path} is in project ${target.projectId}`;
}
