/** A step in progress: how long it has taken, its cloud job and the tasks of that, what it does now, and why it is tried again. Pure. */
import { isLate } from '../domain/plan/usual.js';
import { describeBriefly } from '../domain/plan/usual-words.js';
import type { UsualOfStep } from '../domain/report/report.js';
import type { StepProgress, StepRetrying } from '../domain/report/progress.js';
import type { SeenTasks, TaskState } from '../domain/target/cloud-job-tasks.js';
import { printable } from '../domain/text/text.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeTime } from '../domain/time/utc-time.js';
import { mark } from '../rendering/meaning.js';
import type { Colors } from './colors.js';
import { cutLine, wrapped, type Line } from './live/lines.js';
import { usualWords } from './render-usual.js';

/** The lines of a step; the first one is the step itself. @param nowMs epoch milliseconds */
export function stepLines(step: StepProgress, nowMs: number, colors: Colors): Line[] {
  const { state, cloudJobId, tasks, doing, seen, failure, retrying } = step;
  const isRunning = state === 'running';
  const ended = cloudJobId === null || isRunning ? '' : colors.dim(`  ${cloudJobId}`);
  const lines = [cutLine(2, `${stepLine(step, nowMs, colors)}${ended}`)];
  if (failure !== null) lines.push(wrapped(6, colors.bad(failure)));
  if (!isRunning) return lines;
  if (cloudJobId !== null) lines.push(cutLine(6, colors.dim(`cloud job ${cloudJobId}`)));
  if (tasks !== undefined) lines.push(...taskLines(tasks, nowMs, colors));
  if (doing !== undefined && DOING[doing] !== null)
    lines.push(wrapped(6, `${DOING[doing]}${seen === null ? '' : colors.dim(`, last seen ${seen}`)}`));
  if (retrying !== undefined) lines.push(wrapped(6, colors.warn(retryingText(retrying))));
  return lines;
}

/** What a step waits for; `null`: its cloud job is shown instead. */
const DOING: Readonly<Record<NonNullable<StepProgress['doing']>, string | null>> = {
  preparing: 'reads the instance before it sends anything',
  sending: 'sends the action',
  following: null,
  verifying: 'waits until the desired state has held',
  settling: 'reads until it is clear what happened',
};

function stepLine(step: StepProgress, nowMs: number, colors: Colors): string {
  const { title, state, startedAtMs, endedAtMs, usual } = step;
  const head = `${colors.result(state)(mark(state))} ${title}`;
  if (state === 'pending') return usual === undefined ? head : `${head} ${colors.dim(describeBriefly(usual))}`;
  if (startedAtMs === null) return `${head} ${state}`;
  const elapsedMs = Math.max(0, (endedAtMs ?? nowMs) - startedAtMs);
  const compared = usual === undefined || state === 'skipped' ? '' : `, ${usualWords(usual, elapsedMs, colors)}`;
  const bar = state === 'running' && usual !== undefined ? `  ${elapsedBar(usual, elapsedMs, colors)}` : '';
  return `${head} ${state} ${describeDuration(elapsedMs)}${compared}${bar}`;
}

const BAR = 10;

/** The time so far as a part of the usual time: full is not done. */
function elapsedBar(usual: UsualOfStep, elapsedMs: number, colors: Colors): string {
  const full = Math.min(BAR, Math.max(0, Math.floor((elapsedMs / Math.max(1, usual.p50Ms)) * BAR)));
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`;
  return isLate(usual, elapsedMs) ? colors.warn(bar) : colors.dim(bar);
}

const TASK_MARKS: Readonly<Record<TaskState, string>> = {
  succeeded: mark('succeeded'),
  skipped: mark('skipped'),
  failed: mark('failed'),
  running: mark('running'),
  pending: mark('pending'),
  unclear: mark('indeterminate'),
};

/** A space at which no line is broken, so that a mark stays with its name. */
const UNBREAKABLE = '\u00a0';

function taskLines(tasks: SeenTasks, nowMs: number, colors: Colors): Line[] {
  const { atMs, total, before, shown } = tasks;
  const painted = shown.map(({ name, state }) => {
    const style = state === 'unclear' ? colors.warn : colors.result(state);
    return `${style(TASK_MARKS[state])}${UNBREAKABLE}${name}`;
  });
  const after = total - before - shown.length;
  const parts = [
    ...(before > 0 ? [colors.dim(`… ${before} before`)] : []),
    ...painted,
    ...(after > 0 ? [colors.dim(`… ${after} more`)] : []),
  ];
  const age = colors.dim(`(asked ${describeDuration(Math.max(0, nowMs - atMs))} ago)`);
  return [cutLine(8, `${describeTasks(tasks)} ${age}`), wrapped(8, parts.join('  '))];
}

/** `2 of 3 tasks done` */
export function describeTasks({ done, total }: SeenTasks): string {
  return `${done} of ${total} ${total === 1 ? 'task' : 'tasks'} done`;
}

/** `tried again: GET …: 503 (failed 4 times since 02:10:04Z, next at 02:11:20Z, until 02:40:00Z)` */
export function retryingText({ reason, failures, sinceMs, untilMs, nextAttemptAtMs }: StepRetrying): string {
  const clock = (ms: number) => describeTime(ms).slice(11);
  const times = [
    `failed ${failures === 1 ? 'once' : `${failures} times`}${sinceMs === null ? '' : ` since ${clock(sinceMs)}`}`,
    ...(nextAttemptAtMs === null ? [] : [`next at ${clock(nextAttemptAtMs)}`]),
    ...(untilMs === null ? [] : [`until ${clock(untilMs)}`]),
  ];
  return printable(`tried again: ${reason} (${times.join(', ')})`);
}
