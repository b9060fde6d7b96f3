/**
 * A run that is paused in Temporal still counts as running for `RunbookClient`. The test server cannot pause, so its
 * answers are replaced by those of a server that can.
 */
import { Client, QueryRejectedError, type WorkflowClientInterceptor } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunbookClient, RunPaused } from '../../src/client/index.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

/** `WORKFLOW_EXECUTION_STATUS_PAUSED` of the Temporal API. */
const PAUSED = 8;
const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

/**
 * As service/history/api/queryworkflow of server 1.32 answers: a paused workflow is described as paused and rejects
 * every query.
 */
function pausable() {
  const server = { isPaused: true, refusedQueries: 0 };
  const interceptor: WorkflowClientInterceptor = {
    describe: async (input, next) => {
      const answer = await next(input);
      if (server.isPaused && answer.workflowExecutionInfo != null) answer.workflowExecutionInfo.status = PAUSED;
      return answer;
    },
    query: async (input, next) => {
      if (!server.isPaused) return next(input);
      server.refusedQueries++;
      throw new QueryRejectedError(PAUSED);
    },
  };
  const { connection } = temporal.client;
  const client = new Client({ connection, interceptors: { workflow: [interceptor] } });
  return { server, runbooks: new RunbookClient({ client, taskQueue: temporal.taskQueue, callTimeoutMs: 2_000 }) };
}

/** A run that lasts until it is cancelled. */
async function aRun(runbooks: RunbookClient): Promise<string> {
  const { path } = await stack.newInstance();
  const window = { duration: '1h', opensAt: new Date(Date.now() + 3_600_000).toISOString() };
  return (await runbooks.start('restart', { targets: [path], window, waitAtMost: '2h' })).workflowId;
}

describe('a paused run', () => {
  it('can be cancelled', async () => {
    const { runbooks } = pausable();
    const workflowId = await aRun(runbooks);
    expect(await runbooks.report(workflowId)).toBeNull();
    expect(await runbooks.cancel(workflowId)).toBe('requested');
    expect((await runbooks.result(workflowId)).outcome).toBe('cancelled');
  });

  it('fails queries with RunPaused, and can be watched until it is resumed and ends', async () => {
    const { server, runbooks } = pausable();
    const workflowId = await aRun(runbooks);
    const progress = runbooks.progress(workflowId);
    await expect(progress).rejects.toThrow(RunPaused);
    await expect(progress).rejects.toMatchObject({ name: 'RunPaused', workflowId });
    const watching = runbooks.watch(workflowId, { intervalMs: 20, patienceMs: 0 });
    const first = watching.next();
    while (server.refusedQueries < 4) await Promise.race([first, delay(10)]);
    server.isPaused = false;
    expect((await first).value?.run.phase).toMatch(/planning|waiting/);
    await runbooks.cancel(workflowId);
    let outcome: string | null = null;
    for await (const { run } of watching) outcome = run.outcome;
    expect(outcome).toBe('cancelled');
  });
});
