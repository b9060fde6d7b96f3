/**
 * Renders a run in progress as text: a block for terminals, redrawn in place, or one line per event for pipes. Pure.
 */
import type { RunSnapshot } from '../client/report-snapshot.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeWaiting } from '../domain/gates/gates.js';
import { isLate, type UsualTime } from '../domain/plan/usual.js';
import { describeBriefly, describeUsualTime } from '../domain/plan/usual-words.js';
import type { StepProgress, StepRetrying, TargetProgress } from '../domain/report/progress.js';
import { printable } from '../domain/text/text.js';
import { describeTime } from '../domain/time/utc-time.js';
import { mark } from '../rendering/meaning.js';
import type { Colors } from './colors.js';
import { waitingLines } from './render-gates.js';
import {
  approvalEvents,
  approvalLines,
  blockedEvents,
  blockedLines,
  pauseEvents,
  pauseLines,
} from './render-steering.js';
import { usualWords } from './render-usual.js';
import { printableFacts } from './terminal-text.js';

/** The block that a terminal shows. @param nowMs epoch milliseconds */
export function renderProgress(snapshot: RunSnapshot, nowMs: number, colors: Colors): string {
  const { run, targets, workflowId } = printableFacts(snapshot);
  const usual = run.usual === undefined ? '' : ` (${expectedTime(run.usual, targets)})`;
  const lines = [
    `${colors.bold(run.runbook)} ${colors.dim(workflowId)}  ${run.pause?.state ?? run.phase}, ${describeDuration(nowMs - run.startedAtMs)}${usual}`,
    ...pauseLines(run, workflowId, colors),
    ...approvalLines(run, workflowId, colors),
  ];
  for (const target of targets)
    lines.push(
      '',
      ...targetBlock(target, nowMs, colors),
      ...blockedLines(target, workflowId, colors),
      ...approvalLines(target, workflowId, colors),
    );
  const waiting = run.targets.filter(({ childRunId }) => childRunId === null).map(({ path }) => path);
  if (run.waiting !== undefined) lines.push('', ...waitingLines(run.waiting, nowMs, colors));
  if (waiting.length > 0 && run.phase === 'running') lines.push('', colors.dim(`waiting: ${waiting.join(', ')}`));
  return lines.join('\n');
}

/** `usually` only if a cloud job of at least one step was seen; no step is known before the first target begins. */
function expectedTime(time: UsualTime, targets: readonly TargetProgress[]): string {
  const known = targets.flatMap(({ steps }) => steps.flatMap(({ usual }) => (usual === undefined ? [] : [usual])));
  if (known.some(({ jobs }) => jobs > 0)) return describeUsualTime(time);
  return `about ${describeDuration(time.p50Ms)}${known.length === 0 ? '' : ' declared'}`;
}

function targetBlock(
  { path, phase, seen, steps, compensations, outcome }: TargetProgress,
  nowMs: number,
  colors: Colors,
): string[] {
  const head = `${colors.bold(path)}  ${outcome ?? phase}${seen === null ? '' : `  ${colors.dim(seen)}`}`;
  return [head, ...[...steps, ...compensations].flatMap((step) => stepLines(step, nowMs, colors))];
}

function stepLines(step: StepProgress, nowMs: number, colors: Colors): string[] {
  const line = stepLine(step, nowMs, colors);
  return step.retrying === undefined ? [line] : [line, colors.warn(`      ${retryingText(step.retrying)}`)];
}

/** `tried again: GET …: 503 (failed 4 times since 02:10:04Z, next at 02:11:20Z, until 02:40:00Z)` */
function retryingText({ reason, failures, sinceMs, untilMs, nextAttemptAtMs }: StepRetrying): string {
  const clock = (ms: number) => describeTime(ms).slice(11);
  const times = [
    `failed ${failures === 1 ? 'once' : `${failures} times`}${sinceMs === null ? '' : ` since ${clock(sinceMs)}`}`,
    ...(nextAttemptAtMs === null ? [] : [`next at ${clock(nextAttemptAtMs)}`]),
    ...(untilMs === null ? [] : [`until ${clock(untilMs)}`]),
  ];
  return printable(`tried again: ${reason} (${times.join(', ')})`);
}

function stepLine(
  { title, state, startedAtMs, endedAtMs, cloudJobId, failure, usual }: StepProgress,
  nowMs: number,
  colors: Colors,
): string {
  const elapsedMs = startedAtMs === null ? null : (endedAtMs ?? nowMs) - startedAtMs;
  const compared = elapsedMs === null || usual === undefined ? '' : `, ${usualWords(usual, elapsedMs, colors)}`;
  const elapsed = elapsedMs === null ? '' : ` ${describeDuration(elapsedMs)}${state === 'skipped' ? '' : compared}`;
  const job = cloudJobId === null ? '' : colors.dim(`  ${cloudJobId}`);
  const why = failure === null ? '' : colors.bad(`  ${failure}`);
  return `  ${colors.result(state)(mark(state))} ${title}${state === 'pending' ? '' : ` ${state}${elapsed}`}${job}${why}`;
}

/**
 * One line for each step that has become unusually late since `beforeMs`, when the snapshot before was shown; `null`: none
 * was. Epoch milliseconds.
 */
export function lateEvents(snapshot: RunSnapshot, beforeMs: number | null, nowMs: number): string[] {
  const { targets } = printableFacts(snapshot);
  return targets.flatMap(({ path, steps, compensations }) =>
    [...steps, ...compensations].flatMap(({ title, state, startedAtMs, usual }) => {
      if (state !== 'running' || startedAtMs === null || usual === undefined) return [];
      const wasLate = beforeMs !== null && isLate(usual, beforeMs - startedAtMs);
      if (wasLate || !isLate(usual, nowMs - startedAtMs)) return [];
      return [
        `${path}: ${title} is unusually late, ${describeDuration(nowMs - startedAtMs)} so far, ${describeBriefly(usual)}`,
      ];
    }),
  );
}

/**
 * One line for each event between two snapshots. A run or target comes before its parts when it starts, and after
 * them when it ends.
 */
export function eventsBetween(earlier: RunSnapshot | null, later: RunSnapshot): string[] {
  const [before, after] = printableFacts([earlier, later] as const);
  const { run } = after;
  const ended = run.phase === 'finished';
  const same = before?.run.phase === run.phase && before.run.waiting?.why === run.waiting?.why;
  const why = run.waiting === undefined ? '' : `, ${describeWaiting(run.waiting)}`;
  const runEvent = [
    ...(same ? [] : [`${run.runbook}: ${run.phase}${why}`]),
    ...pauseEvents(before?.run, run),
    ...approvalEvents(before?.run, run, run.runbook, after.workflowId),
  ];
  const targetEvents = after.targets.flatMap((target) => [
    ...eventsOfTarget(before, target),
    ...blockedEvents(before, target, after.workflowId),
    ...approvalEvents(
      before?.targets.find(({ path }) => path === target.path),
      target,
      target.path,
      after.workflowId,
    ),
  ]);
  return ended ? [...targetEvents, ...runEvent] : [...runEvent, ...targetEvents];
}

function eventsOfTarget(before: RunSnapshot | null, target: TargetProgress): string[] {
  const earlier = before?.targets.find(({ path }) => path === target.path);
  const was = [...(earlier?.steps ?? []), ...(earlier?.compensations ?? [])];
  const seen = target.seen === null ? '' : `, ${target.seen}`;
  const phaseEvent = earlier?.phase === target.phase ? [] : [`${target.path}: ${target.phase}${seen}`];
  const steps = [...target.steps, ...target.compensations].flatMap((step) =>
    stepEvents(
      target.path,
      was.find(({ id }) => id === step.id),
      step,
    ),
  );
  return target.phase === 'finished' ? [...steps, ...phaseEvent] : [...phaseEvent, ...steps];
}

function stepEvents(path: string, was: StepProgress | undefined, step: StepProgress): string[] {
  const events: string[] = [];
  const known = was?.cloudJobId ?? null;
  if (step.state !== 'pending' && was?.state !== step.state) {
    const took =
      step.startedAtMs === null || step.endedAtMs === null
        ? ''
        : ` in ${describeDuration(step.endedAtMs - step.startedAtMs)}`;
    const rest = [step.state === 'running' ? null : step.seen, step.failure].filter((part) => part !== null);
    events.push(`${path}: ${step.title} ${step.state}${took}${rest.length === 0 ? '' : `, ${rest.join(', ')}`}`);
  }
  if (step.state === 'running' && step.cloudJobId !== null && known !== step.cloudJobId)
    events.push(`${path}: ${step.title} runs as cloud job ${step.cloudJobId}`);
  const { retrying } = step;
  // Report the first failure and then each doubling, so that a night of failures makes about ten lines.
  if (retrying !== undefined && doublings(was?.retrying) !== doublings(retrying))
    events.push(`${path}: ${step.title} ${retryingText(retrying)}`);
  return events;
}

function doublings(retrying: StepRetrying | undefined): number {
  return retrying === undefined ? -1 : Math.floor(Math.log2(retrying.failures));
}
