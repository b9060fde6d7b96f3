/** A cloud job's own tasks, as people see them while it runs. Only shown: nothing is decided by them. Pure. */
import { clipped } from '../text/json-bytes.js';
import { cloudJobPhase, type CloudJob } from './cloud-job.js';

/** What the status of a task means. `unclear`: it is `UNKNOWN`, or not listed. */
export type TaskState = 'pending' | 'running' | 'succeeded' | 'skipped' | 'failed' | 'unclear';

/** One task. */
export interface SeenTask {
  /** ServiceStage's name for it, cut to `LONGEST_NAME_BYTES`. */
  readonly name: string;
  readonly state: TaskState;
}

/** The tasks of a cloud job when it was last asked for. A few hundred bytes, because heartbeats carry it. */
export interface SeenTasks {
  /** When the cloud job was asked for, epoch milliseconds. */
  readonly atMs: number;
  readonly total: number;
  /** How many have succeeded or were skipped. */
  readonly done: number;
  /** How many of the first tasks are not in `shown`. */
  readonly before: number;
  /** At most five in a row, around the one that failed, or else the first that is not done. */
  readonly shown: readonly SeenTask[];
}

/** Chosen: they fit on two lines of a terminal. */
const MOST_SHOWN = 5;
/** As JSON. Documented names have at most 30 characters. */
const LONGEST_NAME_BYTES = 48;

/** The two statuses that only begin, and the one that only tasks have; the others are those of cloud jobs (API reference servicestage_06_0053). */
const OF_TASKS: Readonly<Record<string, TaskState>> = {
  SUBMITTED: 'pending',
  SCHEDULED: 'pending',
  SKIPPED: 'skipped',
};
const DONE: readonly TaskState[] = ['succeeded', 'skipped'];

/** @returns `null` for a cloud job without tasks, as each is right after its POST. @param atMs when it was asked for, epoch milliseconds */
export function tasksSeen({ tasks }: Pick<CloudJob, 'tasks'>, atMs: number): SeenTasks | null {
  if (tasks.length === 0) return null;
  const states = tasks.map(({ status }) => taskState(status));
  const failed = states.indexOf('failed');
  const current = failed >= 0 ? failed : states.findIndex((state) => !DONE.includes(state));
  // One task before the current one shows what was done last.
  const first = current < 0 ? tasks.length : current - 1;
  const before = Math.max(0, Math.min(first, tasks.length - MOST_SHOWN));
  return {
    atMs,
    total: tasks.length,
    done: states.filter((state) => DONE.includes(state)).length,
    before,
    shown: tasks.slice(before, before + MOST_SHOWN).map(({ name, status }) => ({
      name: clipped(name, LONGEST_NAME_BYTES),
      state: taskState(status),
    })),
  };
}

function taskState(status: string): TaskState {
  const phase = cloudJobPhase(status);
  return Object.hasOwn(OF_TASKS, status) ? (OF_TASKS[status] ?? 'unclear') : phase === 'inFlight' ? 'running' : phase;
}
