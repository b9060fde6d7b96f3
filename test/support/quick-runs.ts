/** Runs whose timers fire early, so that no test waits for a limit of minutes. */
import { randomUUID } from 'node:crypto';
import type { StartArguments } from '../../src/domain/contract.js';
import { timeOf } from '../chaos/history-events.js';
import { QUICK_TIMERS, TIMES_QUICKER } from './quick-timers.js';
import type { Stack } from './stack.js';
import type { TestTemporal } from './temporal.js';

/** Starts a run on a queue of its own whose timers fire early. Its worker ends with the test. @returns the workflow id */
export async function startQuickly(
  { client, taskQueue }: TestTemporal,
  stack: Stack,
  { runbook, ...given }: { readonly runbook: string } & Partial<StartArguments>,
  onTestFinished: Parameters<Stack['beginWorker']>[1],
): Promise<string> {
  const workflowId = `${runbook}-quickly-${randomUUID()}`;
  const quick = `${taskQueue}${QUICK_TIMERS}-${workflowId}`;
  await stack.beginWorker(quick, onTestFinished);
  await client.workflow.start(runbook, { workflowId, taskQueue: quick, args: [given] });
  return workflowId;
}

/** A timer that fired, as it would have run elsewhere: up to `TIMES_QUICKER` milliseconds longer than the workflow asked. */
export interface FiredTimer {
  readonly forMs: number;
  /** By the clock of the workflow, epoch milliseconds. */
  readonly untilMs: number;
}

/** @returns the timers that fired, oldest first */
export async function firedTimers({ client }: TestTemporal, workflowId: string): Promise<FiredTimer[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const event = (id: { toString(): string } | null | undefined) =>
    events?.find(({ eventId }) => String(eventId) === String(id));
  return (events ?? []).flatMap(({ timerFiredEventAttributes: fired }) => {
    const timer = event(fired?.startedEventId)?.timerStartedEventAttributes;
    const after = timer?.startToFireTimeout;
    const task = event(timer?.workflowTaskCompletedEventId)?.workflowTaskCompletedEventAttributes;
    const begun = event(task?.startedEventId);
    if (after == null || begun === undefined) return [];
    const forMs = (Number(after.seconds) * 1_000 + (after.nanos ?? 0) / 1e6) * TIMES_QUICKER;
    return [{ forMs, untilMs: Math.floor(timeOf(begun)) + forMs }];
  });
}
