/** What a rule remembers, for how long, and how much space that takes. */
import { describe, expect, it } from 'vitest';
import { MOST_ALARMS_AT_ONCE } from '../../../../src/domain/alarms/alarm.js';
import { nextDueAtMs } from '../../../../src/domain/alarms/alarm-rule.js';
import { requestProblem } from '../../../../src/domain/alarms/alarm-rule-checks.js';
import {
  addToLog,
  EMPTY_STATE,
  forNextExecution,
  MOST_OPEN,
  loggedAlarm,
} from '../../../../src/domain/alarms/alarm-rule-state.js';
import { type anAlarm, NO_BRAKES } from '../../../support/alarms.js';
import { DAY, later, ran, Rule, T0 } from '../../../support/rule-under-a-clock.js';

describe('what is remembered', () => {
  it('is forgotten a week after it was last seen, unless it is waiting or running', () => {
    const rule = new Rule({ debounceMs: 30 * DAY });
    rule.decide(rule.alarm());
    const open = new Rule();
    open.decide(open.alarm());
    const ended = new Rule();
    ran(ended);
    for (const each of [rule, open, ended])
      later(each, 8 * DAY).decide(each.alarm({ start: { problem: '' }, incident: 'x' }));
    expect([rule, open, ended].map(({ state }) => state.firings.length)).toEqual([1, 1, 0]);
    expect(nextDueAtMs(rule.state)).toBe(T0 + 30 * DAY);
  });

  it.each([
    ['is still listed as open', null],
    ['has just ended', T0],
  ])(
    'does not hold back a repeat as another run would, once it is forgotten: the run of a firing that %s',
    (_case, endedAtMs) => {
      const rule = new Rule({ coolDownMs: DAY });
      const alarm = rule.alarm();
      const { runId, effect } = rule.decide(alarm);
      if (effect?.kind !== 'start') throw new TypeError('No run was started');
      rule.state = EMPTY_STATE;
      rule.seen = [{ runId: effect.runId, targets: effect.arguments.targets, endedAtMs }];
      expect(rule.decide(alarm)).toMatchObject({ kind: 'repeated', runId });
      expect(rule.started).toEqual([runId]);
      expect(rule.decide(rule.alarm({ episode: 'another' }))).toMatchObject({
        kind: endedAtMs === null ? 'busy' : 'coolingDown',
        runId,
      });
    },
  );

  it('does not hold back a firing that is due either: its own run, which the rule had forgotten', () => {
    const rule = new Rule({ debounceMs: DAY / 24 });
    const alarm = rule.alarm();
    const { runId } = rule.decide(alarm);
    rule.seen = [{ runId: runId ?? '', targets: ['target' in alarm.start ? alarm.start.target : ''], endedAtMs: null }];
    expect(later(rule, DAY / 24).due()).toMatchObject([{ kind: 'repeated', runId }]);
    expect(rule.started).toEqual([]);
  });

  it('fits into a payload even at its longest, after a flood, and so does an update', () => {
    const long = (at: number, bytes: number) => `${at}`.padEnd(8, '-') + '警'.repeat((bytes - 12) / 3);
    const inputs = { note: '警'.repeat(450) };
    const longest = (rule: Rule, at: number, of: Parameters<typeof anAlarm>[0] = {}) => {
      const target = long(at, 420);
      const start = { runbook: 'r', target, arguments: { targets: [], inputs } };
      const texts = { incident: long(at, 250), episode: long(at, 250), sender: long(at, 250), name: long(at, 700) };
      return rule.alarm({ ...texts, summary: long(at, 1_000), start, saidAtMs: T0, ...of });
    };
    const rule = new Rule({ debounceMs: DAY });
    const flooded = (count: number, from: number, ends: boolean) => {
      for (let at = from; at < from + count; at++) {
        const alarm = longest(rule, at);
        const { effect: _effect, ...decision } = rule.decide(alarm);
        if (ends) rule.seen = [{ runId: decision.runId ?? '', targets: [], endedAtMs: rule.nowMs }];
        rule.decide(longest(rule, at + 10_000, { status: 'resolved' }));
        const line = { decidedAtMs: T0, rule: 'rule', alarm: loggedAlarm(alarm), target: long(at, 420), decision };
        rule.state = addToLog(rule.state, line);
      }
    };
    Object.assign(rule.brakes, { debounceMs: 0 });
    flooded(1_000, 0, true);
    Object.assign(rule.brakes, { debounceMs: DAY });
    flooded(MOST_OPEN, 5_000, false);
    // The id of a run that blocks an alarm may have 1,000 characters.
    const why = `the run ${'w'.repeat(1_000)} acts on it`;
    const log = rule.state.log.map((line) => ({
      ...line,
      decision: { ...line.decision, why, runId: 'w'.repeat(1_000) },
    }));
    const state = forNextExecution({ ...rule.state, log }, T0);
    const size = Buffer.byteLength(JSON.stringify({ owner: 'o'.repeat(63), rule: 'r'.repeat(63), state }));
    expect(size).toBeGreaterThan(1_400_000);
    expect(size).toBeLessThan(1_500_000);
    expect(state.log).toEqual(log.slice(0, state.log.length));
    expect(state.log.length).toBeGreaterThan(0);
    expect(state.firings).toHaveLength(400);
    const alarms = Array.from({ length: MOST_ALARMS_AT_ONCE }, (_, at) => longest(rule, at));
    const request = { rule: 'rule', brakes: NO_BRAKES, alarms };
    expect(requestProblem(request, 'rule')).toBeNull();
    expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThan(2_000_000);
  });
});
