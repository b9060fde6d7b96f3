/** How many messages a run sends: reminders give way to what is new. */
import { describe, expect, it } from 'vitest';
import type { Moment } from '../../../../src/domain/notifications/moments.js';
import {
  mostMessages,
  NONE_SENT,
  roomFor,
  type MessagesSent,
} from '../../../../src/domain/notifications/notification-reports.js';

const blocked = (reminder: number): Moment => ({
  kind: 'blocked',
  target: 0,
  blocked: { step: 'restart', why: 'w', untilMs: 1 },
  count: 1,
  reminder,
});
const approval = (reminder: number): Moment => ({
  kind: 'approval',
  target: null,
  approval: {
    ...{ step: null, title: 't', need: 1, roles: [], notRequester: true, votes: [], askedAtMs: 0, untilMs: 1 },
  },
  count: 1,
  reminder,
});

/** Sends as many as there is room for. */
function sendAll(moment: Moment, sent: MessagesSent, targets: number): MessagesSent {
  const isReminder = 'reminder' in moment && moment.reminder > 0;
  let after = sent;
  while (roomFor(moment, after, targets) !== 'no' && after.all < 10_000)
    after = { all: after.all + 1, reminders: after.reminders + (isReminder ? 1 : 0) };
  return after;
}

describe.each([
  ['a blocked step', blocked, 60, 40],
  ['an approval', approval, 30, 20],
] as const)('messages about %s', (_what, moment, most, waits) => {
  it('are bounded for reminders', () => {
    expect(sendAll(moment(1), NONE_SENT, 100)).toEqual({ all: most, reminders: most });
  });

  it('have room for a new wait of every target, after any number of reminders', () => {
    for (const targets of [1, 100]) {
      const after = sendAll(moment(0), sendAll(moment(1), NONE_SENT, targets), targets);
      expect(after).toEqual({ all: most + waits + targets, reminders: most });
      expect(after.all).toBe(mostMessages(targets)[moment(0).kind]);
    }
  });

  it('are never more than the histories have room for', () => {
    for (let firsts = 0; firsts <= most; firsts += 1)
      for (const targets of [1, 2, 50, 100]) {
        const begun = { all: firsts, reminders: 0 };
        const after = sendAll(moment(0), sendAll(moment(1), begun, targets), targets);
        expect(after.all).toBeLessThanOrEqual(mostMessages(targets)[moment(0).kind]);
      }
  });

  it('that runs from before did not send are distinguished', () => {
    expect(roomFor(moment(0), { all: most - 1, reminders: most - 1 }, 1)).toBe('yes');
    expect(roomFor(moment(0), { all: most, reminders: most }, 1)).toBe('wait');
    expect(roomFor(moment(1), { all: most, reminders: most }, 1)).toBe('no');
  });
});

it('of other kinds have a number of their own', () => {
  const late: Moment = { kind: 'late', target: 0, late: { step: 's', afterMs: 1 } };
  expect(sendAll(late, NONE_SENT, 100)).toEqual({ all: 10, reminders: 0 });
});
