/** What the server knows of a run under way that no worker has to tell: where its work lies, since when, and who asked for work last. Pure. */
import { describeDuration } from './duration.js';
import { isPaused } from './workflow-status.js';
import { describeTime } from './utc-time.js';

/** Times are epoch milliseconds, by the server's clock. */
export interface RunFacts {
  readonly workflowId: string;
  /** As Temporal spells it: `RUNNING`, `PAUSED`, `FAILED`, … */
  readonly status: string;
  readonly taskQueue: string;
  readonly startedAtMs: number;
  /** Its plan was accepted. */
  readonly planned: boolean;
  /** The run itself, then the workflows that act on its targets and have not ended. */
  readonly workflows: readonly WorkflowFacts[];
  /** Workers that asked the task queue for work within the last five minutes, the last one first; `null` where the server does not say. */
  readonly pollers: readonly Poller[] | null;
}

export interface WorkflowFacts {
  readonly workflowId: string;
  /** Its next turn: waiting for a worker, or taken by one. `null`: it has none to take. */
  readonly turn: { readonly sinceMs: number; readonly taken: boolean } | null;
  readonly activities: readonly ActivityFacts[];
}

export interface ActivityFacts {
  /** `performAction`, `makePlan`, … */
  readonly name: string;
  readonly attempt: number;
  /** `waiting`: for a worker. `backingOff`: until its next attempt. `taken`: a worker is at it. */
  readonly state: 'waiting' | 'backingOff' | 'taken';
  /** Since when it is in this state; for `backingOff` until when. */
  readonly atMs: number;
  /** The last sign of the worker that has taken it; `null` where there was none. */
  readonly heartbeatAtMs: number | null;
  /** Without a heartbeat for so long another worker gets it. `null`: not known. */
  readonly heartbeatTimeoutMs: number | null;
  /** Identity of the worker that took it last. */
  readonly worker: string | null;
  /** Why the attempt before failed. */
  readonly lastFailure: string | null;
}

export interface Poller {
  /** `4242@host`: process and computer. */
  readonly identity: string;
  readonly lastAccessAtMs: number;
}

/** Why nothing happens. `key` stays the same while the reason does, though the times in the lines go on. */
export interface Silence {
  readonly key: string;
  readonly lines: readonly string[];
}

/** Work that a worker takes is taken within milliseconds. */
const TAKEN_WITHIN_MS = 3_000;
/** A turn with a slow read in it is begun anew after eight seconds, and one without an answer is given to another worker after ten. */
const ANSWERED_WITHIN_MS = 9_000;
/** Workers send heartbeats every ten seconds at most; twice that and a little. */
const QUIET_MS = 25_000;
/** An attempt that has gone on for so long is no longer one that fails again and again. */
const STEADY_MS = 30_000;
/** A worker without work asks again each minute, and the list keeps one that is gone for five. */
const POLLS_WITHIN_MS = 75_000;

/** @returns `null` where the run goes on, or waits for something of its own (a timer, a freeze, a cloud job) */
export function explainSilence(facts: RunFacts, nowMs: number): Silence | null {
  const { workflowId, status, workflows, pollers } = facts;
  if (isPaused(status)) {
    const line = `${workflowId} is paused in Temporal; it goes on when somebody resumes it there`;
    return { key: 'paused', lines: [line] };
  }
  const reasons = workflows.flatMap((workflow) => [
    ...turnReasons(workflow, nowMs),
    ...workflow.activities.flatMap((activity) => activityReasons(activity, nowMs)),
  ]);
  const isAbandoned = pollers !== null && !isPolled(pollers, nowMs);
  const isIdle = reasons.every(({ needsWorker }) => !needsWorker);
  if (reasons.length === 0 && !isAbandoned) return null;
  return {
    key: [...reasons.map(({ key }) => key), ...(isAbandoned ? ['abandoned'] : [])].join(),
    lines: [
      ...reasons.map(({ line }) => line),
      ...(isIdle && !isAbandoned ? [] : pollerLines(facts, isAbandoned, nowMs)),
    ],
  };
}

/** Has a worker asked for work lately enough that it can still be there? */
export function isPolled(pollers: readonly Poller[], nowMs: number): boolean {
  return pollers.some(({ lastAccessAtMs }) => nowMs - lastAccessAtMs < POLLS_WITHIN_MS);
}

interface Reason {
  readonly key: string;
  readonly line: string;
  /** More workers would help. */
  readonly needsWorker: boolean;
}

function turnReasons({ workflowId, turn }: WorkflowFacts, nowMs: number): Reason[] {
  if (turn === null) return [];
  const { sinceMs, taken } = turn;
  const forMs = nowMs - sinceMs;
  if (!taken && forMs >= TAKEN_WITHIN_MS)
    return [reason(`untaken ${workflowId}`, `No worker has taken ${workflowId} ${since(sinceMs, nowMs)}`)];
  if (taken && forMs >= ANSWERED_WITHIN_MS)
    return [
      reason(
        `unanswered ${workflowId}`,
        `A worker took ${workflowId} and has not answered ${since(sinceMs, nowMs)}; another gets it soon`,
      ),
    ];
  return [];
}

function activityReasons(activity: ActivityFacts, nowMs: number): Reason[] {
  const { name, state, atMs, attempt, lastFailure, heartbeatAtMs, heartbeatTimeoutMs, worker } = activity;
  const why = lastFailure === null ? '' : `: ${lastFailure}`;
  const retry = `retry ${name}`;
  if (state === 'backingOff') {
    const line = `${name} is tried again at ${describeTime(atMs)} (attempt ${attempt})${why}`;
    return [{ key: retry, line, needsWorker: false }];
  }
  if (state === 'waiting')
    return nowMs - atMs < TAKEN_WITHIN_MS
      ? []
      : [reason(`untaken ${name} ${attempt}`, `No worker has taken ${name} ${since(atMs, nowMs)}${why}`)];
  const signAtMs = Math.max(heartbeatAtMs ?? 0, atMs);
  const quietForMs = Math.min(QUIET_MS, (heartbeatTimeoutMs ?? Infinity) * 0.8);
  if (nowMs - signAtMs < quietForMs) {
    if (lastFailure === null || nowMs - atMs >= STEADY_MS) return [];
    return [{ key: retry, line: `${name} is being tried again (attempt ${attempt})${why}`, needsWorker: false }];
  }
  const sign = heartbeatAtMs === null ? 'has sent no heartbeat since it took' : 'sent its last heartbeat for';
  const then =
    heartbeatTimeoutMs === null
      ? 'another worker takes over when its heartbeat time-out has passed'
      : `another worker takes over at ${describeTime(signAtMs + heartbeatTimeoutMs)}`;
  return [
    reason(
      `quiet ${name} ${attempt}`,
      `The worker ${worker ?? 'that acts'} ${sign} ${name} ${describeDuration(nowMs - signAtMs)} ago; ${then}`,
    ),
  ];
}

function reason(key: string, line: string): Reason {
  return { key, line, needsWorker: true };
}

function since(atMs: number, nowMs: number): string {
  return `for ${describeDuration(Math.max(0, nowMs - atMs))} (since ${describeTime(atMs)})`;
}

function pollerLines({ taskQueue, pollers }: RunFacts, isAbandoned: boolean, nowMs: number): string[] {
  const [last] = pollers ?? [];
  const start = `Start one with: runbook worker (RUNBOOK_TASK_QUEUE=${taskQueue}). The run is safe, and goes on as soon as one works`;
  if (pollers === null) return [start];
  if (last === undefined) return [`No worker polls the task queue "${taskQueue}". ${start}`];
  const asked = `${last.identity} asked the task queue "${taskQueue}" for work ${describeDuration(Math.max(0, nowMs - last.lastAccessAtMs))} ago`;
  return isAbandoned
    ? [`No worker polls any more: the last, ${asked}. ${start}`]
    : [`The last to ask, ${asked}: it is busy, or has just gone. If it is gone: ${start}`];
}
