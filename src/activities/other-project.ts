/** A worker serves one ServiceStage project. Where a run of another project reaches it, it neither reads nor sends. */
import type { ApplicationFailure } from '@temporalio/common';
import { ELSEWHERE_RETRY_MS } from '../domain/once/ending.js';
import type { Target } from '../domain/target/target.js';
import type { ServiceStage } from '../servicestage/service-stage.js';
import { failure } from './to-failure.js';

/** Why this worker must not serve the target: it is in another project. `null` if it may. */
export function whyElsewhere({ projectId }: Pick<ServiceStage, 'projectId'>, target: Target): string | null {
  if (target.projectId === projectId) return null;
  return `This worker serves project ${projectId}, and ${target.path} is in project ${target.projectId}`;
}

/** The failure of a reading that was given to a worker of another project. */
export function readElsewhere(why: string): ApplicationFailure {
  return failure('OtherProject', why, { nextRetryDelayMs: ELSEWHERE_RETRY_MS });
}
