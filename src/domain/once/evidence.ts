/** Is a cloud job that was found by reading ours? Pure: the job, the step and our own user in, a verdict out. */
import { ruleOf, type Action } from '../target/actions.js';
import type { CloudJob } from '../target/cloud-job.js';
import type { Limits } from './limits.js';

/** Why a cloud job that was found by reading is taken as ours. */
export interface AdoptionEvidence {
  readonly cloudJobId: string;
  readonly instanceId: string | null;
  readonly jobType: string | null;
  readonly createdBy: string | null;
  readonly firstTaskAtMs: number;
  /** The step was scheduled then; the first task is not older than that, less the clock skew. */
  readonly scheduledAtMs: number;
  /** True only where the job's creator is known to be our own user. */
  readonly createdByUs: boolean;
}

/** What a verdict is made from. */
export interface EvidenceRequest {
  readonly job: CloudJob;
  readonly action: Action;
  readonly instanceId: string;
  /** When the step was scheduled; no cloud job of ours can be older. */
  readonly scheduledAtMs: number;
  /** `null` where our own IAM user id is not known. */
  readonly ownUserId: string | null;
  readonly limits: Limits;
}

export type EvidenceVerdict =
  | { readonly kind: 'fits'; readonly evidence: AdoptionEvidence }
  /** The cloud job has no tasks yet, so its age is not known. */
  | { readonly kind: 'tooEarly' }
  | { readonly kind: 'doesNotFit'; readonly why: string };

/** Cloud jobs of these types come from creating, deleting and ServiceStage's own doings, never from an action. */
const FOREIGN_TYPES = ['PROVISION', 'DEPROVISION', 'SYSTEM_INNER'];

export function judgeEvidence({
  job,
  action,
  instanceId,
  scheduledAtMs,
  ownUserId,
  limits,
}: EvidenceRequest): EvidenceVerdict {
  if (job.instanceId !== instanceId) return doesNotFit(`its instance is ${job.instanceId ?? 'not given'}`);
  if (job.jobType !== null && FOREIGN_TYPES.includes(job.jobType)) return doesNotFit(`its type is ${job.jobType}`);
  const createdByUs = ownUserId !== null && job.createdBy === ownUserId;
  if (ownUserId !== null && job.createdBy !== null && !createdByUs)
    return doesNotFit(`user ${job.createdBy} asked for it`);
  if (ruleOf(action).kind === 'edge' && !createdByUs)
    return doesNotFit('who asked for it is not known, which an edge action needs');
  const times = job.tasks.map((task) => task.createdAtMs).filter((time) => time !== null);
  if (times.length === 0) return { kind: 'tooEarly' };
  const firstTaskAtMs = Math.min(...times);
  if (firstTaskAtMs < scheduledAtMs - limits.clockSkewMs) return doesNotFit('its first task is older than this step');
  const { cloudJobId, jobType, createdBy } = job;
  return {
    kind: 'fits',
    evidence: { cloudJobId, instanceId: job.instanceId, jobType, createdBy, firstTaskAtMs, scheduledAtMs, createdByUs },
  };
}

function doesNotFit(why: string): EvidenceVerdict {
  return { kind: 'doesNotFit', why };
}
