/** The one POST of an attempt, in virtual time: the fence before it, what each answer means, and the search after a lost answer. */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../../../src/domain/target/actions.js';
import type { OnceRules, RequestFailed } from '../../../../src/domain/once/events.js';
import type { OnceState } from '../../../../src/domain/once/state.js';
import { next } from '../../../../src/domain/once/next.js';
import { aBaseline, aCloudJob, anObservation, defaultLimits as limits, onceRules } from '../../../support/build.js';
import { act, actAgain, actToTheEnd, decisions, requestFailed, type World } from './play-once.js';

const lost = requestFailed({ failure: 'Unanswered', message: 'ECONNRESET' });
const refused = (failure: RequestFailed['failure']) =>
  requestFailed({ failure, request: 'refused', message: `because of ${failure}` });
/** Readings never show anything new. */
const showsNothing: World = { read: () => anObservation() };
const closing: NonNullable<OnceRules['closing']> = {
  atMs: 1_000,
  failure: 'OutsideWindow',
  why: 'The window has ended',
};

/** The state left by a first attempt that could not reserve a place for its POST. */
function unsentOnce(): OnceState {
  const { recorded } = act({ reserve: requestFailed({ failure: 'Throttled' }) });
  return recorded[0] ?? expect.fail('It left nothing');
}

describe('the send lease', () => {
  it('is requested once the connection is open, however long that took', () => {
    const played = act({ latencyMs: { connect: 60_000 } });
    expect(played).toMatchObject({ sentAtMs: 61_000, ending: { kind: 'succeeded' } });
    expect(played.commands.find(({ command }) => command.kind === 'lease')).toMatchObject({ atMs: 61_000 });
  });

  it('records that something may have been sent, before it is sent', () => {
    const { commands } = act();
    expect(commands.find(({ command }) => command.kind === 'lease')?.state.sent).toBe('unknown');
  });

  it.each<[string, boolean, Parameters<typeof act>]>([
    ['a first attempt that can send within the margin', true, [{ latencyMs: { connect: 1_000 } }]],
    ['a first attempt that can send later than that', false, [{ latencyMs: { connect: 1_001 } }]],
    [
      'a first attempt by a clock that is far behind',
      false,
      [{}, {}, { facts: { scheduledAtMs: 2_001, attemptScheduledAtMs: 2_001 }, nowMs: 1_000 }],
    ],
    ['a first attempt after a reset', false, [{}, {}, { facts: { attemptScheduledAtMs: 1_200 } }]],
    [
      'an attempt after one that proved that it sent nothing',
      false,
      [{}, {}, { facts: { attempt: 2, attemptScheduledAtMs: 1_200 }, previous: unsentOnce() }],
    ],
  ])('of %s is only a heartbeat: %s', (_case, isYoung, given) => {
    const leased = actToTheEnd(...given).commands.find(({ command }) => command.kind === 'lease');
    expect(leased?.command).toMatchObject({ isYoung });
  });

  it('lets the first byte out no later than at its end', () => {
    expect(act({ latencyMs: { lease: limits.leaseMs } }).sentAtMs).toBe(1_000 + limits.leaseMs);
  });

  it.each<[string, World]>([
    ['the server does not answer in time', { latencyMs: { lease: limits.leaseMs + 1 } }],
    ['the server cannot be asked', { lease: 'unclear' }],
  ])('keeps an attempt from sending when %s', (_case, world) => {
    const { ending, state, sentAtMs, recorded } = act(world);
    expect(ending).toMatchObject({ failure: 'Unreachable', retryInMs: expect.any(Number) });
    expect(state.sent).toBe('no');
    expect(state.trail.at(-1)).toMatchObject({ decision: 'fenced' });
    expect(sentAtMs).toBeNull();
    // The next attempt must not believe the lease.
    expect(recorded.at(-1)).toEqual(state);
  });

  it('is over for a process that was frozen while it was answered', () => {
    const leased = act().commands.find(({ command }) => command.kind === 'lease');
    if (leased === undefined) throw new Error('It asked for no lease');
    const answered = (nowMs: number) =>
      next(leased.state, { kind: 'standing', standing: 'current' }, onceRules(), nowMs).command?.kind;
    expect(answered(leased.atMs + limits.leaseMs)).toBe('send');
    expect(answered(leased.atMs + limits.leaseMs + 1)).toBe('end');
  });

  it.each<[string, World]>([
    ['the server names another one', { standing: 'superseded' }],
    ['it cannot be asked again', { standing: 'unclear' }],
    ['it does not answer again', { latencyMs: { askServer: limits.readTimeoutMs + 1 } }],
  ])('that is not answered ends an attempt silently when %s', (_case, world) => {
    const played = act({ lease: 'unclear', ...world });
    expect(played).toMatchObject({ ending: { kind: 'superseded' }, sentAtMs: null, recorded: [] });
  });

  it('ends a superseded attempt silently', () => {
    expect(act({ lease: 'superseded' })).toMatchObject({
      ending: { kind: 'superseded' },
      sentAtMs: null,
      recorded: [],
    });
  });

  it('ends an attempt of a cancelled run, unsent', () => {
    const played = act({ lease: 'cancelled' });
    expect(played).toMatchObject({ ending: { kind: 'cancelled' }, state: { sent: 'no' }, sentAtMs: null });
  });

  it('does not change what an earlier attempt may have sent', () => {
    expect(actAgain({ lease: 'unclear' }).state.sent).toBe('unknown');
  });

  it('stops an attempt at the deadline of its step, for good', () => {
    const { ending, state, sentAtMs } = act({ latencyMs: { connect: 10 } }, { deadlineAtMs: 1_010 });
    expect(ending).toMatchObject({ failure: 'DeadlinePassed', retryInMs: null });
    expect(state.sent).toBe('no');
    expect(sentAtMs).toBeNull();
    expect(act({ latencyMs: { connect: 9 } }, { deadlineAtMs: 1_010 }).sentAtMs).toBe(1_009);
  });

  it.each([
    ['unsent if nothing was sent before', act, 'no', 'stop was not sent: The window has ended'],
    [
      'unclear if something may have been sent before',
      actAgain,
      'unknown',
      'stop was not sent any more: The window has ended',
    ],
  ] as const)('stops an attempt once its gate has closed, %s', (_case, begin, sent, message) => {
    const { ending, state, sentAtMs } = begin({}, { closing });
    expect(ending).toEqual({ kind: 'failed', failure: 'OutsideWindow', message, retryInMs: null });
    expect(state.sent).toBe(sent);
    expect(sentAtMs).toBeNull();
  });

  it('lets an attempt send just before its gate closes, and follow its cloud job afterwards', () => {
    const played = act({ latencyMs: { poll: 60_000 } }, { closing: { ...closing, atMs: 1_001 } });
    expect(played).toMatchObject({ sentAtMs: 1_000, ending: { kind: 'succeeded' } });
  });
});

describe('what proves that nothing was sent', () => {
  it.each<[string, World]>([
    ['a connection that fails', { connect: requestFailed({ request: 'no' }) }],
    ['an answer that proves it', { post: requestFailed({ request: 'no' }) }],
  ])('%s leaves a proof, and is tried again', (_case, world) => {
    const played = act(world);
    expect(played.ending).toMatchObject({ failure: 'Unreachable', retryInMs: expect.any(Number) });
    expect(played.state).toMatchObject({ sent: 'no', clearAtMs: 0 });
    expect(played.recorded.at(-1)).toEqual(played.state);
    expect(decisions(played).at(-1)).toBe('notSent');
  });

  it('proves nothing about what an earlier attempt may have sent', () => {
    const { state } = actAgain({ post: requestFailed({ request: 'no' }) });
    expect(state.sent).toBe('unknown');
  });
});

describe('a refusal by ServiceStage', () => {
  it.each([
    ['InvalidStep', null],
    ['TargetNotFound', null],
    ['NotAllowed', null],
    ['TargetBusy', 2 * limits.quietMs],
  ] as const)('(%s) is believed if nothing was sent before', (failure, retryInMs) => {
    const { ending, state } = act({ post: refused(failure) });
    expect(ending).toMatchObject({ kind: 'failed', failure, retryInMs });
    expect(state.sent).toBe('no');
  });

  it('proves nothing about an earlier send: a cloud job that shows within the window is adopted', () => {
    const showsAfterMs = 10_000;
    const read: World['read'] = (atMs, sentAtMs) =>
      sentAtMs === null || atMs < sentAtMs + showsAfterMs
        ? anObservation()
        : anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' });
    const played = actAgain({ post: refused('TargetBusy'), read });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    expect(decisions(played).slice(-4)).toEqual(['sent', 'refused', 'adopted', 'verified']);
  });

  it('is Indeterminate after an earlier send that does not show within the window', () => {
    const { ending, state, sentAtMs, endedAtMs } = actAgain({ ...showsNothing, post: refused('InvalidStep') });
    expect(ending).toMatchObject({ kind: 'indeterminate', message: expect.stringContaining('because of InvalidStep') });
    expect(state.sent).toBe('unknown');
    expect(endedAtMs - (sentAtMs ?? 0)).toBe(limits.visibilityWindowMs);
  });
});

describe('a lost answer', () => {
  it.each<[string, Action]>([
    ['a stop', { action: 'stop' }],
    ['a restart', { action: 'restart' }],
  ])('of %s is resolved by reading: the cloud job is adopted', (_case, action) => {
    const status = action.action === 'stop' ? 'STOPPED' : 'RUNNING';
    const read: World['read'] = (_atMs, sentAtMs) =>
      sentAtMs === null ? anObservation() : anObservation({ status, lastJobId: 'JOB-1' });
    const played = act({ post: lost, read }, { action });
    expect(played.ending).toEqual({ kind: 'succeeded' });
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1', evidence: { createdByUs: true } } });
    expect(decisions(played)).toEqual(['entered', 'sent', 'unanswered', 'adopted', 'verified']);
  });

  it('is Unanswered if one quiet reading shows nothing, and this attempt does not send again', () => {
    const played = act({ ...showsNothing, post: lost });
    expect(played.ending).toMatchObject({ failure: 'Unanswered', message: 'ECONNRESET', retryInMs: limits.quietMs });
    expect(played.state).toMatchObject({ sent: 'unknown', cloudJob: null });
    expect(played.commands.filter(({ command }) => command.kind === 'connect')).toHaveLength(1);
    expect(played.endedAtMs).toBe(1_000 + limits.quietMs);
    expect(played.recorded.at(-1)).toEqual(played.state);
  });

  it.each([0, limits.postTimeoutMs])(
    'after %i ms may still appear until the POST and the visibility window are over',
    (sendMs) => {
      const { state } = act({ ...showsNothing, post: lost, latencyMs: { send: sendMs } });
      expect(state.clearAtMs).toBe(1_000 + limits.postTimeoutMs + limits.visibilityWindowMs + limits.marginMs);
    },
  );

  it.each([
    ['the baseline', 'JOB-0'],
    ['an earlier step', 'JOB-A'],
  ])('is one that names the cloud job of %s: a restart does not count as done by it', (_case, cloudJobId) => {
    const change = {
      action: { action: 'restart' },
      before: aBaseline({ lastJobId: 'JOB-0' }, ['JOB-A', 'JOB-0']),
    } as const;
    const played = actToTheEnd({ ...showsNothing, post: { kind: 'accepted', cloudJobId } }, change);
    expect(played.ending).toMatchObject({ kind: 'indeterminate' });
    expect(played.state).toMatchObject({ sent: 'unknown', cloudJob: null });
    expect(decisions(played).slice(0, 3)).toEqual(['entered', 'sent', 'unanswered']);
  });

  it('is not searched for any longer when readings fail', () => {
    const read: World['read'] = (_atMs, sentAtMs) => (sentAtMs === null ? anObservation() : requestFailed());
    const { ending, endedAtMs } = act({ post: lost, read });
    expect(ending).toMatchObject({ failure: 'Unanswered' });
    expect(endedAtMs).toBe(1_000 + limits.quietMs);
  });

  it('whose cloud job shows no tasks yet is Unanswered, not Indeterminate, if nothing was sent before', () => {
    const read: World['read'] = (_atMs, sentAtMs) =>
      anObservation(sentAtMs === null ? {} : { status: 'STOPPING', lastJobId: 'JOB-1' });
    const { ending } = act({ post: lost, read, job: () => aCloudJob({ tasks: [] }) });
    expect(ending).toMatchObject({ failure: 'Unanswered' });
  });

  it('beside a cloud job of somebody else stays open until nothing more can appear', () => {
    const read: World['read'] = (_atMs, sentAtMs) => anObservation(sentAtMs === null ? {} : { lastJobId: 'JOB-1' });
    const { ending, state } = act({ post: lost, read, job: () => aCloudJob({ createdBy: 'them' }) });
    expect(ending).toMatchObject({
      failure: 'Unanswered',
      message: expect.stringContaining('cannot be proved to be ours'),
    });
    expect(state).toMatchObject({ sent: 'unknown', cloudJob: null });
  });
});
