/** One line for each event of a run in progress, for pipes. Pure. */
import type { RunSnapshot } from '../client/report-snapshot.js';
import { describeWaiting } from '../domain/gates/gates.js';
import { isLate } from '../domain/plan/usual.js';
import { describeBriefly } from '../domain/plan/usual-words.js';
import { requestLines } from '../domain/report/progress-markdown.js';
import type { StepProgress, StepRetrying, TargetProgress } from '../domain/report/progress.js';
import { describeDuration } from '../domain/time/duration.js';
import { describeTasks, retryingText } from './render-step-progress.js';
import { aboutLines, approvalEvents, blockedEvents, steeringEvents } from './render-steering.js';
import { printableFacts } from './terminal-text.js';

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
    ...steeringEvents(before?.run, run),
    ...approvalEvents(before?.run, run, run.runbook, { workflowId: after.workflowId, about: aboutLines(run) }),
  ];
  const targetEvents = after.targets.flatMap((target) => [
    ...eventsOfTarget(before, target),
    ...blockedEvents(before, target, after),
    ...approvalEvents(
      before?.targets.find(({ path }) => path === target.path),
      target,
      target.path,
      { workflowId: after.workflowId, about: requestLines(run) },
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
  const { tasks } = step;
  if (tasks !== undefined && (was?.tasks?.done !== tasks.done || was.tasks.total !== tasks.total))
    events.push(`${path}: ${step.title}, ${describeTasks(tasks)}`);
  const { retrying } = step;
  // Report the first failure and then each doubling, so that a night of failures makes about ten lines.
  if (retrying !== undefined && doublings(was?.retrying) !== doublings(retrying))
    events.push(`${path}: ${step.title} ${retryingText(retrying)}`);
  return events;
}

function doublings(retrying: StepRetrying | undefined): number {
  return retrying === undefined ? -1 : Math.floor(Math.log2(retrying.failures));
}
