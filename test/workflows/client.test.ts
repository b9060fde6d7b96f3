/**
 * `RunbookClient` against a real server: result, progress, report without a worker, cancel, plan. Starts and watching
 * have files of their own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AccessDenied,
  NoReport,
  PlanRefused,
  RunbookClient,
  RunNotFound,
  ServerUnreachable,
} from '../../src/client/index.js';
import { leaseId } from '../../src/domain/target/target.js';
import { isCancelRequested } from '../support/cancel-request.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
let runbooks: RunbookClient;
beforeAll(async () => {
  stack = await startStack(temporal);
  runbooks = new RunbookClient({ client: temporal.client, taskQueue: temporal.taskQueue });
});
afterAll(() => stack.close());

describe.concurrent('a result', () => {
  it('is the report for every outcome, and readable without a worker', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, executionStatus: 'FAILED' });
    const { workflowId } = await runbooks.start('restart', { targets: [path], requestedBy: 'bob', reason: 'a test' });
    const report = await runbooks.result(workflowId);
    expect(report).toMatchObject({ outcome: 'failed', requestedBy: 'bob', reason: 'a test', workflowId });
    expect(await runbooks.report(workflowId)).toEqual(report);
  });

  it('names the missing environment variable', async () => {
    await expect(runbooks.result('no-such-run')).rejects.toThrow(RunNotFound);
    await expect(runbooks.cancel('no-such-run')).rejects.toThrow(RunNotFound);
    const { path } = await stack.newInstance();
    const workflowId = await stack.start('health-check', { targets: [path], dryRun: true });
    await expect(runbooks.result(workflowId)).rejects.toThrow(NoReport);
  });

  it('is no longer waited for once the signal is aborted, while the run continues', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'restart', durationMs: 1_200 });
    const { workflowId } = await runbooks.start('restart', { targets: [path] });
    const enough = new AbortController();
    const waiting = runbooks.result(workflowId, { signal: enough.signal });
    enough.abort(new Error('the caller has no more time'));
    await expect(waiting).rejects.toThrow('the caller has no more time');
    await expect(runbooks.result(workflowId, { signal: enough.signal })).rejects.toThrow('the caller has no more time');
    expect((await runbooks.result(workflowId)).outcome).toBe('succeeded');
  });
});

describe.concurrent('progress', () => {
  it('shows steps as they proceed, with the cloud job of the current one', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'stop', neverEnds: true });
    const { workflowId } = await runbooks.start('recover', { targets: [path] });
    const states = new Set<string>();
    let cloudJobId: string | null = null;
    for await (const { targets } of runbooks.watch(workflowId, { intervalMs: 30 })) {
      for (const { id, state, cloudJobId: job } of targets[0]?.steps ?? []) {
        states.add(`${id} ${state}`);
        if (id === 'stop' && state === 'running') cloudJobId ??= job;
      }
      if (cloudJobId !== null) await stack.control.finish(instanceId);
    }
    expect([...states]).toEqual(
      expect.arrayContaining(['stop running', 'start pending', 'rollback running', 'start succeeded']),
    );
    expect(cloudJobId).toBe((await stack.control.accepted(instanceId))[0]?.cloudJobId);
  });
});

describe.concurrent('cancel', () => {
  it('undoes what was done', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'rollback', neverEnds: true });
    const { workflowId } = await runbooks.start('recover', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length === 2);
    expect(await runbooks.cancel(workflowId)).toBe('requested');
    const lease = leaseId({ projectId: stack.simulator.projectId, instanceId });
    await until(() => isCancelRequested(temporal.client, lease));
    await stack.control.finish(instanceId);
    const report = await runbooks.result(workflowId);
    expect(report.outcome).toBe('cancelled');
    // The rollback in flight is finished and cannot be undone; the stop is.
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
    expect(report.targets[0]?.remaining).toMatchObject([{ stepId: 'rollback', kind: 'irreversible' }]);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING', version: '1.4.0' });
    expect(await runbooks.cancel(workflowId)).toBe('alreadyEnded');
  });
});

describe.concurrent('plan', () => {
  it('shows what a run would do and touches nothing', async () => {
    const { instanceId, path } = await stack.newInstance();
    const plan = await runbooks.plan('recover', { targets: [path] });
    expect(plan.targets[0]?.steps.map(({ id }) => id)).toEqual(['stop', 'rollback', 'start']);
    expect(plan.hash).toBe((await runbooks.plan('recover', { targets: [path], requestedBy: 'somebody else' })).hash);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('is refused with every problem', async () => {
    const unchecked: string = 'recover';
    const refused = runbooks.plan(unchecked, { targets: ['a/b/c'], inputs: { nonsense: 1 } });
    await expect(refused).rejects.toThrow(PlanRefused);
    await expect(refused).rejects.toThrow(/unknown input "nonsense"[\s\S]*no application "a"/);
  });
});

describe.concurrent('a server', () => {
  it('that has no such namespace denies access', async () => {
    await using elsewhere = RunbookClient.lazy({ address: temporal.address, namespace: 'nowhere' });
    await expect(elsewhere.start('restart', { targets: ['a/b/c'] })).rejects.toThrow(AccessDenied);
    await expect(elsewhere.hasWorker()).rejects.toThrow(AccessDenied);
  });

  it('that does not exist is named', async () => {
    await expect(RunbookClient.connect({ address: '127.0.0.1:9', connectTimeout: 500 })).rejects.toThrow(
      ServerUnreachable,
    );
  });
});
