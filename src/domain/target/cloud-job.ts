/** ServiceStage's own jobs ("cloud jobs"): every documented status placed, and what of a job is kept. */
import { statusMeaning, type Observation } from './target.js';

export type CloudJobPhase = 'inFlight' | 'succeeded' | 'failed' | 'unclear';

/**
 * `EXECUTION_STATUS` of `ShowJobDetail` (API reference servicestage_06_0053, 2025-11): ten values.
 * `UNKNOWN` and anything unlisted is `unclear`: looked at again, never success, overdue at the deadline.
 */
const PHASES: Readonly<Record<string, CloudJobPhase>> = {
  SUBMITTED: 'inFlight',
  SCHEDULED: 'inFlight',
  RUNNING: 'inFlight',
  ROLLBACKING: 'inFlight',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  PARTIALLY_FAILED: 'failed',
  CANCELLED: 'failed',
  ROLLBACKED: 'failed',
  UNKNOWN: 'unclear',
};

export function cloudJobPhase(status: string): CloudJobPhase {
  return Object.hasOwn(PHASES, status) ? (PHASES[status] ?? 'unclear') : 'unclear';
}

/** One task of a cloud job. `messages` is the vendor's text, the only place where a reason for a failure stands. */
interface CloudJobTask {
  readonly taskId: string;
  readonly name: string;
  readonly status: string;
  readonly messages: string;
  /** Epoch milliseconds; `null` where the API gave no readable time. */
  readonly createdAtMs: number | null;
}

/** A cloud job as read, with all pages of its tasks. */
export interface CloudJob {
  readonly cloudJobId: string;
  readonly status: string;
  /** `PROVISION`, `DEPROVISION`, `DAILY_OPERATION`, `SYSTEM_INNER`, `UNKNOWN`, or `null` where absent. */
  readonly jobType: string | null;
  readonly instanceId: string | null;
  /** IAM user id of whoever asked for it. */
  readonly createdBy: string | null;
  readonly tasks: readonly CloudJobTask[];
}

/**
 * True when nothing moves on the instance: its status is final and so is its newest cloud job.
 * `last_job_status` has no documented enum: an absent one leaves the decision to the status, an unclear one says no.
 */
export function isAtRest(observation: Observation): boolean {
  if (statusMeaning(observation.status) === 'moving') return false;
  if (observation.lastJobStatus === null || observation.lastJobStatus === '') return true;
  const phase = cloudJobPhase(observation.lastJobStatus);
  return phase === 'succeeded' || phase === 'failed';
}

/** The first reason a failed cloud job gives, in one line of at most 300 characters; `null` when it gives none. */
export function failureReason(job: CloudJob): string | null {
  const failed = job.tasks.find((task) => cloudJobPhase(task.status) === 'failed');
  if (failed === undefined) return null;
  const text = failed.messages.replace(/\s+/g, ' ').trim();
  return `${failed.name}: ${text === '' || text === '{}' ? failed.status : text}`.slice(0, 300);
}
