/** After the send, in virtual time: the cloud job is polled to its end, then the instance must reach the desired state and hold it. */
import { describe, expect, it } from 'vitest';
import type { RequestFailed } from '../../../../src/domain/once/events.js';
import { unknownCloudJobMs } from '../../../../src/domain/once/limits.js';
import {
  aBaseline,
  aCloudJob,
  aFollowingState,
  anObservation,
  defaultLimits as limits,
} from '../../../support/build.js';
import { act, actAgain, askedAt, requestFailed, withoutTime, type Played, type World } from './play-once.js';

const ENDS_MS = 21_000;
const DEADLINE_MS = 601_000;
const ours = { lastJobId: 'JOB-1' };
const stopped = anObservation({ status: 'STOPPED', ...ours });
const adoptedRead: World['read'] = () => anObservation({ status: 'STOPPED', ...ours });

/** In flight until then. */
function endsAt(endMs: number, status = 'SUCCEEDED'): NonNullable<World['job']> {
  return (atMs) => aCloudJob({ status: atMs < endMs ? 'RUNNING' : status });
}

function afterSend(
  seen: (atMs: number) => ReturnType<typeof anObservation> | RequestFailed,
): NonNullable<World['read']> {
  return (atMs, sentAtMs) => (sentAtMs === null ? anObservation() : seen(atMs));
}

function polls({ commands }: Played): readonly number[] {
  return commands.flatMap(({ atMs, command }) => (command.kind === 'poll' ? [askedAt(command, atMs)] : []));
}

function readings({ commands, sentAtMs }: Played): readonly number[] {
  return commands.flatMap(({ atMs, command }) =>
    command.kind === 'read' && atMs > (sentAtMs ?? 0) ? [atMs + command.inMs] : [],
  );
}

describe('a cloud job', () => {
  it('is polled until it has ended, and each poll may come as late as the deadline', () => {
    const played = act({ job: endsAt(ENDS_MS) });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    const { commands } = played;
    const asked = commands.flatMap(({ command }) => (command.kind === 'poll' ? [command] : []));
    expect(asked.length).toBeGreaterThan(5);
    const [before, last] = polls(played).slice(-2);
    expect(asked.at(-1)).toEqual({
      kind: 'poll',
      cloudJobId: 'JOB-1',
      submittedAtMs: 1_000,
      sinceMs: 1_000,
      polls: asked.length - 1,
      lastRunningAtMs: (before ?? 0) - 1_000,
      latestAtMs: DEADLINE_MS,
      giveUpAtMs: DEADLINE_MS + limits.readTimeoutMs,
    });
    expect(last).toBeGreaterThanOrEqual(ENDS_MS);
  });

  it('ended between the last poll that saw it running, and the first that saw its end', () => {
    const played = act({ job: endsAt(ENDS_MS), latencyMs: { poll: 300 } });
    const [before = 0, last = 0] = polls(played).slice(-2);
    // What counts is when it was asked, not when the answer was read.
    const { id, submittedAtMs } = played.state.cloudJob ?? {};
    expect(played.state.cloudJob).toEqual({
      id,
      submittedAtMs,
      runningAtMs: before - 1_000,
      endedByMs: last - 1_000,
    });
    expect(before).toBeLessThan(ENDS_MS);
  });

  it('that ended before the first poll was never seen running', () => {
    expect(act().state.cloudJob).toEqual({ id: 'JOB-1', submittedAtMs: 1_000, endedByMs: 100 });
  });

  it('was not seen running by polls that fail, or that show an unclear status', () => {
    const unclear: World['job'] = (atMs) =>
      atMs < ENDS_MS
        ? atMs < 5_000
          ? requestFailed()
          : aCloudJob({ status: 'UNKNOWN' })
        : aCloudJob({ status: 'SUCCEEDED' });
    expect(act({ job: unclear }).state.cloudJob).toEqual({
      id: 'JOB-1',
      submittedAtMs: 1_000,
      endedByMs: expect.any(Number),
    });
  });

  it('has no known age where it was adopted', () => {
    const { cloudJob } = actAgain({ read: adoptedRead, job: endsAt(120_000) }).state;
    expect(Object.keys(cloudJob ?? {})).toEqual(['id', 'submittedAtMs', 'evidence']);
  });

  it('keeps the ages that an earlier attempt saw', () => {
    const previous = aFollowingState('JOB-1', 2_000);
    const facts = { attempt: 2, attemptScheduledAtMs: 60_000 };
    const seen = (ages: object) => ({ ...previous, cloudJob: { id: 'JOB-1', submittedAtMs: 2_000, ...ages } });
    const after = (ages: object) => act({ read: () => stopped }, {}, { facts, previous: seen(ages) }).state.cloudJob;
    expect(after({ runningAtMs: 7_000 })).toMatchObject({ runningAtMs: 7_000, endedByMs: 58_100 });
    expect(after({ runningAtMs: 7_000, endedByMs: 9_000 })).toMatchObject({ runningAtMs: 7_000, endedByMs: 9_000 });
  });

  it.each(['FAILED', 'PARTIALLY_FAILED', 'CANCELLED', 'ROLLBACKED'])(
    'that ended %s fails the step, with its reason and one more reading',
    (status) => {
      const tasks = [{ taskId: 't', name: 'stop', status: 'FAILED', messages: 'disk full', createdAtMs: 10_000 }];
      const seen = anObservation({ status: 'FAILED', ...ours });
      const { ending, state } = act({ job: () => aCloudJob({ status, tasks }), read: afterSend(() => seen) });
      expect(ending).toMatchObject({ failure: 'CloudJobFailed', retryInMs: null });
      expect(ending).toMatchObject({ message: expect.stringMatching(`JOB-1 ended ${status}.*disk full`) });
      expect(state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, seen: withoutTime(seen) });
    },
  );

  it('that failed fails the step even if the instance can no longer be read', () => {
    const { ending, state } = act({ job: endsAt(0, 'FAILED'), read: afterSend(() => requestFailed()) });
    expect(ending).toMatchObject({ failure: 'CloudJobFailed' });
    expect(state.seen).toMatchObject({ status: 'RUNNING' });
  });

  it('that was adopted, failed, and may be somebody else’s leaves the step Indeterminate', () => {
    const world: World = { read: adoptedRead, job: () => aCloudJob({ status: 'FAILED', createdBy: null }) };
    const first = actAgain(world);
    // It is ours if our own user asked for it.
    expect(actAgain({ ...world, job: endsAt(0, 'FAILED') }).ending).toMatchObject({ failure: 'CloudJobFailed' });
    expect(first.state).toMatchObject({ sent: 'yes', cloudJob: { evidence: { createdByUs: false } } });
    const facts = { attempt: 3, attemptScheduledAtMs: first.state.clearAtMs };
    const end = first.ending.kind === 'indeterminate' ? first : act(world, {}, { facts, previous: first.state });
    expect(end.ending).toMatchObject({ kind: 'indeterminate', failure: 'Indeterminate' });
  });

  it('is overdue at the deadline, with its last known status', () => {
    const played = act({ job: () => aCloudJob() });
    expect(played.ending).toMatchObject({ failure: 'CloudJobOverdue', retryInMs: null });
    expect(played.ending).toMatchObject({ message: expect.stringContaining('its status is RUNNING') });
    expect(played.state.sent).toBe('yes');
    expect(played.endedAtMs).toBe(DEADLINE_MS);
  });

  it('is overdue if the API still does not know it', () => {
    const played = act({ job: () => null });
    expect(played.ending).toMatchObject({ failure: 'CloudJobOverdue' });
    expect(played.ending).toMatchObject({ message: expect.stringContaining('does not know cloud job JOB-1') });
    expect(played.endedAtMs).toBeGreaterThan(1_000 + unknownCloudJobMs(limits));
    expect(played.endedAtMs).toBeLessThan(1_000 + 3 * unknownCloudJobMs(limits));
  });

  it('that the API does not know now and then is still followed', () => {
    let nth = 0;
    const job: World['job'] = (atMs) => (nth++ % 2 === 0 ? null : endsAt(400_000)(atMs));
    expect(act({ job }).ending).toEqual({ kind: 'succeeded' });
  });

  it('is followed through polls that fail, which are counted', () => {
    const played = act({ job: () => requestFailed() });
    expect(played.ending).toMatchObject({ failure: 'CloudJobOverdue' });
    expect(played.ending).toMatchObject({ message: expect.stringMatching(/503 \(\d+ of \d+ polls failed\)/) });
    expect(played.endedAtMs).toBe(DEADLINE_MS);
  });

  it('is not followed beyond the time of a poll made at the deadline by one that is never answered', () => {
    const played = act({ latencyMs: { poll: 3_600_000 } });
    expect(played.ending).toMatchObject({ failure: 'CloudJobOverdue', message: expect.stringContaining('in time') });
    expect(played.endedAtMs).toBe(DEADLINE_MS + limits.readTimeoutMs);
  });

  it('is polled once more by an attempt that takes over after the deadline', () => {
    const previous = aFollowingState('JOB-1', 2_000);
    const facts = { attempt: 2, attemptScheduledAtMs: DEADLINE_MS + 10_000 };
    const played = act({ read: () => stopped }, {}, { facts, previous });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    expect(act({ job: () => aCloudJob(), read: () => stopped }, {}, { facts, previous }).ending).toMatchObject({
      failure: 'CloudJobOverdue',
    });
  });
});

describe('verifying', () => {
  const verify = { withinMs: 60_000, stableMs: 10_000 };

  it('requires the desired state to hold for the configured time', () => {
    const played = act();
    expect(played.endedAtMs - (readings(played)[0] ?? 0)).toBeGreaterThanOrEqual(verify.stableMs);
    expect(readings(played)).toHaveLength(3);
  });

  it('ends with the first reading that shows a state that need not hold, and notes that', () => {
    const played = act({}, { verify: { withinMs: 60_000, stableMs: 0 } });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    expect(readings(played)).toHaveLength(1);
    expect(played.state.trail.at(-1)?.note).toMatch(/STOPPED.*; reached, not held$/);
  });

  it('counts the time until a reading was asked for, not until its answer was read', () => {
    const short = { withinMs: 30_000, stableMs: 4_000 };
    const latencyMs = { read: 4_900 };
    const [first = 0] = readings(act({ latencyMs }, { verify: short }));
    const lostMs = first + latencyMs.read + short.stableMs - 1_000;
    const seen = (atMs: number) => (atMs < lostMs ? stopped : anObservation(ours));
    const played = act({ read: afterSend(seen), latencyMs }, { verify: short });
    expect(played.ending).toMatchObject({ failure: 'NotConverged' });
  });

  it('restarts the count when the state is lost', () => {
    const polledMs = act().endedAtMs - verify.stableMs;
    const leftMs = polledMs + 3_000;
    const seen = (atMs: number) => (atMs >= leftMs && atMs < leftMs + 4_000 ? anObservation(ours) : stopped);
    expect(act({ read: afterSend(seen) }).endedAtMs).toBeGreaterThanOrEqual(leftMs + 4_000 + verify.stableMs);
  });

  it('is NotConverged if the state is not reached in time', () => {
    const played = act({ read: afterSend(() => anObservation(ours)) });
    expect(played.ending).toMatchObject({ failure: 'NotConverged', retryInMs: null });
    expect(played.ending).toMatchObject({ message: expect.stringMatching(/expected STOPPED, saw RUNNING/) });
    expect(played.endedAtMs - (readings(played)[0] ?? 0)).toBe(verify.withinMs);
  });

  it('takes no longer than the deadline of the step', () => {
    const played = act({ read: afterSend(() => anObservation(ours)) }, { deadlineAtMs: 30_000 });
    expect(played.endedAtMs).toBe(30_000);
  });

  it('waits for its own cloud job to show while an older one still does', () => {
    const showsMs = 20_000;
    const seen = (atMs: number) => anObservation({ status: 'STOPPED', ...(atMs < showsMs ? {} : ours) });
    const { ending, state, endedAtMs } = act({ read: afterSend(seen) });
    expect(ending).toEqual({ kind: 'succeeded' });
    expect(state.seen?.lastJobId).toBe('JOB-1');
    expect(endedAtMs).toBeGreaterThanOrEqual(showsMs + verify.stableMs);
  });

  it('keeps reading while readings fail, even longer than the state may take', () => {
    const backMs = 200_000;
    const { ending, endedAtMs } = act({ read: afterSend((atMs) => (atMs < backMs ? requestFailed() : stopped)) });
    expect(ending).toEqual({ kind: 'succeeded' });
    expect(endedAtMs).toBeGreaterThan(backMs);
  });

  it('shows why it cannot read, until it can', () => {
    const { state } = act({ read: afterSend(() => requestFailed()) });
    expect(state.retrying?.failures).toBeGreaterThan(10);
    expect(
      act({ read: afterSend((atMs) => (atMs < 30_000 ? requestFailed() : stopped)) }).state.retrying,
    ).toBeUndefined();
  });

  it.each([
    ['was never seen since', () => requestFailed(), 'it was not seen since'],
    ['was seen once', (atMs: number) => (atMs < 7_000 ? stopped : requestFailed()), 'last seen STOPPED'],
  ] as const)('is Unreachable at the deadline if the instance %s', (_case, seen, words) => {
    const played = act({ read: afterSend(seen), job: endsAt(0) });
    expect(played.ending).toMatchObject({ failure: 'Unreachable', retryInMs: null });
    expect(played.ending).toMatchObject({ message: expect.stringContaining(words) });
    expect(played.endedAtMs).toBeGreaterThanOrEqual(DEADLINE_MS);
    expect(played.endedAtMs).toBeLessThan(DEADLINE_MS + 5_000);
    // At most one reading in two and a half seconds, half of the time that the state must hold.
    expect(readings(played).length).toBeLessThan(DEADLINE_MS / 2_500);
  });

  it.each([
    ['a new cloud job appears', { status: 'STARTING', lastJobId: 'JOB-2' }, 'TargetChanged'],
    ['the instance is deleted', { status: 'DELETED', ...ours }, 'TargetNotFound'],
  ] as const)('fails, sent, when %s after ours', (_case, change, failure) => {
    const { ending, state } = act({ read: afterSend(() => anObservation(change)) });
    expect(ending).toMatchObject({ kind: 'failed', failure, retryInMs: null });
    expect(state.sent).toBe('yes');
  });

  it.each([
    ['a new cloud job appears', { status: 'STARTING', lastJobId: 'JOB-2' }],
    ['the instance is deleted', { status: 'DELETED', ...ours }],
    ['the state is not reached', { status: 'RUNNING', ...ours }],
  ] as const)('is Indeterminate when %s after a cloud job that was adopted', (_case, change) => {
    const world: World = {
      read: (atMs) => (atMs < 72_000 ? anObservation({ status: 'STOPPING', ...ours }) : anObservation(change)),
      job: endsAt(120_000),
    };
    const { ending, state } = actAgain(world);
    expect(ending).toMatchObject({ kind: 'indeterminate', failure: 'Indeterminate' });
    expect(state.sent).toBe('yes');
  });

  it('leaves the cloud job that was followed as the baseline of the next step', () => {
    const before = aBaseline({ lastJobId: 'JOB-0' }, ['JOB-0']);
    // Nothing is verified, so a reading from before our cloud job ends it.
    const played = act(
      { read: afterSend(() => anObservation()), interruption: { by: 'cancel', atMs: 1_001 } },
      { before, verifyAfterCancel: false },
    );
    expect(played.state.seen?.lastJobId).toBe('JOB-1');
  });
});
