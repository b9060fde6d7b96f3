/**
 * What today's workflow code records replays with the code of the last release: then workers of both may run side by side, and going
 * back is free. The other direction is that of the recorded histories (replay.test.ts).
 */
import { readFile } from 'node:fs/promises';
import { brotliDecompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { replayExecutions, type Execution } from '../../src/replay/replay-executions.js';
import { withReadableMemos } from '../../src/temporal/readable-memos.js';
import { startStack } from '../support/stack.js';
import { TEST_QUEUE_PREFIX, useTemporal } from '../support/temporal.js';
import { unobserved } from '../support/unobserved.js';
import { until } from '../support/until.js';

/** By `npm run record:bundle`. It runs with the version of Temporal's SDK that made it: after an upgrade of the SDK it is recorded again, before the workflow code changes. */
const RELEASED = new URL('./released-workflow-bundle.js.br', import.meta.url);

/**
 * Patches that the last release does not have: it does not replay the histories that record one. Each is announced in CHANGELOG.md ("workflow
 * code records something new"), and leaves this list when the next bundle is recorded.
 */
const ANNOUNCED_PATCHES: readonly string[] = ['approval-asked-again'];

/** How many are replayed of each kind: as many as take a few seconds. */
const MOST = 60;
const KINDS = [
  "WorkflowType = 'targetRun'",
  "WorkflowType = 'alarmRule'",
  "WorkflowType NOT IN ('targetRun', 'alarmRule')",
];

const temporal = useTemporal();

it('the last release replays what the tests recorded, except for what is announced', { timeout: 600_000 }, async () => {
  const { client, taskQueue } = temporal;
  // So that there are some, whichever tests ran before.
  const stack = await startStack(temporal);
  const { path } = await stack.newInstance();
  expect((await stack.run('recover', path)).outcome).toBe('succeeded');
  await stack.close();
  await until(
    async () =>
      (await client.workflow.count(`TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Completed'`)).count === 2,
  );

  const types = new Map<string, string>();
  const runs: Execution[] = [];
  for (const kind of KINDS) {
    const query = `TaskQueue STARTS_WITH "${TEST_QUEUE_PREFIX}" AND ${kind}`;
    let count = 0;
    for await (const { workflowId, runId, type, searchAttributes } of withReadableMemos(client).list({ query })) {
      // Temporal keeps the patches of a history there.
      if (searchAttributes.TemporalChangeVersion?.some((patch) => ANNOUNCED_PATCHES.includes(String(patch)))) continue;
      types.set(runId, type);
      runs.push({ workflowId, runId });
      if (++count === MOST) break;
    }
  }
  const workflowBundle = { code: brotliDecompressSync(await readFile(RELEASED)).toString() };
  const code = { workflowBundle, sinks: unobserved };
  const failures: string[] = [];
  let replayed = 0;
  for await (const { run, result, reason } of replayExecutions({ client, code }, runs.values())) {
    const type = types.get(run.runId) ?? '';
    if (result === 'replayed') replayed++;
    else if (result === 'failed') failures.push(`${type} ${run.workflowId}: ${reason}`);
  }
  expect(failures).toEqual([]);
  expect(replayed).toBeGreaterThan(1);
});
