/** Which webhook is notified of what: every kind of moment against every list of events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messagesOf, type Moment, type RunFacts } from '../../../../src/domain/notifications/moments.js';
import { RUN_EVENTS, type RunEvent } from '../../../../src/domain/notifications/events.js';
import { EVENT_OF_OUTCOME, type Notification } from '../../../../src/domain/notifications/notification.js';
import { reportedDeliveries } from '../../../../src/domain/notifications/notification-reports.js';
import { plannedWebhooks, type PlannedWebhook } from '../../../../src/domain/notifications/planned-webhooks.js';
import { OUTCOMES, type NotificationReport } from '../../../../src/domain/report/report.js';

const run: RunFacts = {
  runId: 'recover-20261130T031500Z-4f2a9c',
  runbook: 'recover',
  originalRunId: '0199b7e6-7a51-7cf0-a3c2-4c54b1f3a001',
  targets: ['shop/web/a', 'shop/web/b'],
  planHash: '0123456789abcdef'.repeat(4),
  requestedBy: 'ann',
  isSigned: false,
};
const atMs = Date.UTC(2026, 10, 30, 3, 15);
const blockedAs = (result: 'failed' | 'indeterminate', count = 1, reminder = 0): Moment => ({
  kind: 'blocked',
  target: 1,
  blocked: { step: 'restart', why: 'JobFailed: no capacity', untilMs: atMs + 3_600_000, result },
  count,
  reminder,
});
const ended = (outcome: (typeof OUTCOMES)[number]): Moment => ({ kind: 'ended', report: { outcome, summary: 's' } });
const waitsForGate: Moment = {
  kind: 'waitsForGate',
  target: 0,
  waiting: { why: 'frozen', looksAgainAtMs: atMs, givesUpAtMs: atMs },
};
const approvalAsked = (target: number | null, count = 1, reminder = 0, step = 'seen'): Moment => ({
  kind: 'approval',
  target,
  approval: {
    ...{ step: target === null ? null : step, title: 'The shop is well', need: 2, roles: ['sre'], notRequester: true },
    ...{ votes: [], askedAtMs: atMs, untilMs: atMs + 3_600_000 },
  },
  count,
  reminder,
});
const paused: Moment = { kind: 'paused', pause: { actor: 'ann', reason: 'slow', sinceMs: atMs }, order: 1 };
const late: Moment = { kind: 'late', target: 1, late: { step: 'restart', afterMs: 90_000 } };

const CASES: readonly (readonly [string, Moment, readonly RunEvent[]])[] = [
  ['a closed gate', waitsForGate, ['waiting']],
  ['a step that failed and waits', blockedAs('failed'), ['waiting']],
  ['a step that is not clear and waits', blockedAs('indeterminate'), ['indeterminate', 'waiting']],
  ['an approval of the run', approvalAsked(null), ['waiting']],
  ['an approval of a step', approvalAsked(1), ['waiting']],
  ['a pause', paused, ['paused']],
  ['a late step', late, ['late']],
  ...OUTCOMES.map((outcome) => [`the end as ${outcome}`, ended(outcome), [EVENT_OF_OUTCOME[outcome]]] as const),
];

const anyMoment = fc.oneof(
  fc.constantFrom(...CASES.map(([, moment]) => moment)),
  fc
    .record({ step: fc.string(), why: fc.string(), count: fc.nat(), reminder: fc.nat(), untilMs: fc.nat() })
    .map(({ step, why, count, reminder, untilMs }): Moment => {
      return { kind: 'blocked', target: 0, blocked: { step, why, untilMs }, count, reminder };
    }),
);
const anyWebhooks = fc.uniqueArray(
  fc.record({ webhook: fc.string({ minLength: 1 }), on: fc.subarray([...RUN_EVENTS]) }),
  { selector: ({ webhook }) => webhook, maxLength: 20 },
);
const anyRun = fc.record({
  runId: fc.string({ minLength: 1 }),
  runbook: fc.string(),
  originalRunId: fc.uuid(),
  targets: fc.array(fc.string(), { maxLength: 5 }),
  planHash: fc.string({ maxLength: 64 }),
  requestedBy: fc.option(fc.string()),
  isSigned: fc.boolean(),
});
const keysOf = (moment: Moment, webhooks: readonly PlannedWebhook[]) =>
  messagesOf(moment, run, webhooks, atMs).map(({ notification }) => notification.key);

describe('messagesOf', () => {
  it.each(CASES)('%s is the events that the table in docs/notifications.md gives it', (_name, moment, events) => {
    const notified = RUN_EVENTS.filter(
      (event) => messagesOf(moment, run, [{ webhook: 'ops', on: [event] }], atMs).length,
    );
    expect([...notified].sort()).toEqual([...events].sort());
  });

  it('notifies each webhook of the first event that it listens to, and of no other', () => {
    const webhooks: PlannedWebhook[] = [
      { webhook: 'both', on: ['waiting', 'indeterminate'] },
      { webhook: 'waits', on: ['waiting'] },
      { webhook: 'other', on: ['done'] },
    ];
    const messages = messagesOf(blockedAs('indeterminate'), run, webhooks, atMs);
    expect(messages.map(({ notification: { event }, webhooks: names }) => [event, names])).toEqual([
      ['indeterminate', ['both']],
      ['waiting', ['waits']],
    ]);
  });

  it('gives no webhook two messages, only events that it listens to, and none where no one listens', () => {
    fc.assert(
      fc.property(anyMoment, anyRun, anyWebhooks, (moment, facts, webhooks) => {
        const messages = messagesOf(moment, facts, webhooks, atMs);
        const names = messages.flatMap((message) => message.webhooks);
        expect(new Set(names).size).toBe(names.length);
        for (const { notification, webhooks: notified } of messages) {
          expect(notified.length).toBeGreaterThan(0);
          for (const name of notified) {
            const events: readonly string[] = webhooks.find(({ webhook }) => webhook === name)?.on ?? [];
            expect(events).toContain(notification.event);
          }
        }
      }),
    );
  });

  it('makes the same key again after a reset, and another one for everything else', () => {
    const all: PlannedWebhook[] = [{ webhook: 'ops', on: RUN_EVENTS }];
    const moments = [
      waitsForGate,
      { ...waitsForGate, target: 1 } as Moment,
      paused,
      { ...paused, order: 3 } as Moment,
      late,
      { ...late, target: 0 } as Moment,
      ...[1, 2].flatMap((count) => [0, 1, 2].map((reminder) => blockedAs('failed', count, reminder))),
      ...[null, 0, 1].flatMap((target) => [0, 1].map((reminder) => approvalAsked(target, 1, reminder))),
      approvalAsked(1, 2),
      ended('failed'),
    ];
    const keys = moments.flatMap((moment) => keysOf(moment, all));
    expect(new Set(keys).size).toBe(moments.length);
    expect(moments.flatMap((moment) => keysOf(moment, all))).toEqual(keys);
    const later = messagesOf(ended('failed'), { ...run, originalRunId: 'another' }, all, atMs);
    expect(keys).not.toContain(later[0]?.notification.key);
  });

  it('never cuts what distinguishes two messages', () => {
    const step = 'a'.repeat(63);
    const at = (reminder: number): Moment => ({
      kind: 'blocked',
      target: 99,
      blocked: { step, why: '', untilMs: atMs },
      count: 20,
      reminder,
    });
    const all: PlannedWebhook[] = [{ webhook: 'ops', on: RUN_EVENTS }];
    expect(keysOf(at(59), all)).not.toEqual(keysOf(at(58), all));
    const asked = (reminder: number) => approvalAsked(99, 20, reminder, step);
    expect(keysOf(asked(59), all)).not.toEqual(keysOf(asked(58), all));
  });

  it('describes an approval: subject, limit, approvers, plan, and commands to type', () => {
    const [message] = messagesOf(approvalAsked(1), run, [{ webhook: 'ops', on: ['waiting'] }], atMs);
    expect(message?.notification).toMatchObject({
      targets: ['shop/web/b'],
      summary:
        'Waits until 2026-11-30T04:15:00Z for approval at the step seen · 2 needed, by sre, not by ann, who requested it · plan 0123456789abcdef · The shop is well',
    });
    const signed = { ...run, isSigned: true };
    const [ofRun] = messagesOf(approvalAsked(null, 1, 1), signed, [{ webhook: 'ops', on: ['waiting'] }], atMs);
    expect(ofRun?.notification).toMatchObject({
      targets: ['shop/web/a', 'shop/web/b'],
      summary: expect.stringMatching(/^Still waits until \S+ for approval of the whole run/),
      needs: [
        { command: `runbook watch ${run.runId}` },
        { command: `runbook approve ${run.runId} --plan-hash 0123456789abcdef --token-file token --reason '…'` },
        { command: `runbook reject ${run.runId} --plan-hash 0123456789abcdef --token-file token --reason '…'` },
      ],
    });
  });

  it('leaves a long target out of the commands, because one that is cut could mean another target', () => {
    const facts: RunFacts = { ...run, targets: [`shop/web/${'x'.repeat(1_000)}`] };
    const moment: Moment = { ...blockedAs('failed'), target: 0 } as Moment;
    const [message] = messagesOf(moment, facts, [{ webhook: 'ops', on: ['waiting'] }], atMs);
    expect(message?.notification.needs.map(({ command }) => command)).toEqual([
      `runbook retry-step ${run.runId} --reason '…'`,
      `runbook skip-step ${run.runId} --reason '…'`,
      `runbook mark-succeeded ${run.runId} --reason '…'`,
      `runbook abort ${run.runId} --reason '…'`,
    ]);
  });
});

describe('plannedWebhooks', () => {
  it('takes the events of the runbook, adds webhooks that it does not name, and marks unknown names', () => {
    const named = [
      { webhook: 'ops', on: ['failed'] as const },
      { webhook: 'unknown', on: ['done'] as const },
      { webhook: 'ops', on: ['late', 'failed'] as const },
    ];
    const configured = [
      { name: 'ops', on: ['done'] as const },
      { name: 'log', on: ['done'] as const },
    ];
    expect(plannedWebhooks(named, configured)).toEqual([
      { webhook: 'ops', on: ['failed', 'late'] },
      { webhook: 'unknown', on: ['done'], unknown: true },
      { webhook: 'log', on: ['done'] },
    ]);
    expect(plannedWebhooks([], [])).toEqual([]);
  });
});

describe('reportedDeliveries', () => {
  const report = (index: number, result: NotificationReport['result']): NotificationReport => {
    const event: Notification['event'] = 'late';
    return { event, webhook: 'ops', result, atMs: index };
  };

  it('keeps those that failed before those that were delivered, oldest first', () => {
    const all = Array.from({ length: 200 }, (_item, index) => report(index, index % 5 === 0 ? 'refused' : 'delivered'));
    const kept = reportedDeliveries(all);
    expect(kept).toHaveLength(50);
    expect(kept.filter(({ result }) => result === 'refused')).toHaveLength(40);
    expect(kept.map(({ atMs: time }) => time)).toEqual(kept.map(({ atMs: time }) => time).sort((a, b) => a - b));
  });
});
