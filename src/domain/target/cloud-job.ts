/** ServiceStage's own jobs ("cloud jobs"): the meaning of every documented status, and the fields that are kept. */
import { statusMeaning, type Observation } from './target.js';

/** What a status means for the job: still running, ended, or not known. */
export type CloudJobPhase = 'inFlight' | 'succeeded' | 'failed' | 'unclear';

/**
 * `EXECUTION_STATUS` of `ShowJobDetail` (API reference servicestage_06_0053, 2025-11) has ten values. `UNKNOWN` and
 * unlisted values are `unclear`: polled again, never success, overdue at the deadline.
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

/** The phase of a status; `unclear` for one that is not listed. */
export function cloudJobPhase(status: string): CloudJobPhase {
  return Object.hasOwn(PHASES, status) ? (PHASES[status] ?? 'unclear') : 'unclear';
}

/** One task of a cloud job. `messages` is the vendor's text, and the only place that explains a failure. */
interface CloudJobTask {
  readonly taskId: string;
  readonly name: string;
  readonly status: string;
  readonly messages: string;
  /** Epoch milliseconds; `null` if the API gave no readable time. */
  readonly createdAtMs: number | null;
}

/** A cloud job with all pages of its tasks. */
export interface CloudJob {
  readonly cloudJobId: string;
  readonly status: string;
  /** `PROVISION`, `DEPROVISION`, `DAILY_OPERATION`, `SYSTEM_INNER`, `UNKNOWN`; `null` if absent. */
  readonly jobType: string | null;
  readonly instanceId: string | null;
  /** IAM user id of the requester. */
  readonly createdBy: string | null;
  readonly tasks: readonly CloudJobTask[];
}

/**
 * True if nothing is changing the instance: its status is final and so is its newest cloud job. `last_job_status`
 * has no documented enum; without it the status decides, and an unclear one means false.
 */
export function isAtRest(observation: Observation): boolean {
  if (statusMeaning(observation.status) === 'moving') return false;
  if (observation.lastJobStatus === null || observation.lastJobStatus === '') return true;
  const phase = cloudJobPhase(observation.lastJobStatus);
  return phase === 'succeeded' || phase === 'failed';
}

/** The first reason that a failed cloud job gives, on one line of at most 300 characters; `null` if it gives none. */
export function failureReason(job: CloudJob): string | null {
  const failed = job.tasks.find((task) => cloudJobPhase(task.status) === 'failed');
  if (failed === undefined) return null;
  const text = failed.messages.replace(/\s+/g, ' ').trim();
  return `${failed.name}: ${text === '' || text === '{}' ? failed.status : text}`.slice(0, 300);
}
