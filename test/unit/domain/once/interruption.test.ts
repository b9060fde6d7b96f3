/** What an interruption does in each phase: an operator's cancel, or the stop of the worker. */
import { describe, expect, it } from 'vitest';
import type { OnceRules } from '../../../../src/domain/once/events.js';
import type { Interruption, PhaseName } from '../../../../src/domain/once/state.js';
import {
  aCloudJob,
  aFollowingState,
  anEndedState,
  anObservation,
  anUnsentState,
  defaultLimits as limits,
  failedWith,
} from '../../../support/build.js';
import { act, requestFailed, settle, type Played, type World } from './play-once.js';

const cancelled = { kind: 'cancelled', message: 'Cancelled before this attempt sent anything' };
const stopped = { kind: 'failed', failure: 'WorkerStopped', retryInMs: 1 };
const lost = requestFailed({ failure: 'Unanswered', message: 'ECONNRESET' });
const succeeded = { kind: 'succeeded' };
const notConverged: World['read'] = (_atMs, sentAtMs) => anObservation(sentAtMs === null ? {} : { lastJobId: 'JOB-1' });

interface Case {
  readonly phase: PhaseName;
  /** Keeps the attempt in the phase until it is interrupted, at 1,500 ms or later. */
  readonly world: World;
  readonly interruptedAtMs?: number;
  readonly cancel: object;
  readonly stop: object;
}

const hasBegunMs = 1_500;
const CASES: readonly Case[] = [
  {
    phase: 'reserving',
    world: { latencyMs: { reserve: 2_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, endedAtMs: hasBegunMs },
    stop: { ending: stopped, state: { sent: 'no' }, endedAtMs: hasBegunMs },
  },
  {
    phase: 'observing',
    world: { latencyMs: { read: 2_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, endedAtMs: hasBegunMs },
    stop: { ending: stopped, state: { sent: 'no' }, endedAtMs: hasBegunMs },
  },
  // The fence notices the interruption.
  {
    phase: 'connecting',
    world: { latencyMs: { connect: 2_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 3_000 },
    stop: { ending: stopped, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 3_000 },
  },
  // The server's answer about this attempt comes first here too.
  {
    phase: 'unleased',
    world: { lease: 'unclear', latencyMs: { askServer: 1_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
    stop: { ending: stopped, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
  },
  // The POST is not cut off. A cancel after it has no effect, and a stop leaves the cloud job to the next attempt.
  {
    phase: 'leasing',
    world: { latencyMs: { lease: 1_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
    stop: { ending: stopped, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
  },
  {
    phase: 'sending',
    world: { latencyMs: { send: 2_000 } },
    cancel: { ending: succeeded, state: { sent: 'yes' } },
    stop: { ending: stopped, state: { sent: 'yes', cloudJob: { id: 'JOB-1' } }, endedAtMs: 3_000 },
  },
  {
    phase: 'confirming',
    world: { post: lost },
    cancel: { ending: succeeded, state: { sent: 'yes', cloudJob: { evidence: {} } } },
    stop: { ending: stopped, state: { sent: 'unknown' }, endedAtMs: hasBegunMs },
  },
  {
    phase: 'following',
    world: { job: (atMs) => aCloudJob({ status: atMs < 60_000 ? 'RUNNING' : 'SUCCEEDED' }) },
    cancel: { ending: succeeded, state: { sent: 'yes' } },
    stop: { ending: stopped, state: { sent: 'yes', cloudJob: { id: 'JOB-1' } }, endedAtMs: hasBegunMs },
  },
  {
    phase: 'lastReading',
    interruptedAtMs: 4_000,
    world: { job: () => aCloudJob({ status: 'FAILED' }), latencyMs: { read: 2_000 } },
    cancel: { ending: { failure: 'CloudJobFailed' }, state: { sent: 'yes', seen: { status: 'STOPPED' } } },
    // The result is already known.
    stop: { ending: { failure: 'CloudJobFailed' }, state: { sent: 'yes', seen: { status: 'STOPPED' } } },
  },
  {
    phase: 'verifying',
    interruptedAtMs: 10_000,
    world: {},
    cancel: { ending: succeeded, state: { sent: 'yes' } },
    stop: { ending: stopped, state: { sent: 'yes', cloudJob: { id: 'JOB-1' } }, endedAtMs: 10_000 },
  },
];

function interrupted(
  by: Interruption,
  { world, interruptedAtMs = hasBegunMs }: Pick<Case, 'world' | 'interruptedAtMs'>,
  rules = {},
): Played {
  return act({ ...world, interruption: { by, atMs: interruptedAtMs } }, rules);
}

describe('an attempt that is interrupted', () => {
  it.each(CASES)('by a cancel in the phase $phase', (given) => {
    expect(interrupted('cancel', given)).toMatchObject({ ...given.cancel, interruptedIn: given.phase });
  });

  it.each(CASES)('by the stop of its worker in the phase $phase', (given) => {
    expect(interrupted('stop', given)).toMatchObject({ ...given.stop, interruptedIn: given.phase });
  });

  it.each(CASES)('ends silently when it is superseded in the phase $phase', (given) => {
    const played = interrupted('superseded', given);
    expect(played).toMatchObject({ ending: { kind: 'superseded' }, interruptedIn: given.phase });
    const isUnsent = ['reserving', 'observing', 'connecting', 'leasing', 'unleased'].includes(given.phase);
    expect(played.state.sent).toBe(isUnsent ? 'no' : given.phase === 'confirming' ? 'unknown' : 'yes');
  });

  it('leaves the search for a lost answer to another attempt when its worker stops', () => {
    const played = interrupted('stop', { world: { latencyMs: { send: 2_000 }, post: lost } });
    const clearAtMs = 1_000 + limits.postTimeoutMs + limits.visibilityWindowMs + limits.marginMs;
    expect(played).toMatchObject({ ending: stopped, state: { sent: 'unknown', clearAtMs }, endedAtMs: 3_000 });
    expect(played.recorded.at(-1)).toEqual(played.state);
  });

  it.each(['cancel', 'stop'] as const)('and whose POST proves that nothing was sent ends as interrupted (%s)', (by) => {
    const post = requestFailed({ request: 'no' });
    const played = interrupted(by, { world: { latencyMs: { send: 2_000 }, post } });
    expect(played).toMatchObject({ ending: by === 'cancel' ? cancelled : stopped, state: { sent: 'no' } });
  });

  it.each(['cancel', 'stop'] as const)('before it sent records that in its trail (%s)', (by) => {
    const { state } = interrupted(by, { world: { latencyMs: { read: 2_000 } } });
    const notes = { cancel: 'cancel requested', stop: 'the worker stopped, or the activity was paused or reset' };
    expect(state.trail.at(-1)).toMatchObject({ decision: 'stopped', note: notes[by] });
    expect(state).toMatchObject({ interrupted: by });
  });

  it('leaves a proof when its worker stops, which the next attempt believes', () => {
    const first = interrupted('stop', { world: { latencyMs: { read: 2_000 } } });
    expect(first.recorded.at(-1)).toEqual(first.state);
    const facts = { attempt: 2, attemptScheduledAtMs: first.endedAtMs + 1 };
    expect(act({}, {}, { facts, previous: first.state })).toMatchObject({ sentAtMs: facts.attemptScheduledAtMs });
  });

  it('records the cloud job whose POST is answered after the stop', () => {
    const { recorded, commands } = interrupted('stop', { world: { latencyMs: { send: 2_000 } } });
    expect(recorded.at(-1)).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, phase: { name: 'ended' } });
    expect(commands.some(({ command }) => command.kind === 'poll')).toBe(false);
  });

  it('does not count as failed when its worker stops', () => {
    expect(interrupted('stop', { world: { latencyMs: { read: 2_000 } } }).state.retrying).toBeUndefined();
  });

  it('leaves the result to another attempt even if its deadline has passed meanwhile', () => {
    const played = interrupted('stop', { world: { latencyMs: { read: 2_000 } } }, { deadlineAtMs: 1_501 });
    expect(played.ending).toMatchObject(stopped);
  });
});

describe('at the barrier', () => {
  const previous = anUnsentState(5_000, { atMs: 10_000 });
  const facts = { attempt: 2, attemptScheduledAtMs: 15_000 };
  const world: World = { latencyMs: { askServer: 2_000 } };
  const interruptedAtBarrier = (by: Interruption, more: World = {}) =>
    act({ ...world, ...more, interruption: { by, atMs: 16_000 } }, {}, { facts, previous });

  it('the answer of the server comes first: a superseded attempt ends silently', () => {
    expect(interruptedAtBarrier('cancel', { standing: 'superseded' }).ending).toEqual({ kind: 'superseded' });
    expect(interruptedAtBarrier('stop', { standing: 'superseded' }).ending).toEqual({ kind: 'superseded' });
  });

  it('an attempt that already knows that it is superseded does not wait for the answer', () => {
    expect(interruptedAtBarrier('superseded')).toMatchObject({ ending: { kind: 'superseded' }, endedAtMs: 16_000 });
  });

  it('the current attempt ends after the answer', () => {
    expect(interruptedAtBarrier('cancel')).toMatchObject({
      ending: cancelled,
      state: { sent: 'no' },
      endedAtMs: 17_000,
    });
    expect(interruptedAtBarrier('stop')).toMatchObject({ ending: stopped, state: { sent: 'no' }, endedAtMs: 17_000 });
  });
});

describe('after a cancel that asks for no verification', () => {
  const leave: Partial<OnceRules> = { verifyAfterCancel: false };

  it('the first reading after the cloud job ends the step', () => {
    const job: World['job'] = (atMs) => aCloudJob({ status: atMs < 60_000 ? 'RUNNING' : 'SUCCEEDED' });
    const played = interrupted('cancel', { world: { job, read: notConverged } }, leave);
    expect(played.ending).toEqual(succeeded);
    expect(played.state.trail.at(-1)).toMatchObject({
      decision: 'verified',
      note: 'not verified: the run was cancelled',
    });
    expect(interrupted('cancel', { world: { job, read: notConverged } }).ending).toMatchObject({
      failure: 'NotConverged',
    });
  });

  it('readings that fail end at the time by which the state should have been reached', () => {
    const read: World['read'] = (_atMs, sentAtMs) => (sentAtMs === null ? anObservation() : requestFailed());
    const { ending, endedAtMs } = interrupted('cancel', { world: { read } }, leave);
    expect(ending).toMatchObject({ failure: 'Unreachable' });
    expect(endedAtMs).toBeLessThan(120_000);
  });
});

describe('settling', () => {
  const PRIOR = failedWith('Unanswered');
  const left = anEndedState(PRIOR, { atMs: 1_000, clearAtMs: 76_000 });
  const interruption = { by: 'stop', atMs: 20_000 } as const;

  it.each([
    ['while it reads', left],
    ['while it follows', { ...aFollowingState('JOB-1', 1_000), phase: left.phase }],
  ] as const)('continues in another attempt after a stop, %s, and keeps what is known', (_case, given) => {
    const world: World = { job: () => aCloudJob(), read: () => anObservation(), interruption };
    const played = settle(given, PRIOR, world, { deadlineAtMs: 15_000 });
    const { sent, cloudJob, clearAtMs } = given;
    expect(played).toMatchObject({ state: { sent, cloudJob, clearAtMs } });
    // Settling is not over, even past its deadline.
    if (sent === 'unknown') expect(played).toMatchObject({ ending: stopped, endedAtMs: 20_000 });
  });

  it('before a first step is cancelled', () => {
    const before = { observation: null, lastJobId: 'JOB-0', knownCloudJobIds: [] };
    const read = () => anObservation({ lastJobStatus: 'RUNNING' });
    const world: World = { read, interruption: { by: 'cancel', atMs: 20_000 } };
    const first = anEndedState(succeeded as { kind: 'succeeded' }, { atMs: 1_000, sent: 'no' });
    const played = settle(first, null, world, { action: null, before, limits });
    expect(played).toMatchObject({ ending: { kind: 'cancelled' }, endedAtMs: 20_000 });
  });
});
