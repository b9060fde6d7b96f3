/** Runs at the limits of what a Temporal server stores: they end with a report, and are found by each of their targets. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporalAccess } from '../../src/activities/temporal-access.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal, { runbookDirectories: [fileURLToPath(new URL('./runbooks', import.meta.url))] });
});
afterAll(() => stack.close());

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

const LONG = {
  application: 'customer-relationship-management-prod-eu',
  component: 'payment-authorisation-and-settlement-api',
};

/** Instances whose paths have 119 characters: 20 of them do not fit into a search attribute. */
async function longTargets(count: number): Promise<string[]> {
  const targets: string[] = [];
  for (let index = 0; index < count; index++) {
    const name = `payment-authorisation-green-zone-a-${index + 10}`;
    targets.push((await stack.newInstance({ ...LONG, name })).path);
  }
  return targets;
}

describe('a run on twenty targets with long paths', () => {
  it('ends with its report, and is found by each of them', async () => {
    const targets = await longTargets(20);
    const runId = await stack.start('restart', { targets });
    const access = temporalAccess(temporal.client);
    const asked = { runIds: [], targets, sinceMs: Date.now() - 60_000 };
    // While it is under way, also by targets that it has not begun.
    await until(async () => (await access.findRuns(asked)).some((run) => run.runId === runId));
    const [open] = await access.findRuns(asked);
    expect([open?.runId, targets.filter((path) => !open?.targets.includes(path))]).toEqual([runId, []]);
    const report = await stack.report(runId);
    expect(report.outcome).toBe('succeeded');
    expect(report.targets.map(({ path }) => path)).toEqual(targets);
    for (const path of targets) {
      const found = await access.findRuns({ ...asked, targets: [path] });
      expect(found.map((run) => [run.runId, run.targets.includes(path)])).toEqual([[runId, true]]);
    }
    // People who ask for a path get the run, or the workflow of the target in it.
    const last = targets.at(-1) ?? '';
    const listed: (string | undefined)[] = [];
    for await (const { type, parentExecution } of temporal.client.workflow.list({ query: `RunbookTarget = '${last}'` }))
      listed.push(`${type} of ${parentExecution?.workflowId}`);
    expect(listed).toEqual([`targetRun of ${runId}`]);
  });
});
