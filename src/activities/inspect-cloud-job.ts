/** A new cloud job is there and something may have been sent: reads the cloud job and judges whether it is ours. */
import { describeAction } from '../domain/actions.js';
import type { AdoptionEvidence } from '../domain/contract.js';
import { judgeEvidence, type EvidenceRequest, type EvidenceVerdict } from '../domain/once/evidence.js';
import type { Observation } from '../domain/target.js';
import { ServiceStageError } from '../servicestage/errors.js';
import type { ReadOptions, ServiceStage } from '../servicestage/service-stage.js';
import type { Attempt } from './attempt.js';

/**
 * @returns the evidence, or `null` when the cloud job has no tasks yet and is to be looked at again
 * @throws `Indeterminate` when it cannot be told to be ours
 */
export async function inspectNewCloudJob(
  serviceStage: ServiceStage,
  attempt: Attempt,
  reading: Observation,
  windowIsOver: boolean,
): Promise<AdoptionEvidence | null> {
  const { target, action, limits } = attempt.request;
  const cloudJobId = reading.lastJobId ?? '';
  // A cloud job is looked at after the send too, where a cancel is not obeyed.
  const options = { timeoutMs: limits.readTimeoutMs, signal: attempt.stopSignal };
  const step = { action, instanceId: target.instanceId, scheduledAtMs: attempt.decidedAtMs, limits };
  const verdict = await judgeCloudJob(serviceStage, cloudJobId, step, options);
  if (verdict.kind === 'fits') return verdict.evidence;
  if (verdict.kind === 'tooEarly' && !windowIsOver) return null;
  const why = verdict.kind === 'tooEarly' ? 'it shows no tasks' : verdict.why;
  throw attempt.end(
    'Indeterminate',
    `${describeAction(action)} may have been sent, and cloud job ${cloudJobId} cannot be told to be ours: ${why}`,
  );
}

/** Reads a cloud job and judges it. One that the API does not know yet is `tooEarly`. */
export async function judgeCloudJob(
  serviceStage: ServiceStage,
  cloudJobId: string,
  step: Omit<EvidenceRequest, 'job' | 'ownUserId'>,
  options: ReadOptions,
): Promise<EvidenceVerdict> {
  const ownUserId = await serviceStage.ownUserId(options);
  try {
    return judgeEvidence({ ...step, job: await serviceStage.readCloudJob(cloudJobId, options), ownUserId });
  } catch (error) {
    if (error instanceof ServiceStageError && error.code === 'NotFound') return { kind: 'tooEarly' };
    throw error;
  }
}
