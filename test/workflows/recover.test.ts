import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/report/report.js';
import { textOfHistory } from '../support/history-text.js';
import { startStack, type Stack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
let stack: Stack;
beforeAll(async () => {
  // With a password, so that tokens are fetched and renewed.
  stack = await startStack(temporal, { authentication: 'password' });
});
afterAll(() => stack.close());

const steps = ({ targets }: RunReport) => targets[0]?.steps.map(({ id, result }) => `${id} ${result}`);
const undos = ({ targets }: RunReport) => targets[0]?.compensations.map(({ id, result }) => `${id} ${result}`);
const failures = ({ targets }: RunReport) => targets[0]?.steps.flatMap(({ failure }) => failure?.name ?? []);

describe.concurrent('recover', () => {
  it('stops, rolls back and starts, each once', async () => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.run('recover', path);
    expect(report).toMatchObject({ outcome: 'succeeded', runbook: 'recover', notStarted: [] });
    expect(steps(report)).toEqual(['stop succeeded', 'rollback succeeded', 'start succeeded']);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
    expect(await stack.control.instance(instanceId)).toMatchObject({
      status: 'RUNNING',
      version: '1.4.0',
      availableReplica: 2,
    });
  });

  it('skips a stop if the instance is stopped already, with the reading as proof', async () => {
    const { instanceId, path } = await stack.newInstance({ status: 'STOPPED' });
    const report = await stack.run('recover', path);
    expect(steps(report)).toEqual(['stop skipped', 'rollback succeeded', 'start succeeded']);
    expect(report.targets[0]?.steps[0]).toMatchObject({ sent: 'no', cloudJobId: null, after: { status: 'STOPPED' } });
    expect(await stack.accepted(instanceId)).toEqual(['rollback', 'start']);
  });

  it('starts again on the old version when the cloud job of the rollback fails', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({
      instanceId,
      action: 'rollback',
      executionStatus: 'FAILED',
      messages: 'image was deleted',
    });
    const report = await stack.run('recover', path);
    expect(report).toMatchObject({ outcome: 'compensated' });
    expect(steps(report)).toEqual(['stop succeeded', 'rollback failed']);
    expect(undos(report)).toEqual(['undo-stop succeeded']);
    expect(report.targets[0]?.steps[1]?.failure?.message).toContain('image was deleted');
    expect(report.targets[0]?.notReached).toEqual(['start']);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
    expect(await stack.control.instance(instanceId)).toMatchObject({ status: 'RUNNING', version: '1.4.1' });
  });

  it('sends nothing more when the start never converges, and reports what remains', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.outcome({ instanceId, action: 'start', converges: false });
    const report = await stack.run('recover', path);
    expect(report).toMatchObject({ outcome: 'failed' });
    expect(failures(report)).toEqual(['NotConverged']);
    expect(undos(report)).toEqual([]);
    expect(report.targets[0]?.remaining.map(({ stepId, kind }) => `${stepId} ${kind}`)).toEqual([
      'rollback irreversible',
      'stop notUndone',
    ]);
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
  });

  it.each([
    [
      'an unknown version',
      'recover',
      { inputs: { version: '9.9.9' } },
      'InvalidPlan',
      'Snapshots, newest first: 1.4.0, 1.3.2',
    ],
    [
      'an unknown instance',
      'recover',
      { targets: ['shop/checkout/nowhere'] },
      'InvalidPlan',
      'there is no instance "nowhere"',
    ],
    ['an unknown runbook', 'recoverr', {}, 'UnknownRunbook', 'Did you mean recover?'],
  ])('touches nothing for %s', async (_case, runbook, more, name, text) => {
    const { instanceId, path } = await stack.newInstance();
    const report = await stack.run(runbook, path, more);
    expect(report).toMatchObject({ outcome: 'refused', failure: { name } });
    expect(report.failure?.message).toContain(text);
    expect(await stack.accepted(instanceId)).toEqual([]);
  });

  it('leaves no secret in its histories', async () => {
    const { path } = await stack.newInstance();
    const report = await stack.run('recover', path);
    const { simulator } = stack;
    const ids = [report.workflowId, report.targets[0]?.leaseId ?? ''];
    const histories = await Promise.all(ids.map((id) => temporal.client.workflow.getHandle(id).fetchHistory()));
    const text = histories.map(textOfHistory).join('\n');
    for (const secret of [simulator.secretKey, simulator.iamPassword, simulator.token])
      expect(text.includes(secret)).toBe(false);
    expect(text.includes('previous: 1.4.1')).toBe(true);
  });
});

// These two concern every request of the worker.
describe('recover', () => {
  it('continues through a storm of 429', async () => {
    const { instanceId, path } = await stack.newInstance();
    await stack.control.fault({
      on: { instanceId },
      nth: 2,
      times: 4,
      fault: { kind: 'throttle', retryAfterSeconds: 0.1 },
    });
    const report = await stack.run('recover', path);
    expect(report.outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
  });

  it('continues when its token expires during the run', async () => {
    const { instanceId, path } = await stack.newInstance();
    const workflowId = await stack.start('recover', { targets: [path] });
    await until(async () => (await stack.accepted(instanceId)).length > 0);
    await stack.control.expireTokens();
    expect((await stack.report(workflowId)).outcome).toBe('succeeded');
    expect(await stack.accepted(instanceId)).toEqual(['stop', 'rollback', 'start']);
    const { counts } = await stack.control.requests();
    expect(counts['token 201']).toBeGreaterThanOrEqual(2);
  });
});
