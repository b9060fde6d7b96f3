/** Decides whether a cloud job that was found by reading is ours. */
import { ruleOf, type Action } from '../target/actions.js';
import type { CloudJob } from '../target/cloud-job.js';
import { actionIn, indeterminate } from './ending.js';
import type { At, EventOf, Step } from './events.js';
import type { Limits } from './limits.js';
import type { AdoptionEvidence, OnceState } from './state.js';

/** What a verdict is made from. */
export interface EvidenceRequest {
  readonly job: CloudJob;
  readonly action: Action;
  readonly instanceId: string;
  /** When the step was scheduled; no cloud job of ours can be older. */
  readonly scheduledAtMs: number;
  /** `null` if our own IAM user id is not known. */
  readonly ownUserId: string | null;
  readonly limits: Limits;
}

/** Whether a cloud job is ours. */
export type EvidenceVerdict =
  | { readonly kind: 'fits'; readonly evidence: AdoptionEvidence }
  /** The cloud job has no tasks yet, so its age is not known. */
  | { readonly kind: 'tooEarly' }
  | { readonly kind: 'doesNotFit'; readonly why: string };

/** A verdict that does not prove the cloud job to be ours. */
type Unproved = Exclude<EvidenceVerdict, { readonly kind: 'fits' }>;

/** Cloud jobs of these types create or delete instances, or are ServiceStage's own; no action makes one. */
const FOREIGN_TYPES = ['PROVISION', 'DEPROVISION', 'SYSTEM_INNER'];

/** Judges a cloud job by its instance, its type, its creator and its age. */
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

/** Reads the newest cloud job that was seen, and our own user id, so that `judge` can decide. */
export function inspect(state: OnceState, giveUpAtMs: number): Step {
  return { state, command: { kind: 'inspect', cloudJobId: state.seen?.lastJobId ?? '', giveUpAtMs } };
}

/** Judges the cloud job that was read. If the API does not know it yet, it is `tooEarly`. */
export function judge({ decidedAtMs }: OnceState, { job, ownUserId }: EventOf<'inspected'>, at: At): EvidenceVerdict {
  const { action, target, limits } = at.rules;
  if (job === null || action === null) return { kind: 'tooEarly' };
  return judgeEvidence({ job, ownUserId, action, instanceId: target.instanceId, scheduledAtMs: decidedAtMs, limits });
}

/** True if a cloud job without tasks may still show that it is ours: it may have been accepted as late as anything that was sent, and shows its tasks later. */
export function mayShowTasks({ kind }: EvidenceVerdict, { clearAtMs }: OnceState, { nowMs, rules }: At): boolean {
  return kind === 'tooEarly' && nowMs < clearAtMs + rules.limits.visibilityWindowMs;
}

/** Ends with `Indeterminate`: something may have been sent, and there is a cloud job that may or may not be it. */
export function notOurs(state: OnceState, verdict: Unproved, at: At): Step {
  return indeterminate(state, `${actionIn(at.rules)} may have been sent, and ${whyNotOurs(state, verdict)}`, at);
}

/** For messages: which cloud job may or may not be ours, and why that is open. */
export function whyNotOurs({ seen }: OnceState, verdict: Unproved): string {
  const why = verdict.kind === 'tooEarly' ? 'it shows no tasks' : verdict.why;
  return `cloud job ${seen?.lastJobId ?? 'unknown'} cannot be proved to be ours: ${why}`;
}
