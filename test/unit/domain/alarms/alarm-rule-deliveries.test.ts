/** Rules for any order of deliveries: a firing has at most one run, a resolution calls off what has not begun, and nothing is called off for ever. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuleAlarm } from '../../../../src/domain/alarms/alarm.js';
import { isWaiting } from '../../../../src/domain/alarms/alarm-rule-state.js';
import { DAY, later, MINUTE, Rule, SECOND, T0 } from '../../../support/rule-under-a-clock.js';

interface Delivery {
  readonly incident: number;
  readonly nth: number;
  readonly status: 'firing' | 'resolved';
  /** Time since the delivery before. After a long one a firing overrules its resolution, or the rule has forgotten it. */
  readonly afterMs: number;
  /** False for an old message that is delivered again. */
  readonly isCurrent: boolean;
}
/** The n-th firing of an incident begins at 200 n seconds and ends 100 s later; all deliveries arrive after that. */
const deliveriesAfter = (...timesMs: number[]) =>
  fc.array(
    fc.record<Delivery>({
      incident: fc.integer({ min: 0, max: 3 }),
      nth: fc.integer({ min: 0, max: 2 }),
      status: fc.constantFrom('firing', 'firing', 'resolved'),
      afterMs: fc.constantFrom(...timesMs),
      isCurrent: fc.boolean(),
    }),
    { maxLength: 60 },
  );
const deliveries = deliveriesAfter(SECOND, SECOND, SECOND, 11 * MINUTE);
const brakes = fc.record({
  debounceMs: fc.constantFrom(0, 5 * SECOND),
  coolDownMs: fc.constantFrom(0, 20 * SECOND),
  atMost: fc.option(fc.record({ runs: fc.integer({ min: 1, max: 3 }), withinMs: fc.constantFrom(30 * SECOND, DAY) })),
  atOnce: fc.option(fc.integer({ min: 1, max: 3 })),
  onResolved: fc.constantFrom('nothing', 'withdraw'),
});
const ends = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });

const begunMs = (nth: number) => T0 - DAY + nth * 200 * SECOND;
/** The sender of this incident gives no times, and repeats nothing. */
const WITHOUT_TIME = 3;
const partsOf = ({ incident, nth, status, isCurrent }: Delivery, nowMs: number) => {
  const parts = { incident: `${incident}`, episode: `${incident}-${nth}`, target: `a/b/${incident}`, status };
  if (incident === WITHOUT_TIME) return { ...parts, atMs: nowMs };
  const atMs = status === 'firing' ? begunMs(nth) : begunMs(nth) + 100 * SECOND;
  return { ...parts, atMs, saidAtMs: isCurrent ? nowMs : atMs };
};

describe('when deliveries are repeated, reordered and mixed with resolutions', () => {
  it.each(['for each firing', 'for each incident'])(
    'a firing has at most one run, with one episode %s, and every brake holds',
    (episodes) => {
      fc.assert(
        fc.property(deliveries, brakes, ends, (all, given, durations) => {
          const rule = new Rule(given);
          const open = new Map<string, number>();
          const startsAtMs: number[] = [];
          for (const delivery of all) {
            later(rule, delivery.afterMs);
            for (const [runId] of [...open].filter(([, endsAtMs]) => endsAtMs <= rule.nowMs)) {
              rule.end(runId);
              open.delete(runId);
            }
            const before = rule.started.length;
            rule.due();
            const parts = partsOf(delivery, rule.nowMs);
            const episode = episodes === 'for each firing' ? parts.episode : parts.incident;
            rule.decide(rule.alarm({ ...parts, episode }));
            for (const runId of rule.started.slice(before)) {
              open.set(runId, rule.nowMs + (durations[startsAtMs.length % durations.length] ?? 1) * SECOND);
              startsAtMs.push(rule.nowMs);
            }
            expect(open.size).toBeLessThanOrEqual(given.atOnce ?? Infinity);
            const { atMost } = given;
            const recent = startsAtMs.filter((startMs) => startMs > rule.nowMs - (atMost?.withinMs ?? 0));
            expect(recent.length).toBeLessThanOrEqual(atMost?.runs ?? Infinity);
          }
          expect(new Set(rule.started).size).toBe(rule.started.length);
          const most = episodes === 'for each firing' ? 1 : 3;
          for (const runId of rule.started) {
            const ofEpisode = rule.started.filter((other) => other.slice(0, 33) === runId.slice(0, 33));
            expect(ofEpisode.length).toBeLessThanOrEqual(most);
          }
        }),
        { numRuns: 500 },
      );
    },
  );

  it('a firing that began before a resolution starts no run after it, unless its sender still repeats it ten minutes later', () => {
    fc.assert(
      fc.property(deliveries, brakes, (all, given) => {
        const rule = new Rule(given);
        const resolutions: RuleAlarm[] = [];
        const waits = new Map<string, { readonly alarm: RuleAlarm; readonly after: number }>();
        const resolutionsOf = (alarm: RuleAlarm, after = 0) =>
          resolutions.slice(after).filter(({ incident, atMs }) => incident === alarm.incident && atMs >= alarm.atMs);
        const overrules = ({ incident, saidAtMs }: RuleAlarm) =>
          resolutions.every(
            (each) => each.incident !== incident || Number(saidAtMs) > Number(each.saidAtMs) + 10 * MINUTE,
          );
        for (const delivery of all) {
          for (const { kind, runId } of later(rule, delivery.afterMs).due()) {
            const { alarm, after } = waits.get(runId ?? '') ?? {};
            if (kind === 'started' && alarm !== undefined) expect(resolutionsOf(alarm, after)).toEqual([]);
          }
          const alarm = rule.alarm(partsOf(delivery, rule.nowMs));
          if (alarm.status === 'resolved') resolutions.push(alarm);
          const { kind, runId } = rule.decide(alarm);
          if (kind !== 'started' && kind !== 'waiting') continue;
          if (!overrules(alarm)) expect(resolutionsOf(alarm)).toEqual([]);
          waits.set(runId ?? '', { alarm, after: resolutions.length });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('nothing is called off for ever: a later firing can start, and so can one that its sender keeps repeating', () => {
    fc.assert(
      fc.property(deliveriesAfter(SECOND, 11 * MINUTE, 3 * DAY, 7 * DAY), brakes, (all, given) => {
        const rule = new Rule(given);
        for (const delivery of all) {
          later(rule, delivery.afterMs).due();
          rule.decide(rule.alarm(partsOf(delivery, rule.nowMs)));
        }
        const { state, nowMs } = rule;
        for (const { incident, nth } of all.filter((delivery) => delivery.incident !== WITHOUT_TIME)) {
          const firing = { incident: `${incident}`, episode: `${incident}-${nth}`, target: `a/b/${incident}` };
          const decide = (afterMs: number, change: Partial<RuleAlarm>) =>
            rule.decide(later(rule, afterMs).alarm({ ...firing, saidAtMs: rule.nowMs, ...change })).kind;
          Object.assign(rule, { state, nowMs });
          decide(SECOND, { atMs: begunMs(nth) });
          expect(decide(11 * MINUTE, { atMs: begunMs(nth) })).not.toBe('calledOff');
          Object.assign(rule, { state, nowMs });
          decide(SECOND, { status: 'resolved', atMs: rule.nowMs });
          expect(['calledOff', 'repeated']).not.toContain(decide(SECOND, { atMs: rule.nowMs - 1 }));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('and routed by changing labels, a resolution leaves no firing of its incident waiting, and no firing has two runs of a rule', () => {
    const routed = fc.array(fc.tuple(deliveries, fc.integer({ min: 0, max: 2 })), { maxLength: 30 });
    fc.assert(
      fc.property(routed, brakes, (all, given) => {
        const rules = [new Rule({ ...given, debounceMs: 5 * SECOND }, 'left'), new Rule(given, 'right')];
        for (const [some, routedTo] of all)
          for (const delivery of some)
            for (const [index, rule] of rules.entries()) {
              later(rule, delivery.afterMs).due();
              if (delivery.status === 'firing' && index !== routedTo) continue;
              const { incident, ...parts } = partsOf(delivery, rule.nowMs);
              rule.decideIfConcerned(
                rule.alarm({ ...parts, incident, rule: rule.rule, onlyIfKnown: index !== routedTo }),
              );
              const waits = rule.state.firings.filter(isWaiting).filter((firing) => firing.incident === incident);
              if (parts.status === 'resolved')
                expect(waits.filter(({ firedAtMs }) => firedAtMs <= parts.atMs)).toEqual([]);
            }
        for (const { started } of rules) expect(new Set(started).size).toBe(started.length);
      }),
      { numRuns: 100 },
    );
  });
});
