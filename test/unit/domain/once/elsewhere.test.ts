/** An attempt that is given to a worker of another project: it asks ServiceStage nothing and loses nothing. */
import { describe, expect, it } from 'vitest';
import { aFollowingState, anEndedState, anUnsentState, aSendingState, failedWith } from '../../../support/build.js';
import { act, AGAIN_MS, settle } from './play-once.js';

const elsewhere = 'This worker serves another project';
const ended = { kind: 'failed', failure: 'OtherProject', message: elsewhere, retryInMs: 5_000 };
const again = { facts: { attempt: 2, attemptScheduledAtMs: AGAIN_MS } };
const kindsOf = ({ commands }: ReturnType<typeof act>) => commands.map(({ command }) => command.kind);

describe('an attempt in another project', () => {
  it('ends at once, and proves that nothing was sent', () => {
    const first = act({ elsewhere });
    expect(kindsOf(first)).toEqual(['end']);
    expect(first).toMatchObject({ ending: ended, state: { sent: 'no', clearAtMs: 0 } });
    const facts = { attempt: 2, attemptScheduledAtMs: first.endedAtMs + 5_000 };
    const next = act({}, {}, { facts, previous: first.recorded.at(-1) ?? null });
    expect(next).toMatchObject({ ending: { kind: 'succeeded' }, state: { sentBefore: 'no' } });
  });

  it('passes on the cloud job that is followed', () => {
    const previous = aFollowingState('JOB-1', AGAIN_MS - 1_000);
    const played = act({ elsewhere }, {}, { ...again, previous });
    expect(kindsOf(played)).toEqual(['end']);
    expect(played.recorded.at(-1)).toMatchObject({ sent: 'yes', cloudJob: previous.cloudJob });
  });

  it('that may be superseded asks Temporal first, and vouches for nothing', () => {
    const played = act({ elsewhere }, {}, { ...again, previous: aSendingState() });
    expect(kindsOf(played)).toEqual(['askServer', 'end']);
    expect(played).toMatchObject({ ending: ended, state: { sent: 'unknown', sentBefore: 'unknown' } });
  });

  it.each([
    ['superseded', { kind: 'superseded' }],
    ['unclear', { kind: 'superseded' }],
    ['cancelled', { kind: 'cancelled' }],
  ] as const)('that the server calls %s ends as any other', (standing, ending) => {
    const played = act({ elsewhere, standing }, {}, { ...again, previous: anUnsentState(AGAIN_MS - 1_000) });
    expect(played.ending).toMatchObject(ending);
  });

  it('does not count as a failure of the step, and another one reports its deadline', () => {
    const previous = anUnsentState(AGAIN_MS - 1_000);
    const played = act({ elsewhere }, { deadlineAtMs: AGAIN_MS }, { ...again, previous });
    expect(played).toMatchObject({ ending: ended });
    expect(played.state.retrying).toBeUndefined();
  });
});

it('a settle in another project keeps what was left to it', () => {
  const left = anEndedState(failedWith('Unanswered'), { sent: 'unknown', clearAtMs: 99_000 });
  const played = settle(left, failedWith('Unanswered'), { elsewhere });
  expect(kindsOf(played)).toEqual(['end']);
  expect(played).toMatchObject({ ending: ended, state: { sent: 'unknown', clearAtMs: 99_000 } });
});
