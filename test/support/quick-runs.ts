/** Runs whose timers fire early, so that no test waits for a limit of minutes. */
import { randomUUID } from 'node:crypto';
import type { StartArguments } from '../../src/domain/contract.js';
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

/** @returns how long each timer that fired would have run elsewhere, in milliseconds */
export async function firedTimersMs({ client }: TestTemporal, workflowId: string): Promise<number[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ timerFiredEventAttributes: fired }) => {
    const started = events?.find(({ eventId }) => fired?.startedEventId?.equals(eventId ?? 0));
    const after = started?.timerStartedEventAttributes?.startToFireTimeout;
    return after == null ? [] : [(Number(after.seconds) * 1_000 + (after.nanos ?? 0) / 1e6) * TIMES_QUICKER];
  });
}
