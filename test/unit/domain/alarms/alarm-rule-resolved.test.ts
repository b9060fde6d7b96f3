/** How a rule reacts to resolved alarms, including wrong ones. */
import { describe, expect, it } from 'vitest';
import { concerns } from '../../../../src/domain/alarms/alarm-rule-state.js';
import { DAY, later, MINUTE, ran, Rule, SECOND, T0 } from '../../../support/rule-under-a-clock.js';

it('a resolution by a fast clock does not silence later firings', () => {
  const rule = new Rule();
  rule.decide(rule.alarm({ status: 'resolved', receivedAtMs: T0 + 3_600 * SECOND, atMs: T0 + 3_600 * SECOND }));
  later(rule, 10 * SECOND);
  expect(rule.decide(rule.alarm({ atMs: T0 + 5 * SECOND })).kind).toBe('started');
});

describe('a firing that continues after its resolution', () => {
  const BEGAN = T0 - MINUTE;
  /** Repeated like Alertmanager does: stated now, with the same start. */
  const fires = (rule: Rule, change = {}) => rule.decide(rule.alarm({ atMs: BEGAN, saidAtMs: rule.nowMs, ...change }));
  const isResolved = (rule: Rule, change = {}) =>
    rule.decide(rule.alarm({ status: 'resolved', saidAtMs: rule.nowMs, ...change }));
  const falselyCalledOff = () => {
    const rule = new Rule({ debounceMs: MINUTE });
    const { runId } = fires(rule);
    expect(isResolved(later(rule, SECOND)).kind).toBe('calledOff');
    return { rule, runId };
  };

  it('and is repeated more than ten minutes after it waits again, for the same run', () => {
    const { rule, runId } = falselyCalledOff();
    expect(fires(later(rule, 10 * MINUTE)).kind).toBe('calledOff');
    expect(fires(later(rule, 1))).toMatchObject({ kind: 'waiting', runId });
    expect(later(rule, MINUTE).due()).toMatchObject([{ kind: 'started', runId }]);
    expect(fires(later(rule, 11 * MINUTE))).toMatchObject({ kind: 'repeated', runId });
    expect(rule.started).toEqual([runId]);
  });

  it('and was held back by a brake is decided again', () => {
    const rule = new Rule({ coolDownMs: 5 * MINUTE });
    ran(rule, { target: 'shop/checkout/disk-1', incident: 'other' });
    expect(fires(rule).kind).toBe('coolingDown');
    isResolved(later(rule, SECOND));
    expect(fires(later(rule, 9 * MINUTE)).kind).toBe('calledOff');
    expect(fires(later(rule, 2 * MINUTE)).kind).toBe('started');
  });

  it('and is held back then may start at the next repetition', () => {
    const { rule, runId } = falselyCalledOff();
    Object.assign(rule.brakes, { debounceMs: 0, coolDownMs: 30 * MINUTE });
    ran(rule, { target: 'shop/checkout/disk-1', incident: 'other' });
    expect(fires(later(rule, 15 * MINUTE)).kind).toBe('coolingDown');
    expect(fires(later(rule, 15 * MINUTE))).toMatchObject({ kind: 'started', runId });
  });

  it('and already had its run starts no other', () => {
    const rule = new Rule();
    const { runId } = fires(rule);
    rule.end(runId ?? '');
    isResolved(later(rule, SECOND));
    expect(fires(later(rule, DAY))).toMatchObject({ kind: 'repeated', runId });
  });

  it('and comes from a paired sender with a slightly later start shares the run', () => {
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

  it('stays called off if only an old message is delivered again', () => {
    const { rule } = falselyCalledOff();
    later(rule, DAY);
    expect(fires(rule, { saidAtMs: BEGAN }).kind).toBe('calledOff');
    expect(rule.decide(rule.alarm({ atMs: BEGAN })).kind).toBe('calledOff');
    expect(rule.decide(rule.alarm({ atMs: rule.nowMs })).kind).toBe('calledOff');
  });

  it('stays called off after a resolution without a time of statement', () => {
    const rule = new Rule({ debounceMs: MINUTE });
    fires(rule);
    rule.decide(later(rule, SECOND).alarm({ status: 'resolved' }));
    expect(fires(later(rule, DAY)).kind).toBe('calledOff');
  });
});

describe('a resolution whose labels lead to another rule', () => {
  const elsewhere = (rule: Rule) => rule.alarm({ status: 'resolved', onlyIfKnown: true });

  it('concerns the rule whose firing waits or was started', () => {
    const waits = new Rule({ debounceMs: MINUTE });
    waits.decide(waits.alarm());
    const ended = new Rule();
    ran(ended);
    for (const rule of [waits, ended]) expect(concerns(rule.state, elsewhere(later(rule, SECOND)))).toBe(true);
  });

  it('does not concern a rule without the firing, or one that has called it off', () => {
    const rule = new Rule({ debounceMs: MINUTE });
    rule.decide(rule.alarm({ incident: 'other' }));
    expect(concerns(rule.state, elsewhere(rule))).toBe(false);
    rule.decide(rule.alarm());
    rule.decide(later(rule, SECOND).alarm({ status: 'resolved' }));
    expect(concerns(rule.state, elsewhere(rule))).toBe(false);
    expect(concerns(rule.state, rule.alarm({ status: 'resolved' }))).toBe(true);
  });
});
