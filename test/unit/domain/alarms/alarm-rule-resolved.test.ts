/** What a resolved alarm does to a rule, also one that was wrong. */
import { describe, expect, it } from 'vitest';
import { concerns } from '../../../../src/domain/alarms/alarm-rule-state.js';
import { DAY, later, MINUTE, ran, Rule, SECOND, T0 } from '../../../support/rule-under-a-clock.js';

it('a resolution by a clock that was ahead does not silence what fires later', () => {
  const rule = new Rule();
  rule.decide(rule.alarm({ status: 'resolved', receivedAtMs: T0 + 3_600 * SECOND, atMs: T0 + 3_600 * SECOND }));
  later(rule, 10 * SECOND);
  expect(rule.decide(rule.alarm({ atMs: T0 + 5 * SECOND })).kind).toBe('started');
});

describe('a firing that goes on after its resolution', () => {
  const BEGAN = T0 - MINUTE;
  /** As Alertmanager says it: now, of one beginning. */
  const fires = (rule: Rule, change = {}) => rule.decide(rule.alarm({ atMs: BEGAN, saidAtMs: rule.nowMs, ...change }));
  const isResolved = (rule: Rule, change = {}) =>
    rule.decide(rule.alarm({ status: 'resolved', saidAtMs: rule.nowMs, ...change }));
  const falselyCalledOff = () => {
    const rule = new Rule({ debounceMs: MINUTE });
    const { runId } = fires(rule);
    expect(isResolved(later(rule, SECOND)).kind).toBe('calledOff');
    return { rule, runId };
  };

  it('and is said again more than ten minutes after that waits again, for the same run', () => {
    const { rule, runId } = falselyCalledOff();
    expect(fires(later(rule, 10 * MINUTE)).kind).toBe('calledOff');
    expect(fires(later(rule, 1))).toMatchObject({ kind: 'waiting', runId });
    expect(later(rule, MINUTE).due()).toMatchObject([{ kind: 'started', runId }]);
    expect(fires(later(rule, 11 * MINUTE))).toMatchObject({ kind: 'repeated', runId });
    expect(rule.started).toEqual([runId]);
  });

  it('and was held back by a brake is decided anew', () => {
    const rule = new Rule({ coolDownMs: 5 * MINUTE });
    ran(rule, { target: 'shop/checkout/disk-1', incident: 'other' });
    expect(fires(rule).kind).toBe('coolingDown');
    isResolved(later(rule, SECOND));
    expect(fires(later(rule, 9 * MINUTE)).kind).toBe('calledOff');
    expect(fires(later(rule, 2 * MINUTE)).kind).toBe('started');
  });

  it('and is held back then may start when it is said once more', () => {
    const { rule, runId } = falselyCalledOff();
    Object.assign(rule.brakes, { debounceMs: 0, coolDownMs: 30 * MINUTE });
    ran(rule, { target: 'shop/checkout/disk-1', incident: 'other' });
    expect(fires(later(rule, 15 * MINUTE)).kind).toBe('coolingDown');
    expect(fires(later(rule, 15 * MINUTE))).toMatchObject({ kind: 'started', runId });
  });

  it('and had its run starts no other', () => {
    const rule = new Rule();
    const { runId } = fires(rule);
    rule.end(runId ?? '');
    isResolved(later(rule, SECOND));
    expect(fires(later(rule, DAY))).toMatchObject({ kind: 'repeated', runId });
  });

  it('and is said by one of a pair that began a moment later has the run of the other', () => {
    const { rule, runId } = falselyCalledOff();
    expect(fires(later(rule, 11 * MINUTE))).toMatchObject({ kind: 'waiting', runId });
    expect(fires(rule, { episode: 'of the other', atMs: BEGAN + 1 })).toMatchObject({ kind: 'repeated', runId });
  });

  it('and is resolved again is called off again', () => {
    const { rule } = falselyCalledOff();
    fires(later(rule, 11 * MINUTE));
    expect(isResolved(later(rule, SECOND)).kind).toBe('calledOff');
    expect(fires(later(rule, 10 * MINUTE)).kind).toBe('calledOff');
    expect(later(rule, DAY).due()).toEqual([]);
  });

  it('stays called off where only an old message comes again', () => {
    const { rule } = falselyCalledOff();
    later(rule, DAY);
    expect(fires(rule, { saidAtMs: BEGAN }).kind).toBe('calledOff');
    expect(rule.decide(rule.alarm({ atMs: BEGAN })).kind).toBe('calledOff');
    expect(rule.decide(rule.alarm({ atMs: rule.nowMs })).kind).toBe('calledOff');
  });

  it('stays called off after a resolution of which it is not known when it was said', () => {
    const rule = new Rule({ debounceMs: MINUTE });
    fires(rule);
    rule.decide(later(rule, SECOND).alarm({ status: 'resolved' }));
    expect(fires(later(rule, DAY)).kind).toBe('calledOff');
  });
});

describe('a resolution whose labels lead to another rule', () => {
  const elsewhere = (rule: Rule) => rule.alarm({ status: 'resolved', onlyIfKnown: true });

  it('concerns the rule where its firing waits or was started', () => {
    const waits = new Rule({ debounceMs: MINUTE });
    waits.decide(waits.alarm());
    const ended = new Rule();
    ran(ended);
    for (const rule of [waits, ended]) expect(concerns(rule.state, elsewhere(later(rule, SECOND)))).toBe(true);
  });

  it('does not concern it where it knows no firing, or has called it off', () => {
    const rule = new Rule({ debounceMs: MINUTE });
    rule.decide(rule.alarm({ incident: 'other' }));
    expect(concerns(rule.state, elsewhere(rule))).toBe(false);
    rule.decide(rule.alarm());
    rule.decide(later(rule, SECOND).alarm({ status: 'resolved' }));
    expect(concerns(rule.state, elsewhere(rule))).toBe(false);
    expect(concerns(rule.state, rule.alarm({ status: 'resolved' }))).toBe(true);
  });
});
