/** How a rule accepts and keeps the notes of deliveries. */
import { describe, expect, it } from 'vitest';
import { MOST_ALARMS_AT_ONCE, UNMATCHED, type AlarmNote } from '../../../../src/domain/alarms/alarm.js';
import { requestProblem } from '../../../../src/domain/alarms/alarm-rule-checks.js';
import { EMPTY_STATE, addNote } from '../../../../src/domain/alarms/alarm-rule-state.js';
import { anAlarm, NO_BRAKES } from '../../../support/alarms.js';

const NOTE: AlarmNote = { sender: 'eye', text: 'it came as prose', receivedAtMs: 1_000 };
const problemOf = (more: object) =>
  requestProblem({ rule: UNMATCHED, brakes: NO_BRAKES, alarms: [], ...more }, UNMATCHED);

describe('a request', () => {
  it.each<[string, object]>([
    ['notes and no alarms', { notes: [NOTE] }],
    ['notes and alarms', { notes: [NOTE], alarms: [anAlarm()] }],
    ['alarms and no notes', { alarms: [anAlarm()], notes: [] }],
    [
      'the most notes, each of the greatest length',
      { notes: Array.from({ length: 200 }, () => ({ ...NOTE, text: 'a'.repeat(998) })) },
    ],
  ])('may hold %s', (_, more) => {
    expect(problemOf(more)).toBeNull();
  });

  it.each<[string, object, string]>([
    ['nothing', {}, `alarms: 1 to ${MOST_ALARMS_AT_ONCE} of them`],
    ['notes that are not a list', { notes: 'note' }, 'notes: 0 to 200 of them'],
    ['too many notes', { notes: Array.from({ length: 201 }, () => NOTE) }, 'notes: 0 to 200 of them'],
    [
      'a long note',
      { notes: [NOTE, { ...NOTE, text: 'a'.repeat(999) }] },
      'notes.1.text: text of at most 1000 bytes is expected',
    ],
    [
      'a note without a time',
      { notes: [{ ...NOTE, receivedAtMs: null }] },
      'notes.0.receivedAtMs: milliseconds is expected',
    ],
    ['a note without a sender', { notes: [{ ...NOTE, sender: 1 }] }, 'notes.0.sender: text of at most'],
    ['a note that is not an object', { notes: [null] }, 'notes.0: an object is expected'],
    ['a note and a bad alarm', { notes: [NOTE], alarms: [null] }, 'alarms.0: an object is expected'],
  ])('may not hold %s', (_, more, problem) => {
    expect(problemOf(more)).toContain(problem);
  });
});

it('the log keeps the last 200 lines, including notes', () => {
  let state = EMPTY_STATE;
  for (let index = 1; index <= 300; index++)
    state = addNote(state, UNMATCHED, { ...NOTE, text: `note ${index}` }, index);
  expect(state.log).toHaveLength(200);
  expect(state.log[0]).toEqual({
    decidedAtMs: 300,
    rule: UNMATCHED,
    alarm: null,
    target: null,
    note: { sender: 'eye', receivedAtMs: 1_000 },
    decision: { kind: 'noted', why: 'note 300', runId: null, untilMs: null },
  });
});
