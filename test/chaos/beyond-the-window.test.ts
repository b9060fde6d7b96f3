/** Beyond the visibility window, on purpose: the second send that docs/guarantees.md admits, and no third. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackLimits } from '../support/build.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  // The simulator does not refuse a second action.
  stack = await startStack(temporal, { simulator: { switches: { busy: 'accept', wrongState: 'noop' } } });
});
afterAll(() => stack.close());

/** The answer is lost, and the action is accepted only when the POST timeout and the whole window have passed twice. */
const { postTimeoutMs, visibilityWindowMs, quietMs } = stackLimits();
const LATE_MS = 2 * (postTimeoutMs + visibilityWindowMs) + 4 * quietMs + 1_000;

async function lostUntilAfterTheWindow(runbook: string, inputs: Record<string, unknown>, status: string) {
  const { instanceId, path } = await stack.newInstance({ status });
  await stack.control.fault({ on: { route: 'action', instanceId }, fault: { kind: 'actLate', ms: LATE_MS } });
  const report = await stack.run(runbook, path, { inputs });
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  return { report, accepted: await stack.accepted(instanceId) };
}

describe.concurrent('an action that is accepted later than the visibility window', () => {
  it.each([
    ['start', {}, 'STOPPED'],
    ['stop', {}, 'RUNNING'],
    ['scale', { replica: 4 }, 'RUNNING'],
    ['rollback', { version: '1.4.0' }, 'RUNNING'],
  ])('is sent a second time, but not a third, if it is a %s', async (runbook, inputs, status) => {
    const { accepted } = await lostUntilAfterTheWindow(runbook, inputs, status);
    expect(accepted).toEqual([runbook, runbook]);
  });

  it('is never sent again if it is a restart, and its run reports that it cannot know the result', async () => {
    const { report, accepted } = await lostUntilAfterTheWindow('restart', {}, 'RUNNING');
    expect(accepted).toEqual(['restart']);
    expect(report.outcome).toBe('indeterminate');
  });
});
