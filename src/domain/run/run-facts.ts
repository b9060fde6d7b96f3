/** What the server knows of a run under way that no worker has to tell: where its work lies, since when, and who asked for work last. Pure. */
import { DEFAULT_TASK_QUEUE } from '../contract.js';
import { isPaused } from './workflow-status.js';
import { describeTime } from '../time/utc-time.js';

/** Times are epoch milliseconds, by the server's clock. */
export interface RunFacts {
  readonly workflowId: string;
  /** As Temporal spells it: `RUNNING`, `PAUSED`, `FAILED`, … */
  readonly status: string;
  readonly taskQueue: string;
  readonly startedAtMs: number;
  /** Its plan was accepted. */
  readonly planned: boolean;
  /** Somebody asked it to stop by a cancel. */
  readonly cancelRequested: boolean;
  /** The run itself, then the workflows that act on its targets and have not ended. */
  readonly workflows: readonly WorkflowFacts[];
  /** Workers that asked the task queue for work within the last five minutes, the last one first; `null` where the server does not say. */
  readonly pollers: readonly Poller[] | null;
}

export interface WorkflowFacts {
  readonly workflowId: string;
  /** For people, such as `recover on application/component/instance`; `null` for the run itself. */
  readonly summary: string | null;
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

/** What somebody waits for. */
export type Awaited = 'run' | 'plan';

/** @returns `null` where the run goes on, or waits for something of its own (a timer, a freeze, a cloud job) */
export function explainSilence(facts: RunFacts, nowMs: number, awaited: Awaited = 'run'): Silence | null {
  const { workflowId, status, workflows, pollers } = facts;
  if (isPaused(status)) {
    const line = `${workflowId} is paused in Temporal; it goes on when somebody resumes it there`;
    return { key: 'paused', lines: [line] };
  }
  const reasons = workflows.flatMap((workflow) => [
    ...turnReasons(workflow, nowMs),
    ...workflow.activities.flatMap((activity) => activityReasons(activity, workflow.summary, nowMs)),
  ]);
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

/** The server itself has not answered since then, epoch milliseconds by our own clock. */
export function explainAbsence(workflowId: string, sinceMs: number, awaited: Awaited): Silence {
  const then =
    awaited === 'run'
      ? `the run is not affected. Follow it, once Temporal answers, with: runbook watch ${workflowId}`
      : 'a plan touches nothing';
  return { key: 'away', lines: [`Temporal has not answered since ${describeTime(sinceMs)}; ${then}`] };
}

/** @returns the line that says so where a cancel was asked for */
export function cancelLines({ cancelRequested }: RunFacts): readonly string[] {
  return cancelRequested
    ? ['A cancel was asked for: what is in flight is finished, then onCancel of the runbook applies']
    : [];
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
    return [reason(`untaken ${workflowId}`, `No worker has taken ${workflowId} since ${describeTime(sinceMs)}`)];
  if (taken && forMs >= ANSWERED_WITHIN_MS)
    return [
      reason(
        `unanswered ${workflowId}`,
        `A worker took ${workflowId} at ${describeTime(sinceMs)} and has not answered; another gets it soon`,
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
      : [reason(`untaken ${name} ${attempt}`, `No worker has taken ${work} since ${describeTime(atMs)}${why}`)];
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
  return [reason(`quiet ${name} ${attempt}`, `The worker ${worker ?? 'that acts'} ${sign}; ${then}`)];
}

/** For people, who know no activities. */
function wordsFor(name: string, summary: string | null): string {
  if (name === 'makePlan') return 'the plan';
  const of = summary === null ? '' : ` of ${summary}`;
  if (name === 'performAction') return `the step${of}`;
  if (name === 'settleTarget') return `the last look at the instance${of}`;
  return name;
}

function reason(key: string, line: string): Reason {
  return { key, line, needsWorker: true };
}

function pollerLines({ taskQueue, pollers }: RunFacts, isAbandoned: boolean, awaited: Awaited): string[] {
  const [last] = pollers ?? [];
  const queue = taskQueue === DEFAULT_TASK_QUEUE ? '' : `RUNBOOK_TASK_QUEUE=${taskQueue} `;
  const then =
    awaited === 'run'
      ? 'The run is safe, and goes on as soon as one works'
      : 'The plan is made as soon as one works; it touches nothing';
  const one = `one with: ${queue}runbook worker. ${then}`;
  if (pollers === null) return [`Start ${one}`];
  if (last === undefined) return [`No worker polls the task queue "${taskQueue}". Start ${one}`];
  const asked = `${last.identity}, asked the task queue "${taskQueue}" for work at ${describeTime(last.lastAccessAtMs)}`;
  return isAbandoned
    ? [`No worker polls any more: the last, ${asked}. Start ${one}`]
    : [`The last to ask, ${asked}: it is busy, or has just gone. If it is gone, start ${one}`];
}
