/** `settleTarget`: what may have been sent becomes clear, or is said to be unclear. Read-only, whatever happens. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CloudJobWatcher } from '../../src/activities/cloud-job-watcher.js';
import { settleTarget } from '../../src/activities/settle-target.js';
import type { Baseline, SettleTargetArguments, SettleTargetResult } from '../../src/domain/contract.js';
import type { Target } from '../../src/domain/target.js';
import { quickLimits } from '../support/build.js';
import { startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

function settle(
  target: Target,
  before: Baseline,
  change: Partial<SettleTargetArguments> = {},
): Promise<SettleTargetResult> {
  const request: SettleTargetArguments = {
    target,
    baseline: before,
    before: before.observation,
    action: { action: 'stop' },
    cloudJobId: null,
    sent: 'unknown',
    scheduledAtMs: Date.now() - 500,
    unseenForMs: 250,
    deadlineAtMs: Date.now() + 2_000,
    usualDurationMs: 150,
    limits: quickLimits(),
    ...change,
  };
  const { serviceStage } = bench;
  const dependencies = { serviceStage, watcher: new CloudJobWatcher(serviceStage) };
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return environment.run<[], SettleTargetResult, () => Promise<SettleTargetResult>>(() =>
    settleTarget(dependencies, request),
  );
}

async function stopped(target: Target): Promise<string> {
  const reservation = await bench.serviceStage.reservePost({ budgetWaitMs: 100, credentialsWaitMs: 100 });
  return (await reservation.submitAction(target, { action: 'stop' }, { timeoutMs: 500 })).cloudJobId;
}

describe('a known cloud job', () => {
  it('is waited for to its end', async () => {
    const { target, before } = await bench.instance();
    const cloudJobId = await stopped(target);
    const settled = await settle(target, before, { cloudJobId, sent: 'yes' });
    expect(settled).toMatchObject({ clear: true, sent: 'yes', cloudJobId, observation: { status: 'STOPPED' } });
  });

  it('that has succeeded is not settled by a reading that shows it and not yet what it did', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'visibleLate', ms: 0, statusMs: 600 },
    });
    const cloudJobId = await stopped(target);
    const limits = quickLimits({ visibilityWindowMs: 3_000 });
    const settled = await settle(target, before, { cloudJobId, sent: 'yes', limits });
    expect(settled).toMatchObject({ clear: true, sent: 'yes', cloudJobId, observation: { status: 'STOPPED' } });
  });

  it('that has ended is not settled by a reading from before it', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'visibleLate', ms: 600, statusMs: 600 },
    });
    const cloudJobId = await stopped(target);
    const limits = quickLimits({ visibilityWindowMs: 3_000 });
    const settled = await settle(target, before, { cloudJobId, sent: 'yes', limits });
    expect(settled).toMatchObject({
      clear: true,
      sent: 'yes',
      cloudJobId,
      observation: { status: 'STOPPED', lastJobId: cloudJobId },
    });
  });

  it('that does not end within the limit leaves it unclear', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, neverEnds: true });
    const cloudJobId = await stopped(target);
    const settled = await settle(target, before, { cloudJobId, sent: 'yes', deadlineAtMs: Date.now() + 300 });
    expect(settled).toMatchObject({ clear: false, sent: 'yes', cloudJobId });
  });
});

describe('something that may have been sent', () => {
  it('did not happen when nothing new shows and the state is as before', async () => {
    const { target, before } = await bench.instance();
    const beganAtMs = Date.now();
    expect(await settle(target, before)).toMatchObject({ clear: true, sent: 'no', cloudJobId: null });
    expect(Date.now() - beganAtMs).toBeGreaterThanOrEqual(250);
  });

  it('is ours when a new cloud job shows with evidence, and is followed to its end', async () => {
    const { target, before } = await bench.instance();
    const cloudJobId = await stopped(target);
    const settled = await settle(target, before);
    expect(settled).toMatchObject({
      clear: true,
      sent: 'yes',
      cloudJobId,
      evidence: { createdByUs: true },
      observation: { status: 'STOPPED' },
    });
  });

  it('is found although it shows late', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'action', instanceId: target.instanceId },
      fault: { kind: 'visibleLate', ms: 180, statusMs: 180 },
    });
    const cloudJobId = await stopped(target);
    expect(await settle(target, before)).toMatchObject({ clear: true, sent: 'yes', cloudJobId });
  });

  it('stays unclear beside a cloud job of somebody else', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const settled = await settle(target, before);
    expect(settled).toMatchObject({ clear: false, sent: 'unknown' });
    expect(settled.why).toContain('cannot be told to be ours');
  });

  it('is not called unclear before nothing more can come, beside a cloud job of somebody else', async () => {
    const { target, before } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const beganAtMs = Date.now();
    expect(await settle(target, before, { unseenForMs: 900 })).toMatchObject({ clear: false, sent: 'unknown' });
    expect(Date.now() - beganAtMs).toBeGreaterThanOrEqual(900);
  });

  it('counts as ours where the wished state holds under the same cloud job', async () => {
    const { target, before } = await bench.instance();
    await bench.control.change(target.instanceId, { status: 'STOPPED' });
    expect(await settle(target, before)).toMatchObject({ clear: true, sent: 'unknown' });
  });

  it('stays unclear where the state changed otherwise without a cloud job', async () => {
    const { target, before } = await bench.instance();
    await bench.control.change(target.instanceId, { status: 'DOWN' });
    expect(await settle(target, before)).toMatchObject({ clear: false, sent: 'unknown' });
  });
});

describe('before a first step', () => {
  it('a foreign cloud job only has to end', async () => {
    const { target } = await bench.instance();
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    const settled = await settle(target, before, { action: null, before: null, sent: 'no' });
    expect(settled).toMatchObject({ clear: true, sent: 'no', observation: { status: 'RUNNING' } });
  });

  it('one that never ends leaves it unclear', async () => {
    const { target } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, neverEnds: true });
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    const before = await bench.baseline(target);
    const settled = await settle(target, before, {
      action: null,
      before: null,
      sent: 'no',
      deadlineAtMs: Date.now() + 200,
    });
    expect(settled).toMatchObject({ clear: false });
  });
});

describe('readings that fail', () => {
  it('are tolerated', async () => {
    const { target, before } = await bench.instance();
    await bench.control.fault({
      on: { route: 'instance', instanceId: target.instanceId },
      times: 3,
      fault: { kind: 'status', status: 503 },
    });
    expect(await settle(target, before)).toMatchObject({ clear: true, sent: 'no' });
  });

  it('are not said any more once one has succeeded, whatever it shows', async () => {
    const { target, before } = await bench.instance();
    await bench.control.outcome({ instanceId: target.instanceId, neverEnds: true });
    await bench.control.console({ instanceId: target.instanceId, action: 'restart' });
    await bench.control.fault({
      on: { route: 'instance', instanceId: target.instanceId },
      times: 2,
      fault: { kind: 'status', status: 503 },
    });
    const settled = await settle(target, before, { action: null, before: null, deadlineAtMs: Date.now() + 1_000 });
    expect(settled).toMatchObject({ clear: false, observation: { status: 'RESTARTING' } });
    expect(settled.why).not.toContain('503');
  });
});
