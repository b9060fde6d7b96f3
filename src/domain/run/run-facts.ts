/**
 * Explains why a run makes no progress, from what the Temporal server knows without asking a worker: which work waits, since when, and which
 * worker asked for work last. Pure; times are epoch milliseconds by the server's clock.
 */
import { DEFAULT_TASK_QUEUE } from '../contract.js';
import { isPaused } from './workflow-status.js';
import { describeTime } from '../time/utc-time.js';

/** What the server knows of a run that is under way. */
export interface RunFacts {
  readonly workflowId: string;
  /** As Temporal spells it: `RUNNING`, `PAUSED`, `FAILED`, … */
  readonly status: string;
  readonly taskQueue: string;
  readonly startedAtMs: number;
  /** Has its plan been accepted? */
  readonly planned: boolean;
  /** Has somebody cancelled it? It may still finish and undo what is in flight. */
  readonly cancelRequested: boolean;
  /** The run itself, then the open workflows that act on its targets. */
  readonly workflows: readonly WorkflowFacts[];
  /** Workers that polled the task queue within the last five minutes, the latest first; `null` if the server does not report them. */
  readonly pollers: readonly Poller[] | null;
}

/** What the server knows of one workflow of the run. */
export interface WorkflowFacts {
  readonly workflowId: string;
  /** For people, such as `recover on application/component/instance`; `null` for the run itself. */
  readonly summary: string | null;
  /** Its workflow task, which waits for a worker or was taken by one; `null` if there is none. */
  readonly turn: { readonly sinceMs: number; readonly taken: boolean } | null;
  readonly activities: readonly ActivityFacts[];
  /** The version of the workers that alone continues it; `null` if any worker does. */
  readonly pinnedTo: PinnedVersion | null;
}

/** A version of a Worker Deployment. */
export interface PinnedVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** What the server knows of a pending activity. */
export interface ActivityFacts {
  /** `performAction`, `makePlan`, … */
  readonly name: string;
  readonly attempt: number;
  /** `waiting`: for a worker. `backingOff`: for its next attempt. `taken`: a worker runs it. */
  readonly state: 'waiting' | 'backingOff' | 'taken';
  /** When this state began; for `backingOff`, when it ends. */
  readonly atMs: number;
  /** The newest heartbeat of the worker that took it; `null` if there was none. */
  readonly heartbeatAtMs: number | null;
  /** How long a worker may send no heartbeat before another one gets it; `null` if that is not known. */
  readonly heartbeatTimeoutMs: number | null;
  /** Identity of the worker that took it last. */
  readonly worker: string | null;
  /** Why the attempt before failed; `null` if none did. */
  readonly lastFailure: string | null;
}

/** A worker, as the task queue knows it. */
export interface Poller {
  /** `4242@host project 0123…`: process, computer and project. */
  readonly identity: string;
  readonly lastAccessAtMs: number;
}

/** Why nothing happens. `key` stays the same as long as the reason does, although the times in the lines change. */
export interface Silence {
  readonly key: string;
  readonly lines: readonly string[];
}

/** A worker that is free takes work within milliseconds. Chosen. */
const TAKEN_WITHIN_MS = 3_000;
/** A workflow task with a slow read in it is started again after eight seconds, and one without an answer goes to another worker after ten. */
const ANSWERED_WITHIN_MS = 9_000;
/** Workers send a heartbeat at least every ten seconds; this is twice that and a margin. */
const QUIET_MS = 25_000;
/** An attempt that has run longer than this is no longer reported as failing. Chosen. */
const STEADY_MS = 30_000;
/** How long ago a worker that still runs may have polled: an idle one polls once a minute, with a margin. The server's list keeps one that has stopped for five minutes. */
export const POLLS_WITHIN_MS = 75_000;

/** What the user waits for. */
export type Awaited = 'run' | 'plan';

/** @returns `null` if the run makes progress, or waits for something else than a worker: a timer, a freeze, a cloud job */
export function explainSilence(facts: RunFacts, nowMs: number, awaited: Awaited = 'run'): Silence | null {
  const { workflowId, status, workflows, pollers } = facts;
  if (isPaused(status)) {
    const line = `${workflowId} is paused in Temporal; it continues when somebody resumes it there`;
    return { key: 'paused', lines: [line] };
  }
  const reasons = workflows.flatMap((workflow) => reasonsOf(workflow, nowMs));
  const isAbandoned = pollers !== null && !isPolled(pollers, nowMs);
  const isIdle = reasons.every(({ needsWorker }) => !needsWorker);
  if (reasons.length === 0 && !isAbandoned) return null;
  return {
    key: [...reasons.map(({ key }) => key), ...(isAbandoned ? ['abandoned'] : [])].join(),
    lines: [
      ...reasons.map(({ line }) => line),
      ...(isIdle && !isAbandoned ? [] : pollerLines(facts, isAbandoned, awaited)),
    ],
  };
}

/** What to say while the server itself does not answer. @param sinceMs epoch milliseconds by our own clock */
export function explainAbsence(workflowId: string, sinceMs: number, awaited: Awaited): Silence {
  const then =
    awaited === 'run'
      ? `the run is not affected. Follow it, once Temporal answers, with: runbook watch ${workflowId}`
      : 'a plan touches nothing';
  return { key: 'away', lines: [`Temporal has not answered since ${describeTime(sinceMs)}; ${then}`] };
}

/** @returns a line that explains what a cancel leads to; none if the run was not cancelled */
export function cancelLines({ cancelRequested }: RunFacts): readonly string[] {
  return cancelRequested
    ? ['The run was cancelled: it finishes what is in flight, then follows onCancel of the runbook']
    : [];
}

/** Has a worker polled so recently that it may still run? */
export function isPolled(pollers: readonly Poller[], nowMs: number): boolean {
  return pollers.some(({ lastAccessAtMs }) => nowMs - lastAccessAtMs < POLLS_WITHIN_MS);
}

interface Reason {
  readonly key: string;
  readonly line: string;
  /** Would a worker help? */
  readonly needsWorker: boolean;
}

function reasonsOf(workflow: WorkflowFacts, nowMs: number): Reason[] {
  const reasons = [
    ...turnReasons(workflow, nowMs),
    ...workflow.activities.flatMap((activity) => activityReasons(activity, workflow.summary, nowMs)),
  ];
  const { pinnedTo, summary, workflowId } = workflow;
  if (pinnedTo === null || !reasons.some(({ key }) => key.startsWith(UNTAKEN))) return reasons;
  const { deploymentName, buildId } = pinnedTo;
  const line = `${summary ?? workflowId} began on version ${buildId} of the workers, and only these continue it: start one with TEMPORAL_WORKER_DEPLOYMENT_NAME=${deploymentName} TEMPORAL_WORKER_BUILD_ID=${buildId}, or move it as docs/upgrades.md shows`;
  return [...reasons, reason(`pinned ${workflowId}`, line)];
}

/** How the keys of reasons begin where no worker has taken the work. */
const UNTAKEN = 'untaken ';

function turnReasons({ workflowId, summary, turn }: WorkflowFacts, nowMs: number): Reason[] {
  if (turn === null) return [];
  const { sinceMs, taken } = turn;
  // The id of a target's workflow is two long numbers, which no one recognizes.
  const what = summary ?? workflowId;
  const forMs = nowMs - sinceMs;
  if (!taken && forMs >= TAKEN_WITHIN_MS)
    return [reason(`${UNTAKEN}${workflowId}`, `No worker has taken ${what} since ${describeTime(sinceMs)}`)];
  if (taken && forMs >= ANSWERED_WITHIN_MS)
    return [
      reason(
        `unanswered ${workflowId}`,
        `A worker took ${what} at ${describeTime(sinceMs)} and has not answered. Another one gets it soon`,
      ),
    ];
  return [];
}

function activityReasons(activity: ActivityFacts, summary: string | null, nowMs: number): Reason[] {
  const { name, state, atMs, attempt, lastFailure, heartbeatAtMs, heartbeatTimeoutMs, worker } = activity;
  const why = lastFailure === null ? '' : `: ${lastFailure}`;
  const retry = `retry ${name}`;
  const work = wordsFor(name, summary);
  const isTried = `${work.charAt(0).toUpperCase()}${work.slice(1)} is`;
  if (state === 'backingOff') {
    const line = `${isTried} tried again at ${describeTime(atMs)} (attempt ${attempt})${why}`;
    return [{ key: retry, line, needsWorker: false }];
  }
  if (state === 'waiting')
    return nowMs - atMs < TAKEN_WITHIN_MS
      ? []
      : [reason(`${UNTAKEN}${name} ${attempt}`, `No worker has taken ${work} since ${describeTime(atMs)}${why}`)];
  const signAtMs = Math.max(heartbeatAtMs ?? 0, atMs);
  const quietForMs = Math.min(QUIET_MS, (heartbeatTimeoutMs ?? Infinity) * 0.8);
  if (nowMs - signAtMs < quietForMs) {
    if (lastFailure === null || nowMs - atMs >= STEADY_MS) return [];
    return [{ key: retry, line: `${isTried} being tried again (attempt ${attempt})${why}`, needsWorker: false }];
  }
  const sign =
    heartbeatAtMs === null
      ? `took ${work} at ${describeTime(signAtMs)} and has sent no heartbeat`
      : `sent its last heartbeat for ${work} at ${describeTime(signAtMs)}`;
  const then =
    heartbeatTimeoutMs === null
      ? 'another worker takes over when its heartbeat time-out has passed'
      : `another worker takes over at ${describeTime(signAtMs + heartbeatTimeoutMs)}`;
  return [
    reason(
      `quiet ${name} ${attempt}`,
      `The worker ${worker === null ? 'that acts' : processOf(worker)} ${sign}; ${then}`,
    ),
  ];
}

/** For people, who do not know the names of activities. */
function wordsFor(name: string, summary: string | null): string {
  if (name === 'makePlan') return 'the plan';
  const of = summary === null ? '' : ` of ${summary}`;
  if (name === 'performAction') return `the step${of}`;
  if (name === 'performCheck') return `the check${of}`;
  if (name === 'settleTarget') return `the last reading of the instance${of}`;
  return name;
}

function reason(key: string, line: string): Reason {
  return { key, line, needsWorker: true };
}

/** `4242@host`: the process is what people need, and the id of the project is long. */
function processOf(identity: string): string {
  return identity.replace(/ project \S+$/, '');
}

function pollerLines({ taskQueue, pollers }: RunFacts, isAbandoned: boolean, awaited: Awaited): string[] {
  const [last] = pollers ?? [];
  const queue = taskQueue === DEFAULT_TASK_QUEUE ? '' : `RUNBOOK_TASK_QUEUE=${taskQueue} `;
  const then =
    awaited === 'run'
      ? 'The run is safe, and continues as soon as one runs'
      : 'The plan is made as soon as one runs. It touches nothing';
  const one = `one with: ${queue}runbook worker. ${then}`;
  if (pollers === null) return [`Start ${one}`];
  if (last === undefined) return [`No worker polls the task queue "${taskQueue}". Start ${one}`];
  const asked = `${processOf(last.identity)}, asked the task queue "${taskQueue}" for work at ${describeTime(last.lastAccessAtMs)}`;
  return isAbandoned
    ? [`No worker polls any more. The last one, ${asked}. Start ${one}`]
    : [`The last worker to poll, ${asked}. It is busy, or has just stopped. If it has stopped, start ${one}`];
}
