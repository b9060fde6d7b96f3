/** Notifications are bounded, printable and keyed, whatever they are made of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_EVENTS, RUN_EVENTS } from '../../../../src/domain/notifications/events.js';
import {
  createNotification,
  EVENT_OF_OUTCOME,
  type NotificationFacts,
} from '../../../../src/domain/notifications/notification.js';
import { details, headline, plainLines } from '../../../../src/domain/notifications/notification-text.js';
import { OUTCOMES } from '../../../../src/domain/report/report.js';
import { hasControlCharacters, utf8Bytes } from '../../../../src/domain/text/text.js';

const facts: NotificationFacts = {
  event: 'failed',
  runId: 'recover-20261130T031500Z-4f2a9c',
  runbook: 'recover',
  targets: ['shop/web/a', 'shop/web/b', 'shop/web/c', 'shop/web/d', 'shop/web/e'],
  outcome: 'failed',
  summary: 'The step stop failed.',
  needs: [{ what: 'see why', command: 'runbook report recover-20261130T031500Z-4f2a9c' }],
  atMs: Date.UTC(2026, 10, 30, 3, 15),
  about: 'stop',
};

describe('a notification', () => {
  it('shows what happened first, then what to type, then the facts', () => {
    expect(plainLines(createNotification(facts))).toEqual([
      'Runbook recover failed: shop/web/a and 4 more',
      'The step stop failed.',
      'To see why:',
      'runbook report recover-20261130T031500Z-4f2a9c',
      'Run: recover-20261130T031500Z-4f2a9c',
      'Targets: shop/web/a, shop/web/b, shop/web/c, 2 more',
      'Outcome: failed',
      'Time: 2026-11-30T03:15:00Z',
    ]);
  });

  it.each(RUN_EVENTS)('of %s has a headline with the word a chat robot can require', (event) => {
    const { outcome: _outcome, ...open } = facts;
    const made = createNotification({ ...open, event, targets: ['shop/web/a'] });
    expect(headline(made)).toMatch(/^Runbook recover.* shop\/web\/a$|^Runbook recover.*: shop\/web\/a$/);
    expect(details(made).map(([name]) => name)).toEqual(['Run', 'Time']);
  });

  it('has one key for each run, event and occasion, and the same each time', () => {
    const key = (more: Partial<NotificationFacts>) => createNotification({ ...facts, ...more }).key;
    expect(key({})).toBe('failed/stop/recover-20261130T031500Z-4f2a9c');
    expect(key({ summary: 'other words', atMs: 0, targets: [] })).toBe(key({}));
    const others = [{ event: 'late' }, { about: 'start' }, { runId: 'other' }] as const;
    expect(new Set([key({}), ...others.map(key)]).size).toBe(4);
  });

  it('has all events but done by default', () => {
    expect(DEFAULT_EVENTS).toEqual(['waiting', 'paused', 'failed', 'indeterminate', 'compensated', 'late']);
  });

  it('of the end of a run is a default one unless the run succeeded or was cancelled', () => {
    const quiet = OUTCOMES.filter((outcome) => !DEFAULT_EVENTS.includes(EVENT_OF_OUTCOME[outcome]));
    expect(quiet).toEqual(['cancelled', 'succeeded']);
  });

  it('is small and on one line for each text, whatever it is made of', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 700 }), fc.constant('\u001b[31m\n\u202e'.repeat(100)));
    const any = fc.record({
      event: fc.constantFrom(...RUN_EVENTS),
      runId: text,
      runbook: text,
      targets: fc.array(text, { maxLength: 8 }),
      summary: text,
      needs: fc.array(fc.record({ what: text, command: text }), { maxLength: 6 }),
      atMs: fc.oneof(fc.integer(), fc.constant(Number.NaN)),
      about: text,
    });
    fc.assert(
      fc.property(any, (given) => {
        const made = createNotification(given);
        const lines = plainLines(made);
        for (const line of [...lines, made.key]) expect(hasControlCharacters(line)).toBe(false);
        expect(utf8Bytes(lines.join('\n'))).toBeLessThan(4_400);
        expect(utf8Bytes(JSON.stringify(made))).toBeLessThan(12_000);
      }),
      { numRuns: 50 },
    );
  });
});
