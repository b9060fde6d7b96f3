import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CloudJobWatcher, type FollowRequest } from '../../src/activities/cloud-job-watcher.js';
import { quickLimits } from '../support/build.js';
import { startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

async function aCloudJob(durationMs: number): Promise<string> {
  const { target } = await bench.instance();
  await bench.control.outcome({ instanceId: target.instanceId, durationMs });
  return (await bench.control.console({ instanceId: target.instanceId, action: 'restart' })).cloudJobId;
}

function request(cloudJobId: string, change: Partial<FollowRequest> = {}): FollowRequest {
  return {
    cloudJobId,
    submittedAtMs: Date.now(),
    usualDurationMs: 300,
    deadlineAtMs: Date.now() + 5_000,
    limits: quickLimits({ readTimeoutMs: 500 }),
    signal: new AbortController().signal,
    ...change,
  };
}

describe('the watcher', () => {
  it('looks a few times at a cloud job of the usual duration', async () => {
    const watcher = new CloudJobWatcher(bench.serviceStage);
    const end = await watcher.follow(request(await aCloudJob(300)));
    expect(end.kind).toBe('succeeded');
    expect(watcher.statistics.looksMade).toBeLessThanOrEqual(4);
  });

  it('shares a look between all who follow the same cloud job', async () => {
    const watcher = new CloudJobWatcher(bench.serviceStage);
    const cloudJobId = await aCloudJob(300);
    const ends = await Promise.all(Array.from({ length: 20 }, () => watcher.follow(request(cloudJobId))));
    expect(new Set(ends.map(({ kind }) => kind))).toEqual(new Set(['succeeded']));
    expect(watcher.statistics.looksMade).toBeLessThan(20);
    expect(watcher.statistics.following).toBe(0);
  });

  it('ends with the reason of the signal, at once, also while a look waits for its answer', async () => {
    const watcher = new CloudJobWatcher(bench.serviceStage);
    const cloudJobId = await aCloudJob(10_000);
    await bench.control.fault({ on: { route: 'job' }, fault: { kind: 'delay', ms: 400 } });
    const stop = new AbortController();
    const reason = new Error('the worker stops');
    const beganAtMs = Date.now();
    setTimeout(() => stop.abort(reason), 180);
    await expect(watcher.follow(request(cloudJobId, { signal: stop.signal }))).rejects.toBe(reason);
    expect(Date.now() - beganAtMs).toBeLessThan(350);
  });
});
