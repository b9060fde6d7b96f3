/** `RunbookClient` against a real server: start or attach, result, progress, report without a worker, cancel, plan. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  InvalidRunId,
  NoReport,
  PlanRefused,
  RunbookClient,
  RunIdTaken,
  RunNotFound,
  ServerUnreachable,
} from '../../src/client/runbook-client.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
beforeAll(async () => {
  stack = await startStack(temporal);
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(() => stack.close());

describe('start', () => {
  it('with the same id never starts a second run, also after the first has ended, and says which happened', async () => {
    const { instanceId, path } = await stack.newInstance();
    const id = `incident-${randomUUID()}`;
    const [first, second] = await Promise.all([1, 2].map(() => runbooks.start('restart', { targets: [path], id })));
    expect([first?.started, second?.started].sort()).toEqual(['attached', 'started']);
    expect(first?.runId).toBe(second?.runId);
    await runbooks.result(id);
    expect((await runbooks.start('restart', { targets: [path], id })).started).toBe('attached');
    expect(await stack.accepted(instanceId)).toEqual(['restart']);
  });

  it('refuses an id that a run of another runbook has, and ids of leases', async () => {
    const { path } = await stack.newInstance();
    const { workflowId: id } = await runbooks.start('health-check', { targets: [path] });
    await expect(runbooks.start('restart', { targets: [path], id })).rejects.toThrow(RunIdTaken);
    await expect(runbooks.start('restart', { targets: [path], id: 'runbook-target/p/i' })).rejects.toThrow(
      InvalidRunId,
    );
  });

  it('makes an id that tells the runbook and the time', async () => {
    const { path } = await stack.newInstance();
    const { workflowId } = await runbooks.start('health-check', { targets: [path] });
    expect(workflowId).toMatch(/^health-check-\d{8}T\d{6}Z-[0-9a-f]{6}$/);
  });
});

describe('a result', () => {
  it('is the report for every outcome, and readable without a worker', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, executionStatus: 'FAILED' });
    const { workflowId } = await runbooks.start('restart', { targets: [path], requestedBy: 'bob', reason: 'a test' });
    const report = await runbooks.result(workflowId);
    expect(report).toMatchObject({ outcome: 'failed', requestedBy: 'bob', reason: 'a test', workflowId });
    expect(await runbooks.report(workflowId)).toEqual(report);
  });

  it('says what is missing', async () => {
    await expect(runbooks.result('no-such-run')).rejects.toThrow(RunNotFound);
    await expect(runbooks.cancel('no-such-run')).rejects.toThrow(RunNotFound);
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('health-check', { targets: [path], dryRun: true });
    await expect(runbooks.result(workflowId)).rejects.toThrow(NoReport);
  });
});

describe('progress', () => {
  it('shows steps as they go, with the cloud job of the one under way', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'stop', durationMs: 800 });
    const { workflowId } = await runbooks.start('recover', { targets: [path] });
    const states = new Set<string>();
    let cloudJobId: string | null = null;
    for await (const { targets } of runbooks.watch(workflowId, { intervalMs: 30 })) {
      for (const { id, state, cloudJobId: job } of targets[0]?.steps ?? []) {
        states.add(`${id} ${state}`);
        if (id === 'stop' && state === 'running') cloudJobId ??= job;
      }
    }
    expect([...states]).toEqual(
      expect.arrayContaining(['stop running', 'start pending', 'rollback running', 'start succeeded']),
    );
    expect(cloudJobId).toBe((await stack.control.accepted(instanceId))[0]?.cloudJobId);
  });
});

describe('cancel', () => {
  it('undoes what was done', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'rollback', durationMs: 700 });
    const { workflowId } = await runbooks.start('recover', { targets: [path] });
    while ((await stack.accepted(instanceId)).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    await runbooks.cancel(workflowId);
    const report = await runbooks.result(workflowId);
    expect(report.outcome).toBe('cancelled');
    // The rollback in flight is finished and cannot be undone; the stop is.
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
    expect(report.targets[0]?.remaining).toMatchObject([{ stepId: 'rollback', kind: 'irreversible' }]);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING', version: '1.4.0' });
  });
});

describe('plan', () => {
  it('shows what a run would do and touches nothing', async () => {
    const { instanceId, path } = await stack.newInstance();
    const plan = await runbooks.plan('recover', { targets: [path] });
    expect(plan.targets[0]?.steps.map(({ id }) => id)).toEqual(['stop', 'rollback', 'start']);
    expect(plan.hash).toBe((await runbooks.plan('recover', { targets: [path], requestedBy: 'somebody else' })).hash);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('is refused with every problem', async () => {
    await expect(runbooks.plan('recover', { targets: ['a/b/c'], inputs: { nonsense: 1 } })).rejects.toThrow(
      PlanRefused,
    );
    await expect(runbooks.plan('recover', { targets: ['a/b/c'], inputs: { nonsense: 1 } })).rejects.toThrow(
      /unknown input "nonsense"[\s\S]*no application "a"/,
    );
  });
});

describe('a server that is not there', () => {
  it('is named', async () => {
    await expect(RunbookClient.connect({ address: '127.0.0.1:9', connectTimeout: 500 })).rejects.toThrow(
      ServerUnreachable,
    );
  });
});
