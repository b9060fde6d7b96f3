/** A step that is given to a worker of another project: nothing is sent, nothing is read, and nothing that is known is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { observeTarget } from '../../src/activities/observe-target.js';
import { settleTarget } from '../../src/activities/perform-action.js';
import type { TemporalAccess } from '../../src/activities/temporal-access.js';
import { CloudJobWatch } from '../../src/activities/cloud-job-watch.js';
import { Durations } from '../../src/domain/durations/durations.js';
import type { OnceState } from '../../src/domain/once/state.js';
import { activityEnd } from '../../src/workflows/activity-failure.js';
import { stateAfter } from '../../src/domain/once/activity-end.js';
import { aFollowingState, anEndedState, aSendingState, failedWith, quickLimits } from '../support/build.js';
import { failed, resultOf, startBench, type Bench } from '../support/perform.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const QUIET = { logger: new DefaultLogger('ERROR') };
const elsewhere = () => bench.client({ projectId: 'another' });
const requests = async () => (await bench.control.requests()).requests.length;
/** The action that may least of all be sent twice. */
const action = { action: 'restart' } as const;

describe('a worker of another project', () => {
  it('neither reads nor sends, and the attempt is made again', async () => {
    const { target, before } = await bench.instance();
    const askedBefore = await requests();
    const first = failed(await bench.perform({ action, target, before, serviceStage: elsewhere() }));
    expect(first).toMatchObject({ name: 'OtherProject', retryable: true, state: { sent: 'no' } });
    expect(first.message).toContain(`project another, and ${target.path} is in project ${target.projectId}`);
    // Neither is a second worker of another project a reason to doubt.
    const previous = first.heartbeats.at(-1) as OnceState;
    const later = { attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0, previous };
    const second = failed(await bench.perform({ action, target, before, ...later, serviceStage: elsewhere() }));
    expect(second).toMatchObject({ name: 'OtherProject', nextRetryDelayMs: 5_000, state: { sent: 'no' } });
    expect(await requests()).toBe(askedBefore);
    // The worker of its own project sends at once.
    const third = { ...later, attempt: 3, previous: second.heartbeats.at(-1) as OnceState };
    expect(resultOf(await bench.perform({ action, target, before, ...third }))).toMatchObject({ sent: 'yes' });
    expect(await bench.accepted(target)).toEqual([action.action]);
  });

  it('reads no instance before its first step', async () => {
    const { target } = await bench.instance();
    const environment = new MockActivityEnvironment({}, QUIET);
    const read = environment.run(() => observeTarget(elsewhere(), target, quickLimits(), 'run-1'));
    await expect(read).rejects.toMatchObject({ type: 'OtherProject', nonRetryable: false });
  });

  it('keeps the cloud job that an attempt before it followed, and does not ask for it', async () => {
    const { target, before } = await bench.instance();
    const askedBefore = await requests();
    const previous = aFollowingState('job', Date.now());
    const ended = failed(
      await bench.perform({ action, target, before, attempt: 2, previous, serviceStage: elsewhere() }),
    );
    expect(ended).toMatchObject({ name: 'OtherProject', state: { sent: 'yes', cloudJob: previous.cloudJob } });
    expect(ended.heartbeats.at(-1)).toMatchObject({ cloudJob: previous.cloudJob });
    expect(await requests()).toBe(askedBefore);
  });

  it('does not vouch for what an attempt before it may have sent', async () => {
    const { target, before } = await bench.instance();
    const given = { action, target, before, attempt: 2, scheduledAgoMs: 500, attemptScheduledAgoMs: 0 };
    const ended = failed(await bench.perform({ ...given, previous: aSendingState(), serviceStage: elsewhere() }));
    expect(ended).toMatchObject({ name: 'OtherProject', state: { sent: 'unknown', sentBefore: 'unknown' } });
    const error = ApplicationFailure.create({ type: ended.name, message: ended.message, details: [ended.state] });
    const decided = { nowMs: Date.now(), decidedAtMs: 0, limits: quickLimits() };
    // If no other worker comes in time, this is how the step ends.
    expect(stateAfter(activityEnd(error), decided)).toMatchObject({
      sent: 'unknown',
      phase: { ending: { failure: 'OtherProject', retryInMs: null } },
    });
  });

  it('reports nothing where Temporal does not name its attempt as the current one', async () => {
    const { target, before } = await bench.instance();
    const given = { action, target, before, attempt: 2, standing: 'superseded' as const, serviceStage: elsewhere() };
    expect(await bench.perform(given)).toMatchObject({ kind: 'leftSilently' });
  });
});

it('a settle there does not read either, and its failure has what was left to it', async () => {
  const { target, before } = await bench.instance();
  const askedBefore = await requests();
  const prior = failedWith('Unanswered');
  const left = anEndedState(prior, { sent: 'unknown', cloudJob: { id: 'job', submittedAtMs: 1 } });
  const serviceStage = elsewhere();
  const rules = { verify: { withinMs: 1_000, stableMs: 40 }, verifyAfterCancel: true, limits: quickLimits() };
  const request = { target, before, action, left, prior, deadlineAtMs: Date.now() + 2_000, ...rules };
  const dependencies = { serviceStage, temporal: {} as TemporalAccess, watch: new CloudJobWatch(new Durations()) };
  const settled = new MockActivityEnvironment({}, QUIET).run(() => settleTarget(dependencies, request));
  await expect(settled).rejects.toMatchObject({ type: 'OtherProject', details: [{ cloudJob: { id: 'job' } }] });
  expect(await requests()).toBe(askedBefore);
});
