/** The first attempt until it sends, in virtual time: what its readings lead to, and how long it takes. */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../../../src/domain/target/actions.js';
import { beginActing, next } from '../../../../src/domain/once/next.js';
import { aBaseline, anObservation, attemptFacts, defaultLimits as limits, onceRules } from '../../../support/build.js';
import { act, commandKinds, decisions, requestFailed, type World } from './play-once.js';

const restart: Action = { action: 'restart' };

describe('the first attempt', () => {
  it('reserves, reads, connects, sends, follows and verifies', () => {
    const played = act();
    expect(commandKinds(played)).toEqual(['reserve', 'read', 'connect', 'lease', 'send', 'poll', 'read', 'end']);
    expect(decisions(played)).toEqual(['entered', 'sent', 'accepted', 'verified']);
    expect(played.state).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, seen: { lastJobId: 'JOB-1' } });
    expect(played.ending).toEqual({ kind: 'succeeded' });
  });

  it('waits for nothing before its send', () => {
    expect(act().sentAtMs).toBe(1_000);
  });

  it('records the cloud job at once, and nothing before', () => {
    const { recorded } = act();
    expect(recorded).toHaveLength(1);
    expect(recorded[0]).toMatchObject({ sent: 'yes', cloudJob: { id: 'JOB-1' }, phase: { name: 'following' } });
  });

  it('reads a stale replica four times, then gives up as TargetBusy', () => {
    const before = aBaseline({ lastJobId: 'JOB-0' }, ['JOB-old', 'JOB-0']);
    const played = act({ read: () => anObservation({ lastJobId: 'JOB-old' }) }, { before });
    expect(played.ending).toMatchObject({ kind: 'failed', failure: 'TargetBusy', retryInMs: limits.quietMs });
    expect(played.state.sent).toBe('no');
    expect(played.endedAtMs).toBe(1_000 + 3 * limits.quietMs);
  });

  it('does not act on a deleted instance', () => {
    const { ending, state } = act({ read: () => anObservation({ status: 'DELETED' }) });
    expect(ending).toMatchObject({ failure: 'TargetNotFound', retryInMs: null });
    expect(state.sent).toBe('no');
  });

  it('never skips a restart', () => {
    expect(act({}, { action: restart }).sentAtMs).toBe(1_000);
    const stopped = act({ read: () => anObservation({ status: 'STOPPED' }) });
    expect(stopped).toMatchObject({ sentAtMs: null, ending: { kind: 'skipped' }, state: { sent: 'no' } });
  });

  describe('after a state that was only reached', () => {
    const before = { ...aBaseline({ status: 'STOPPED' }), notHeld: true as const };
    const verify = { withinMs: 60_000, stableMs: 10_000 };
    const isStopped = anObservation({ status: 'STOPPED' });

    it('is skipped once that state has held', () => {
      const played = act({ read: () => isStopped }, { before, verify });
      expect(played).toMatchObject({ sentAtMs: null, ending: { kind: 'skipped' }, endedAtMs: 11_000 });
      expect(played.commands.filter(({ command }) => command.kind === 'read')).toHaveLength(3);
    });

    it('is skipped at once if an action follows it as well', () => {
      const noHold = { withinMs: 60_000, stableMs: 0 };
      expect(act({ read: () => isStopped }, { before, verify: noHold }).endedAtMs).toBe(1_000);
    });

    it('is sent if that state is lost while it should hold', () => {
      const read: World['read'] = (atMs, sentAtMs) => {
        if (sentAtMs === null) return atMs < 6_000 ? isStopped : anObservation();
        return anObservation({ status: 'STOPPED', lastJobId: 'JOB-1' });
      };
      const played = act({ read }, { before, verify });
      expect(played).toMatchObject({ sentAtMs: 6_000, ending: { kind: 'succeeded' } });
    });

    it('is not sent over an action of somebody else meanwhile', () => {
      const read: World['read'] = (atMs) => (atMs < 6_000 ? isStopped : anObservation({ lastJobId: 'JOB-theirs' }));
      const played = act({ read }, { before, verify });
      expect(played).toMatchObject({ sentAtMs: null, ending: { failure: 'TargetChanged' } });
    });
  });

  it('believes that the instance is missing only after two such readings in a row', () => {
    const missing = requestFailed({ failure: 'TargetNotFound', request: 'no', message: 'not found' });
    const once = act({ read: (atMs, sentAtMs) => (atMs === 1_000 ? missing : stoppedOnceSent(sentAtMs)) });
    expect(once.ending).toEqual({ kind: 'succeeded' });
    expect(once.sentAtMs).toBe(1_000 + limits.quietMs);
    const twice = act({ read: () => missing });
    expect(twice.ending).toMatchObject({ failure: 'TargetNotFound', retryInMs: null });
    expect(twice.state.sent).toBe('no');
  });

  it('counts only missing readings in a row', () => {
    const missing = requestFailed({ failure: 'TargetNotFound', request: 'no' });
    const before = aBaseline({ lastJobId: 'JOB-0' }, ['JOB-old', 'JOB-0']);
    let reads = 0;
    const read: World['read'] = (_atMs, sentAtMs) =>
      [missing, anObservation({ lastJobId: 'JOB-old' }), missing][reads++] ?? stoppedOnceSent(sentAtMs);
    expect(act({ read }, { before }).ending).toEqual({ kind: 'succeeded' });
  });

  it.each(['reserve', 'read'] as const)('gives up unsent when a command to %s is not answered', (kind) => {
    const played = act({ latencyMs: { [kind]: 3_600_000 } });
    expect(played.ending).toMatchObject({ failure: 'Throttled', retryInMs: expect.any(Number) });
    expect(played.state.sent).toBe('no');
    expect(played.endedAtMs).toBe(1_000 + limits.heartbeatTimeoutMs);
  });

  it.each([
    ['a reservation that is refused', { reserve: requestFailed({ failure: 'Throttled', request: 'no' }) }, 'Throttled'],
    ['a reading that fails', { read: () => requestFailed() }, 'Unreachable'],
    [
      'a reading that cannot be read',
      { read: () => requestFailed({ failure: 'UnreadableAnswer' }) },
      'UnreadableAnswer',
    ],
  ] as const)('ends unsent at %s, and is tried again', (_case, world, failure) => {
    const { ending, state, recorded } = act(world);
    expect(ending).toMatchObject({ kind: 'failed', failure, retryInMs: expect.any(Number) });
    expect(state).toMatchObject({ sent: 'no', retrying: { failure, failures: 1 } });
    expect(recorded).toEqual([state]);
  });

  it('is tried again after the pause that an answer asks for', () => {
    const { ending } = act({ read: () => requestFailed({ failure: 'Throttled', retryAfterMs: 12_345 }) });
    expect(ending).toMatchObject({ retryInMs: 12_345 });
  });

  it('gives up for good at the fifth attempt whose readings have an unknown shape', () => {
    const read = () => requestFailed({ failure: 'UnreadableAnswer' });
    const facts = { attempt: 5, attemptScheduledAtMs: 20_000 };
    expect(act({ read }, {}, { facts }).ending).toMatchObject({ failure: 'UnreadableAnswer', retryInMs: null });
  });

  it('is tried again without a pause once if the token had expired', () => {
    const world: World = { read: () => requestFailed({ request: 'no', tokenExpired: true }) };
    const first = act(world);
    expect(first.ending).toMatchObject({ failure: 'Unreachable', retryInMs: 1 });
    const facts = { attempt: 2, attemptScheduledAtMs: first.endedAtMs + 1 };
    expect(act(world, {}, { facts, previous: first.state }).ending).toMatchObject({ retryInMs: 2 * limits.quietMs });
  });

  it('ends for good, with the reason, when the next attempt would come after the deadline', () => {
    const { ending, recorded } = act({ read: () => requestFailed() }, { deadlineAtMs: 1_000 + limits.quietMs });
    expect(ending).toMatchObject({ failure: 'Unreachable', retryInMs: null });
    expect(ending).toMatchObject({ message: '503 (no other attempt fits before the deadline of the step)' });
    expect(recorded).toEqual([]);
  });

  it('proves nothing once the server may have given it up: another attempt may be running', () => {
    const silentMs = limits.heartbeatTimeoutMs - limits.marginMs;
    const skips = (readMs: number, more: World = {}) =>
      act({ read: () => anObservation({ status: 'STOPPED' }), latencyMs: { read: readMs }, ...more }).state.sent;
    expect(skips(silentMs, { isFrozen: true })).toBe('no');
    expect(skips(silentMs + 1, { isFrozen: true })).toBe('unknown');
    expect(skips(silentMs + 1)).toBe('no');
  });

  it('gains nothing from a heartbeat after such a silence', () => {
    const { state } = beginActing(onceRules(), attemptFacts(), null, 1_000);
    const heartbeatAt = (nowMs: number) => next(state, { kind: 'heartbeat' }, onceRules(), nowMs).state.heardAtMs;
    const latestMs = 1_000 + limits.heartbeatTimeoutMs - limits.marginMs;
    expect(heartbeatAt(latestMs)).toBe(latestMs);
    expect(heartbeatAt(latestMs + 1)).toBe(1_000);
  });
});

function stoppedOnceSent(sentAtMs: number | null) {
  return anObservation(sentAtMs === null ? {} : { status: 'STOPPED', lastJobId: 'JOB-1' });
}
