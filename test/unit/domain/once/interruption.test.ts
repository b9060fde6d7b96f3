/** What being told to end means in each phase: an operator's cancel, or the stop of the worker. */
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
  /** Holds the attempt in the phase until after it is told, at 1,500 ms or later. */
  readonly world: World;
  readonly toldAtMs?: number;
  readonly cancel: object;
  readonly stop: object;
}

const hasBegunMs = 1_500;
const CASES: readonly Case[] = [
  {
    phase: 'reserving',
    world: { takesMs: { reserve: 2_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, endedAtMs: hasBegunMs },
    stop: { ending: stopped, state: { sent: 'no' }, endedAtMs: hasBegunMs },
  },
  {
    phase: 'observing',
    world: { takesMs: { read: 2_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, endedAtMs: hasBegunMs },
    stop: { ending: stopped, state: { sent: 'no' }, endedAtMs: hasBegunMs },
  },
  // The fence sees it.
  {
    phase: 'connecting',
    world: { takesMs: { connect: 2_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 3_000 },
    stop: { ending: stopped, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 3_000 },
  },
  // What the server says of this attempt comes first here, too.
  {
    phase: 'unleased',
    world: { lease: 'unclear', takesMs: { askServer: 1_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
    stop: { ending: stopped, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
  },
  // The POST is not cut; a cancel is not obeyed after it, and at a stop the cloud job is handed over.
  {
    phase: 'leasing',
    world: { takesMs: { lease: 1_000 } },
    cancel: { ending: cancelled, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
    stop: { ending: stopped, state: { sent: 'no' }, sentAtMs: null, endedAtMs: 2_000 },
  },
  {
    phase: 'sending',
    world: { takesMs: { send: 2_000 } },
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
    toldAtMs: 5_500,
    world: { job: () => aCloudJob({ status: 'FAILED' }), takesMs: { read: 2_000 } },
    cancel: { ending: { failure: 'CloudJobFailed' }, state: { sent: 'yes', seen: { status: 'STOPPED' } } },
    // How it ends is known already.
    stop: { ending: { failure: 'CloudJobFailed' }, state: { sent: 'yes', seen: { status: 'STOPPED' } } },
  },
  {
    phase: 'verifying',
    toldAtMs: 10_000,
    world: {},
    cancel: { ending: succeeded, state: { sent: 'yes' } },
    stop: { ending: stopped, state: { sent: 'yes', cloudJob: { id: 'JOB-1' } }, endedAtMs: 10_000 },
  },
];

function told(
  by: Interruption,
  { world, toldAtMs = hasBegunMs }: Pick<Case, 'world' | 'toldAtMs'>,
  rules = {},
): Played {
  return act({ ...world, interruption: { by, atMs: toldAtMs } }, rules);
}

describe('an attempt that is told to end', () => {
  it.each(CASES)('by a cancel in the phase $phase', (given) => {
    expect(told('cancel', given)).toMatchObject({ ...given.cancel, interruptedIn: given.phase });
  });

  it.each(CASES)('by the stop of its worker in the phase $phase', (given) => {
    expect(told('stop', given)).toMatchObject({ ...given.stop, interruptedIn: given.phase });
  });

  it.each(CASES)('leaves without a word where it is superseded in the phase $phase', (given) => {
    const played = told('superseded', given);
    expect(played).toMatchObject({ ending: { kind: 'superseded' }, interruptedIn: given.phase });
    const isUnsent = ['reserving', 'observing', 'connecting', 'leasing', 'unleased'].includes(given.phase);
    expect(played.state.sent).toBe(isUnsent ? 'no' : given.phase === 'confirming' ? 'unknown' : 'yes');
  });

  it('at a stop does not look for a cloud job whose answer was lost: another attempt does', () => {
    const played = told('stop', { world: { takesMs: { send: 2_000 }, post: lost } });
    const clearAtMs = 1_000 + limits.postTimeoutMs + limits.visibilityWindowMs + limits.marginMs;
    expect(played).toMatchObject({ ending: stopped, state: { sent: 'unknown', clearAtMs }, endedAtMs: 3_000 });
    expect(played.recorded.at(-1)).toEqual(played.state);
  });

  it.each(['cancel', 'stop'] as const)('and whose POST proves that nothing was sent ends as it was told (%s)', (by) => {
    const post = requestFailed({ request: 'no' });
    const played = told(by, { world: { takesMs: { send: 2_000 }, post } });
    expect(played).toMatchObject({ ending: by === 'cancel' ? cancelled : stopped, state: { sent: 'no' } });
  });

  it.each(['cancel', 'stop'] as const)('before it sent says so in its trail (%s)', (by) => {
    const { state } = told(by, { world: { takesMs: { read: 2_000 } } });
    const notes = { cancel: 'cancel requested', stop: 'the worker stops' };
    expect(state.trail.at(-1)).toMatchObject({ decision: 'stopped', note: notes[by] });
    expect(state).toMatchObject({ interrupted: by });
  });

  it('leaves a proof at a stop, which the next attempt believes', () => {
    const first = told('stop', { world: { takesMs: { read: 2_000 } } });
    expect(first.recorded.at(-1)).toEqual(first.state);
    const facts = { attempt: 2, attemptScheduledAtMs: first.endedAtMs + 1 };
    expect(act({}, {}, { facts, previous: first.state })).toMatchObject({ sentAtMs: facts.attemptScheduledAtMs });
  });

  it('records the cloud job whose POST is answered after the stop', () => {
    const { recorded, commands } = told('stop', { world: { takesMs: { send: 2_000 } } });
    expect(recorded.at(-1)).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, phase: { name: 'ended' } });
    expect(commands.some(({ command }) => command.kind === 'poll')).toBe(false);
  });

  it('is not counted as a failure at a stop', () => {
    expect(told('stop', { world: { takesMs: { read: 2_000 } } }).state.retrying).toBeUndefined();
  });

  it('lets another attempt say how it ends, also where its deadline has passed meanwhile', () => {
    const played = told('stop', { world: { takesMs: { read: 2_000 } } }, { deadlineAtMs: 1_501 });
    expect(played.ending).toMatchObject(stopped);
  });
});

describe('at the barrier', () => {
  const previous = anUnsentState(5_000, { atMs: 10_000 });
  const facts = { attempt: 2, attemptScheduledAtMs: 15_000 };
  const world: World = { takesMs: { askServer: 2_000 } };
  const toldThere = (by: Interruption, more: World = {}) =>
    act({ ...world, ...more, interruption: { by, atMs: 16_000 } }, {}, { facts, previous });

  it('what the server says comes first: a superseded attempt leaves without a word', () => {
    expect(toldThere('cancel', { standing: 'superseded' }).ending).toEqual({ kind: 'superseded' });
    expect(toldThere('stop', { standing: 'superseded' }).ending).toEqual({ kind: 'superseded' });
  });

  it('one that the server has told to be superseded does not wait for it', () => {
    expect(toldThere('superseded')).toMatchObject({ ending: { kind: 'superseded' }, endedAtMs: 16_000 });
  });

  it('the current one ends after it', () => {
    expect(toldThere('cancel')).toMatchObject({ ending: cancelled, state: { sent: 'no' }, endedAtMs: 17_000 });
    expect(toldThere('stop')).toMatchObject({ ending: stopped, state: { sent: 'no' }, endedAtMs: 17_000 });
  });
});

describe('after a cancel that nobody wants verified', () => {
  const leave: Partial<OnceRules> = { verifyAfterCancel: false };

  it('the first reading after the cloud job ends the step', () => {
    const job: World['job'] = (atMs) => aCloudJob({ status: atMs < 60_000 ? 'RUNNING' : 'SUCCEEDED' });
    const played = told('cancel', { world: { job, read: notConverged } }, leave);
    expect(played.ending).toEqual(succeeded);
    expect(played.state.trail.at(-1)).toMatchObject({
      decision: 'verified',
      note: 'not verified: the run was cancelled',
    });
    expect(told('cancel', { world: { job, read: notConverged } }).ending).toMatchObject({ failure: 'NotConverged' });
  });

  it('readings that fail are given up when the state should have been reached', () => {
    const read: World['read'] = (_atMs, sentAtMs) => (sentAtMs === null ? anObservation() : requestFailed());
    const { ending, endedAtMs } = told('cancel', { world: { read } }, leave);
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
  ] as const)('goes on with another attempt after a stop, %s, and keeps what is known', (_case, given) => {
    const world: World = { job: () => aCloudJob(), read: () => anObservation(), interruption };
    const played = settle(given, PRIOR, world, { deadlineAtMs: 15_000 });
    const { sent, cloudJob, clearAtMs } = given;
    expect(played).toMatchObject({ state: { sent, cloudJob, clearAtMs } });
    // Even past its deadline, where it is not over.
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
