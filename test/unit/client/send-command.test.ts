/** What becomes of a command whose update the server failed itself. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { commandRun } from '../../../src/client/send-command.js';
import { CommandRejected, NoWorkerAnswers, RunEnded } from '../../../src/temporal/errors.js';
import { commandCall } from '../../support/command-call.js';

/** Sends a command to a server that fails updates for the given reasons, one after the other, and answers the next. */
function command(failures: readonly string[], patienceMs: number) {
  const ids: string[] = [];
  const call = commandCall((updateId) => {
    const type = failures[ids.push(updateId) - 1];
    if (type === undefined) return Promise.resolve({ state: 'paused' });
    const cause = ApplicationFailure.create({ type, message: 'no', nonRetryable: true });
    return Promise.reject(new WorkflowUpdateFailedError('Workflow Update failed', cause));
  });
  return { ids, answer: commandRun(call, 'pause', { actor: 'ann', reason: 'slow', patienceMs }) };
}

it('is sent again under the same id if its worker dropped it unread', async () => {
  const { ids, answer } = command(['UnprocessedUpdate'], 60_000);
  expect(await answer).toEqual({ state: 'paused' });
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

it('is unanswered, not rejected, if its worker dropped it until the time was over', async () => {
  await expect(command(['UnprocessedUpdate'], 0).answer).rejects.toThrow(NoWorkerAnswers);
});

it('came too late if the run ended before it had answered', async () => {
  await expect(command(['AcceptedUpdateCompletedWorkflow'], 60_000).answer).rejects.toThrow(RunEnded);
});

it('is rejected if the run rejects it', async () => {
  const { ids, answer } = command(['CommandRejected'], 60_000);
  await expect(answer).rejects.toThrow(new CommandRejected('run', 'no'));
  expect(ids).toHaveLength(1);
});
