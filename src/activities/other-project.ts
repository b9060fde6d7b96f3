/**
 * A worker serves one ServiceStage project. Where a run of another project reaches it, it must neither read nor send: in its own project the
 * instance and its cloud job do not exist, which would look as if they were gone.
 */
import type { ApplicationFailure } from '@temporalio/common';
import { endedAs, smallState, type OnceState } from '../domain/once/state.js';
import type { Target } from '../domain/target/target.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { failure } from './to-failure.js';

/** Until another worker may have come. Chosen. */
const RETRY_MS = 5_000;

type Project = Pick<ServiceStage, 'projectId'>;
type Planned = Pick<Target, 'path' | 'projectId'>;

/**
 * The failure of an activity that was given to a worker of another project; `null` if this worker serves the target's.
 *
 * @param known what is known of the step for certain, so that it is still known if no other worker comes in time. `null`: then anything may have been sent
 */
export function otherProject(
  { projectId }: Project,
  target: Planned,
  known: OnceState | null = null,
): ApplicationFailure | null {
  if (target.projectId === projectId) return null;
  const message = `This worker serves project ${projectId}, and ${target.path} is in project ${target.projectId}`;
  const ending = { kind: 'failed', failure: 'OtherProject', message, retryInMs: RETRY_MS } as const;
  return failure('OtherProject', message, {
    nextRetryDelayMs: RETRY_MS,
    ...(known === null ? {} : { details: smallState(endedAs(known, ending)) }),
  });
}
