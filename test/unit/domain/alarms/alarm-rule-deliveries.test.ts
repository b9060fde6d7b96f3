/** What holds for any order of deliveries. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWaiting } from '../../../../src/domain/alarms/alarm-rule-state.js';
import { DAY, later, MINUTE, Rule, SECOND, T0 } from '../../../support/rule-under-a-clock.js';

describe('however deliveries are repeated, reordered and mixed with resolutions', () => {
  interface Delivery {
    readonly incident: number;
    readonly nth: number;
    readonly status: 'firing' | 'resolved';
    /** Since the delivery before. After the longer ones a resolution was false where the firing goes on. */
    readonly afterMs: number;
    /** Or an old message that comes again. */
    readonly isSaidNow: boolean;
  }
  /** The n-th firing of an incident begins at 200 n seconds and ends 100 s later; all deliveries come after both. */
  const deliveries = fc.array(
    fc.record<Delivery>({
      incident: fc.integer({ min: 0, max: 3 }),
      nth: fc.integer({ min: 0, max: 2 }),
      status: fc.constantFrom('firing', 'firing', 'resolved'),
      afterMs: fc.constantFrom(SECOND, SECOND, SECOND, 11 * MINUTE),
      isSaidNow: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  const brakes = fc.record({
    debounceMs: fc.constantFrom(0, 5 * SECOND),
    coolDownMs: fc.constantFrom(0, 20 * SECOND),
    atMost: fc.option(fc.record({ runs: fc.integer({ min: 1, max: 3 }), withinMs: fc.constantFrom(30 * SECOND, DAY) })),
    atOnce: fc.option(fc.integer({ min: 1, max: 3 })),
    onResolved: fc.constantFrom('nothing', 'withdraw'),
  });
  const ends = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });

  it.each(['of its own', 'one for all of an incident'])(
    'a firing has at most one run, with an episode %s, and no brake is passed',
    (episodes) => {
      fc.assert(
        fc.property(deliveries, brakes, ends, (all, given, durations) => {
          const rule = new Rule(given);
          const open = new Map<string, number>();
          const startsAtMs: number[] = [];
          for (const { incident, nth, status, afterMs, isSaidNow } of all) {
            later(rule, afterMs);
            for (const [runId] of [...open].filter(([, endsAtMs]) => endsAtMs <= rule.nowMs)) {
              rule.end(runId);
              open.delete(runId);
            }
            const begunMs = T0 - DAY + nth * 200 * SECOND;
            const atMs = status === 'firing' ? begunMs : begunMs + 100 * SECOND;
            const episode = `${incident}${episodes === 'of its own' ? `-${nth}` : ''}`;
            const before = rule.started.length;
            rule.due();
            const target = `a/b/${incident}`;
            const saidAtMs = isSaidNow ? rule.nowMs : atMs;
            rule.decide(rule.alarm({ incident: `${incident}`, episode, target, status, atMs, saidAtMs }));
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
          const most = episodes === 'of its own' ? 1 : 3;
          for (const runId of rule.started) {
            const ofEpisode = rule.started.filter((other) => other.slice(0, 33) === runId.slice(0, 33));
            expect(ofEpisode.length).toBeLessThanOrEqual(most);
          }
        }),
        { numRuns: 500 },
      );
    },
  );

  it('and routed by labels that change, a resolution leaves nothing of its incident waiting, and no firing has two runs of a rule', () => {
    const routed = fc.array(fc.tuple(deliveries, fc.integer({ min: 0, max: 2 })), { maxLength: 30 });
    fc.assert(
      fc.property(routed, brakes, (all, given) => {
        const rules = [new Rule({ ...given, debounceMs: 5 * SECOND }, 'left'), new Rule(given, 'right')];
        for (const [some, takenBy] of all)
          for (const { incident, nth, status, afterMs, isSaidNow } of some) {
            const begunMs = T0 - DAY + nth * 200 * SECOND;
            const atMs = status === 'firing' ? begunMs : begunMs + 100 * SECOND;
            for (const [index, rule] of rules.entries()) {
              later(rule, afterMs).due();
              if (status === 'firing' && index !== takenBy) continue;
              const saidAtMs = isSaidNow ? rule.nowMs : atMs;
              const parts = { incident: `${incident}`, episode: `${incident}-${nth}`, status, atMs, saidAtMs };
              rule.tell(rule.alarm({ ...parts, rule: rule.rule, onlyIfKnown: index !== takenBy }));
              const waits = rule.state.firings.filter(isWaiting).filter((firing) => firing.incident === `${incident}`);
              if (status === 'resolved') expect(waits.filter(({ firedAtMs }) => firedAtMs <= atMs)).toEqual([]);
            }
          }
        for (const { started } of rules) expect(new Set(started).size).toBe(started.length);
      }),
      { numRuns: 100 },
    );
  });
});
