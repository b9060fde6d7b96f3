/** A step that is given to a worker of another project: nothing is sent, nothing is read, and nothing that is known is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { observeTarget } from '../../src/activities/observe-target.js';
import { otherProject } from '../../src/activities/other-project.js';
import { activityEnd } from '../../src/workflows/activity-failure.js';
import { stateAfter } from '../../src/domain/once/activity-end.js';
import { aFollowingState, aSendingState, quickLimits } from '../support/build.js';
import { failed, resultOf, startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const elsewhere = () => bench.client({ projectId: 'another' });
const requests = async () => (await bench.control.requests()).requests.length;
/** The action that may least of all be sent twice. */
const action = { action: 'restart' } as const;

describe('a worker of another project', () => {
  it('neither reads nor sends, and the attempt is made again', async () => {
    const { target, before } = await bench.instance();
    const askedBefore = await requests();
    const ended = failed(await bench.perform({ action, target, before, serviceStage: elsewhere() }));
    expect(ended).toMatchObject({ name: 'OtherProject', retryable: true, heartbeats: [] });
    expect(ended.message).toContain(`project another, and ${target.path} is in project ${target.projectId}`);
    expect(await requests()).toBe(askedBefore);
    // The worker of its own project carries it out, as after an attempt that was lost.
    const later = { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 };
    expect(resultOf(await bench.performToTheEnd({ action, target, before, ...later }))).toMatchObject({ sent: 'yes' });
    expect(await bench.accepted(target)).toEqual([action.action]);
  });

  it('reads no instance before its first step', async () => {
    const { target } = await bench.instance();
    const environment = new MockActivityEnvironment();
    const read = environment.run(() => observeTarget(elsewhere(), target, quickLimits(), 'run-1'));
    await expect(read).rejects.toMatchObject({ type: 'OtherProject', nonRetryable: false });
  });

  it('keeps the cloud job that an attempt before it followed', async () => {
    const { target, before } = await bench.instance();
    const previous = aFollowingState('job', Date.now());
    const ended = failed(await bench.perform({ action, target, before, previous, serviceStage: elsewhere() }));
    expect(ended.state).toMatchObject({ sent: 'yes', cloudJob: previous.cloudJob });
  });

  it('does not vouch for what an attempt before it may have sent', async () => {
    const { target, before } = await bench.instance();
    const previous = { ...aSendingState(), sent: 'no' as const };
    const ended = failed(await bench.perform({ action, target, before, previous, serviceStage: elsewhere() }));
    expect(ended.state).toBeUndefined();
    // If no other worker comes in time, this is how the step ends.
    const error = ApplicationFailure.create({ type: ended.name, message: ended.message });
    const decided = { nowMs: 10_000, decidedAtMs: 0, limits: quickLimits() };
    expect(stateAfter(activityEnd(error), decided)).toMatchObject({
      sent: 'unknown',
      phase: { ending: { failure: 'OtherProject', retryInMs: null } },
    });
  });
});

it('a worker of the same project is not refused', async () => {
  const { target } = await bench.instance();
  expect(otherProject(bench.serviceStage, target)).toBeNull();
});
