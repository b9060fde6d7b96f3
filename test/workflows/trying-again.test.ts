/**
 * A step that keeps failing, against a real server: what the server keeps of it, what a watcher sees, and that it backs
 * off.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveTargetProgress } from '../../src/client/target-progress.js';
import { leaseId } from '../../src/domain/target/target.js';
import { untilFound } from '../support/until.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack(temporal);
});
afterAll(() => stack.close());

const lease = (instanceId: string) => leaseId({ projectId: stack.simulator.projectId, instanceId });

async function pending(instanceId: string) {
  const { raw, runId } = await temporal.client.workflow.getHandle(lease(instanceId)).describe();
  return { activity: raw.pendingActivities?.[0], runId };
}

describe('a step that cannot look up its own IAM user', () => {
  it('keeps its reason in Temporal, folds its trail, backs off, and a watcher sees why', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({ on: { route: 'action', instanceId }, fault: { kind: 'actThenReset' } });
    await stack.control.fault({
      on: { route: 'credential' },
      times: 100_000,
      fault: { kind: 'status', status: 503, message: 'IAM is being maintained. '.repeat(2_000) },
    });
    const workflowId = await stack.start('restart', { targets: [path] });
    const kept = await untilFound(async () => {
      const { activity } = await pending(instanceId);
      return (activity?.attempt ?? 0) >= 8 ? activity : null;
    });
    expect(kept?.lastFailure?.message).toMatch(
      /^GET \/v3\.0\/OS-CREDENTIAL\/credentials: 503 .*IAM is being maintained/,
    );
    expect(kept?.lastFailure?.message).toMatch(/failed \d+ times since .*Z, tried again until .*Z\)$/);
    const { runId } = await pending(instanceId);
    const shown = await untilFound(async () => {
      const target = { path, leaseId: lease(instanceId), childRunId: runId, outcome: null };
      const progress = await liveTargetProgress(temporal.client, target);
      return progress?.steps.find(({ retrying }) => retrying !== undefined) ?? null;
    });
    expect(shown.retrying).toMatchObject({
      reason: expect.stringContaining('503') as string,
      failures: expect.any(Number) as number,
      sinceMs: expect.any(Number) as number,
      untilMs: expect.any(Number) as number,
    });
    await stack.control.clearFaults();
    const report = await stack.report(workflowId);
    const step = report.targets[0]?.steps[0];
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
    // Attempts that ended the same way are two entries, however many there were.
    const entered = step?.trail.find(({ decision, count = 1 }) => decision === 'entered' && count > 1);
    expect(entered?.count).toBeGreaterThanOrEqual(5);
    expect(step?.trail.length).toBeLessThan(12);
    expect(step?.trail.find(({ decision }) => decision === 'failed')?.note).toMatch(/^Unreachable: GET .*503/);
  });
});
